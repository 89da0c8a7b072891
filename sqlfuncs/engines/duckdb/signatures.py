"""What an analyst can call, and what it takes, as DuckDB's catalog knows it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from sqlfuncs.engines.duckdb.connection import CATALOG


@dataclass(frozen=True)
class Signature:
    """A function's name and its parameters, in order; options are among them.

    >>> str(Signature("evaluate", ("tbl", "actual", "predicted"), is_table=True))
    'evaluate(tbl, actual, predicted)'
    """

    name: str
    parameters: tuple[str, ...]
    is_table: bool

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


def signatures(con: duckdb.DuckDBPyConnection) -> list[Signature]:
    """Of all our functions that are registered, by name."""
    rows = con.execute(
        "SELECT function_name, parameters, function_type FROM system.main.duckdb_functions() "
        "WHERE database_name = $1 ORDER BY ALL",
        [CATALOG],
    ).fetchall()
    return [
        Signature(name, tuple(own), kind == "table_macro")
        for name, own, kind in rows
        if name[0] != "_"
    ]
