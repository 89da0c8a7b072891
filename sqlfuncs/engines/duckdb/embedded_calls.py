"""Calls of functions written in DuckDB's SQL, for engines that have DuckDB as a library. Pure text.

What they name is given: a table goes by the name `TABLE`, further ones by `view`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.errors import BadOption

TABLE = "input"
NUMBER = "number of the row"  # the column by which rows are put back into their order
# auto_corrections that learns what noise is like from some of the rows: its column `drawn`.
SAMPLED_CORRECTIONS = "sqlfuncs.main._sf_auto_corrections"
Named = str | Sequence[str] | None  # a column, several, or none


def view(parameter: str) -> str:
    """The name under which a further table is registered, by its parameter."""
    return f"other_{parameter}"


def query(
    function: str,
    *,
    arguments: Sequence[object] = (),
    tables: Sequence[str] = (),
    columns: Sequence[Named] = (),
    named_columns: Mapping[str, Named],
    named_tables: Sequence[str] = (),
    options: Mapping[str, object],
    selected: Sequence[str] = (),
    in_order: bool = False,
) -> str:
    """A call of a function of a table: what is given by place, then what is given by name.

    `tables` and `named_tables` are parameters. Raises BadOption for a value that has no literal.

    >>> print(query("audit", columns=["x y", "label"], named_columns={}, options={"k": 3}))
    SELECT * FROM audit(input, "x y", "label", "k" := 3)
    """
    given = [
        *map(literal, arguments),
        TABLE,
        *map(view, tables),
        *map(_column, columns),
        *(f"{identifier(name)} := {_column(value)}" for name, value in named_columns.items()),
        *(f"{identifier(name)} := {view(name)}" for name in named_tables),
        *(f"{identifier(name)} := {_option(name, value)}" for name, value in options.items()),
    ]
    order = f" ORDER BY {identifier(NUMBER)}" if in_order else ""
    return f"SELECT {_all(selected)} FROM {function}({', '.join(given)}){order}"


def _all(selected: Sequence[str]) -> str:
    return ", ".join(map(identifier, selected)) or "*"


def _column(named: Named) -> str:
    if named is None:
        return "NULL"
    if isinstance(named, str):
        return identifier(named)
    return f"[{', '.join(map(identifier, named))}]"


def _option(name: str, value: object) -> str:
    if isinstance(value, date):  # or a moment, with its zone
        value = str(value)
    try:
        return literal(value)
    except (TypeError, ValueError) as error:
        raise BadOption(f"{name}: {error}") from None
