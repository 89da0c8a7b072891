"""The macros an analyst calls: generated over a Python function, or written in SQL here.

One `.sql` file in this folder is one function in pure SQL: comment lines that say what it
does, then its text from the name on. Imports the function descriptions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from graphlib import TopologicalSorter
from importlib import resources

from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.engines.duckdb.udf import udf_name
from sqlfuncs.functions.spec import (
    ListFunction,
    ScalarFunction,
    SqlFunction,
    SqlMacro,
    TableFunction,
)

_BARE = "sqlfuncs.main._sf_bare"


def register(add: Callable[[SqlFunction], None]) -> None:
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


def create_statements(functions: Iterable[SqlFunction], catalog: str) -> Iterator[str]:
    """The statements that make every function callable as `catalog.name(...)`."""
    for function in _in_order_of_need(functions):
        if isinstance(function, ScalarFunction) and function.name.startswith("_"):
            continue  # called by other macros only, under its own name
        yield f"CREATE OR REPLACE MACRO {catalog}.main.{_definition(function)}"
        kind = "MACRO TABLE" if _is_table(function) else "MACRO"
        yield (
            f"COMMENT ON {kind} {catalog}.main.{identifier(function.name)} "
            f"IS {literal(function.help)}"
        )


def _in_order_of_need(functions: Iterable[SqlFunction]) -> list[SqlFunction]:
    """Functions after those they call: DuckDB looks names up when a macro is made."""
    by_name = {function.name: function for function in functions}
    needs = {
        function.name: {other for other in by_name if f"main.{other}(" in _definition(function)}
        for function in by_name.values()
    }
    return [by_name[name] for name in TopologicalSorter(needs).static_order()]


def _is_table(function: SqlFunction) -> bool:
    if isinstance(function, SqlMacro):
        return " AS TABLE" in function.sql
    return not isinstance(function, ScalarFunction)


def _definition(function: SqlFunction) -> str:
    match function:
        case SqlMacro():
            return function.sql
        case ScalarFunction():
            return _scalar(function)
        case ListFunction():
            return _list(function)
        case TableFunction():
            return _of_table(function)


def _scalar(function: ScalarFunction) -> str:
    given = [
        f"coalesce({name}, getvariable({literal(function.session[name])}))"
        if name in function.session
        else name
        for name in function.options
    ]
    call = ", ".join([*function.inputs, *given])
    return f"{_head(function, function.inputs)} AS {udf_name(function.name)}({call})"


def _list(function: ListFunction) -> str:
    return f"""{_head(function, function.arguments)} AS TABLE
SELECT unnest({udf_name(function.name)}({_options(function)}), recursive := true)"""


def _of_table(function: TableFunction) -> str:
    """Gather all rows into one list in order, compute once, and hand the rows back.

    Names start with `_sf_`, because the columns an analyst names are looked up in the table
    first, and nothing of ours may stand in their way.
    """
    required = [name for name in function.inputs if name not in function.optional]
    optional = [f"{name} := NULL" for name in function.optional]
    parameters = (*function.arguments, "tbl", *required, *optional)
    # A label travels as DuckDB's own text for it, which casts back to the type it had.
    given = ", ".join(
        f"{name}: {_BARE}({name})" + ("::VARCHAR" if name in function.as_text else "")
        for name in function.inputs
    )
    typed = "".join(f", {name} AS _sf_typed_{name}" for name in _typed_like(function))
    any_given = ", ".join(
        f"any_value(_sf_typed_{name}) AS _sf_any_{name}" for name in _typed_like(function)
    )
    carried = "".join(f", _sf_any_{name}" for name in _typed_like(function))
    computed = f"""WITH _sf_numbered AS (
    SELECT row_number() OVER () AS _sf_n, _sf_in AS _sf_row, {{{given}}} AS _sf_given{typed}
    FROM query_table(tbl) AS _sf_in
), _sf_gathered AS (
    SELECT
        {"list(_sf_row ORDER BY _sf_n) AS _sf_rows," if function.keeps_rows else ""}
        {udf_name(function.name)}(
            list(_sf_given ORDER BY _sf_n), struct_keys(any_value(_sf_row)), {_options(function)}
        ) AS _sf_own{", " if any_given else ""}{any_given}
    FROM _sf_numbered
)"""
    rows = "unnest(_sf_rows) AS _sf_row, " if function.keeps_rows else ""
    own = ", ".join(_own_column(column.name, column.type) for column in function.returns)
    return f"""{_head(function, parameters)} AS TABLE
{computed}, _sf_paired AS (
    SELECT {rows}unnest(_sf_own) AS _sf_own{carried} FROM _sf_gathered
)
SELECT {"unnest(_sf_row), " if function.keeps_rows else ""}{own} FROM _sf_paired"""


def _typed_like(function: TableFunction) -> list[str]:
    return sorted({c.type for c in function.returns if isinstance(c.type, str)})


def _own_column(name: str, like: object) -> str:
    value = f"_sf_own.{identifier(name)}"
    if isinstance(like, str):
        value = f"TRY(cast_to_type({value}, _sf_any_{like}))"
    return f"{value} AS {identifier(name)}"


def _head(function: SqlFunction, parameters: Iterable[str]) -> str:
    assert not isinstance(function, SqlMacro)
    options = [f"{name} := {literal(default)}" for name, default in function.options.items()]
    return f"{identifier(function.name)}({', '.join([*parameters, *options])})"


def _options(function: TableFunction | ListFunction) -> str:
    given = [*function.arguments, *function.options]
    # A struct needs a field; where a function takes nothing, this one is not read.
    fields = [f"{name}: {name}" for name in given] or ["_sf_nothing: NULL"]
    return "{" + ", ".join(fields) + "}"
