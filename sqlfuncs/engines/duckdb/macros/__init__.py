"""The macros an analyst calls: over a function of Python's (`computed`), or written in SQL here.

One `.sql` file in this folder is one function in pure SQL: comment lines that say what it
does, then its text from the name on. Imports the function descriptions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from importlib import resources

from sqlfuncs.engines.duckdb.functions import Function, SqlMacro
from sqlfuncs.engines.duckdb.macros import computed
from sqlfuncs.engines.duckdb.macros.sealed import NAMED, seal
from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.functions.spec import ScalarFunction

_NO_DECISIONS = """SELECT NULL::VARCHAR AS key, NULL::VARCHAR AS "action",
    NULL::VARCHAR AS old_label, NULL::VARCHAR AS new_label, NULL::VARCHAR AS decided_by,
    NULL::TIMESTAMP AS decided_at WHERE false"""
REGISTERED = "sqlfuncs.main._sf_registered()"


def register(add: Callable[[Function], None]) -> None:
    """The entry point of the functions that are written in SQL."""
    for file in sorted(resources.files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            add(read_macro(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")))


def read_macro(name: str, text: str) -> SqlMacro:
    """A macro file's comment and SQL.

    >>> read_macro("twice", "-- Twice a number.\\ntwice(n) AS n * 2;\\n")
    SqlMacro(name='twice', sql='twice(n) AS n * 2', help='Twice a number.')
    """
    lines = text.splitlines()
    comment = []
    while lines and lines[0].startswith("--"):
        comment.append(lines.pop(0).removeprefix("--").strip())
    return SqlMacro(name, "\n".join(lines).strip().removesuffix(";"), "\n".join(comment))


def unsealed(functions: Sequence[Function]) -> str:
    """All that the macros of functions are made of: their texts and comments."""
    return "\n".join(f"{_definition(each)} -- {each.help}" for each in functions)


def create_statements(functions: Sequence[Function], catalog: str) -> Iterator[str]:
    """The statements that make every function callable as `catalog.name(...)`."""
    nothing = "SELECT NULL AS nothing_of_sqlfuncs WHERE false"
    yield f"CREATE OR REPLACE VIEW {computed.NO_ROWS} AS {nothing}"
    yield f"CREATE OR REPLACE VIEW {computed.NO_LOG} AS {_NO_DECISIONS}"
    # A scalar function that begins so is called by other macros only, under its own name.
    texts = {function.name: _definition(function) for function in functions}
    made = [
        function
        for function in _in_order_of_need(functions, texts)
        if not (isinstance(function, ScalarFunction) and function.name.startswith("_"))
    ]
    definitions = seal(tuple(texts[function.name] for function in made))
    for function, definition in zip(made, definitions, strict=True):
        yield f"CREATE OR REPLACE MACRO {catalog}.main.{definition}"
        kind = "MACRO TABLE" if is_table(function) else "MACRO"
        yield (
            f"COMMENT ON {kind} {catalog}.main.{identifier(function.name)} "
            f"IS {literal(function.help)}"
        )
    yield f"CREATE OR REPLACE MACRO {REGISTERED} AS true"
    yield f"COMMENT ON MACRO {REGISTERED.removesuffix('()')} IS 'The last one that is made.'"


def _in_order_of_need(functions: Sequence[Function], texts: Mapping[str, str]) -> list[Function]:
    """Functions after those they call: DuckDB looks names up when a macro is made."""
    by_name = {function.name: function for function in functions}
    needs = {
        name: {other for other in by_name if f"main.{other}(" in texts[name]}
        | ({NAMED} if "query_table(" in texts[name] else set())
        for name in by_name
    }
    return [by_name[name] for name in TopologicalSorter(needs).static_order()]


def is_table(function: Function) -> bool:
    """Whether it stands after FROM."""
    if isinstance(function, SqlMacro):
        return " AS TABLE" in function.sql
    return not isinstance(function, ScalarFunction)


def _definition(function: Function) -> str:
    return function.sql if isinstance(function, SqlMacro) else computed.definition(function)
