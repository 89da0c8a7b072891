"""What a DuckDB shell runs first to work on a database that is served. Pure text.

DuckDB 2 sends every statement to the server by itself (CONNECT). Version 1.5 sends only what
`server.query('...')` holds: there, each of our functions gets a macro of its name, which writes
the call down as text. A bare name that a macro hands to a table function arrives there as text,
so `FROM label_issues(reviews, body, stars)` is written as it is anywhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlfuncs.engines.duckdb.functions import Function, SqlMacro
from sqlfuncs.engines.duckdb.macros import is_table
from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.engines.duckdb.quack import ATTACHED, EXTENSIONS, Endpoint, loading
from sqlfuncs.functions.spec import (
    REVIEWS,
    ListFunction,
    ScalarFunction,
    TableFunction,
)

_VALUE = "_sf_value"
_TABLE_UNLESS_GIVEN = re.compile(r"coalesce\((\w+), '(?:sqlfuncs\.main\.)?_sf_")


@dataclass(frozen=True)
class _Parameter:
    """`is_name`: of a table or column (or an expression), not a value."""

    name: str
    is_optional: bool
    is_name: bool


def script(endpoint: Endpoint, functions: Iterable[Function], version: str) -> str:
    """The statements for a shell of DuckDB `version`, as 1.5.5. It holds the token."""
    lines = [loading(name, version) for name in EXTENSIONS]
    lines.append(
        f"ATTACH {literal(endpoint.address)} AS {ATTACHED} (TOKEN {literal(endpoint.token)});"
    )
    set_path = f"SET search_path = {literal(endpoint.search_path)}"
    if int(version.partition(".")[0]) >= 2:
        lines += [f"CONNECT {ATTACHED};", f"{set_path};"]
    else:
        # Its answer, the word Success in a box, is not worth showing.
        lines += [f".once {literal(os.devnull)}", f"{remote(set_path)};", *_macros(functions)]
    return "\n".join([*lines, ""])


def remote(statement: str) -> str:
    """A statement that runs a statement on the server.

    >>> print(remote("SELECT 'a'"))
    FROM server.query('SELECT ''a''')
    """
    return f"FROM {ATTACHED}.query({literal(statement)})"


def startup(own: str) -> str:
    """The script of a shell that is started for this: the user's own settings first."""
    settings = Path.home() / ".duckdbrc"
    return f".read {literal(str(settings))}\n{own}" if settings.is_file() else own


def _macros(functions: Iterable[Function]) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE TEMP MACRO {_VALUE}(v) AS "
        "'''' || replace(v::VARCHAR, '''', '''''') || '''::' || typeof(v);"
    )
    for function in functions:
        if not function.name.startswith("_"):
            yield _macro(function)


def _macro(function: Function) -> str:
    """A macro that has the server run the function of its name."""
    parameters = _parameters(function)
    own = ", ".join(identifier(p.name) + (" := NULL" if p.is_optional else "") for p in parameters)
    given = ", ".join(map(_written, parameters))
    begin = f"{'FROM' if is_table(function) else 'SELECT'} {function.name}("
    call = (
        f"FROM {ATTACHED}.query({literal(begin)} || concat_ws(', ', {given or literal('')}) || ')')"
    )
    body = f"TABLE {call}" if is_table(function) else f"({call})"
    return f"CREATE OR REPLACE TEMP MACRO {identifier(function.name)}({own}) AS {body};"


def _written(parameter: _Parameter) -> str:
    """How an argument is written in the call: nothing at all (NULL) for an option left out."""
    name = identifier(parameter.name)
    value = f"{name}::VARCHAR" if parameter.is_name else f"{_VALUE}({name})"
    if parameter.is_optional:
        return f"{literal(f'{name} := ')} || {value}"
    return f"coalesce({value}, 'NULL')"


def _parameters(function: Function) -> list[_Parameter]:
    match function:
        case SqlMacro():
            return list(_of_macro(function))
        case TableFunction():
            second = [function.second] if function.second else []
            second += REVIEWS if function.reviews else []
            named = ("tbl", *(each.name for each in function.columns if not each.is_optional))
            optional = [each.name for each in function.columns if each.is_optional]
            return [
                *(_Parameter(name, False, False) for name in function.arguments),
                *(_Parameter(name, False, True) for name in named),
                *(_Parameter(name, True, True) for name in (*optional, *second)),
                *(_Parameter(name, True, False) for name in function.options),
            ]
        case ListFunction():
            required = function.arguments
        case ScalarFunction():
            required = function.inputs
    return [
        *(_Parameter(name, False, False) for name in required),
        *(_Parameter(name, True, False) for name in function.options),
    ]


def _of_macro(macro: SqlMacro) -> Iterator[_Parameter]:
    """As its text has them: what stands for a table where it is left out is a table's name."""
    head = macro.sql.partition("(")[2].partition(") AS")[0]
    tables = set(_TABLE_UNLESS_GIVEN.findall(macro.sql))
    for written in head.split(","):
        name, optional, _ = (part.strip() for part in written.partition(":="))
        name = name.strip('"')
        is_name = name in tables if optional else is_table(macro)
        yield _Parameter(name, bool(optional), is_name)
