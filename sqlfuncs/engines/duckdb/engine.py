"""DuckDB as an engine among others. Loads DuckDB when first needed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlfuncs.engines.base import ColumnType, Kind
from sqlfuncs.engines.duckdb.dialect import DIALECT

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


class DuckDB:
    """See `sqlfuncs.engines.base.Engine`."""

    name = "duckdb"
    dialect = DIALECT

    def owns(self, con: object) -> bool:
        """See `Engine`."""
        duckdb = sys.modules.get("duckdb")  # who has a connection of its has loaded it
        return duckdb is not None and isinstance(con, duckdb.DuckDBPyConnection)

    def connect(self, path: str | Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """See `Engine`."""
        from sqlfuncs.engines.duckdb.connection import connect

        return connect(path, read_only=read_only)

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """See `Engine`."""
        from sqlfuncs.engines.duckdb.connection import register

        register(con)

    def columns(self, con: duckdb.DuckDBPyConnection, table: str) -> Mapping[str, ColumnType]:
        """See `Engine`."""
        from sqlfuncs.engines.duckdb import catalog

        found = catalog.columns(con, table)
        return {name: ColumnType(_kind(written), written) for name, written in found.items()}


def _kind(written: str) -> Kind:
    """What a type of DuckDB's is.

    >>> _kind("VARCHAR").name, _kind("FLOAT[]").name, _kind("FLOAT[3]").name, _kind("DATE").name
    ('TEXT', 'LIST', 'LIST', 'OTHER')
    """
    if written.endswith("]"):
        return Kind.LIST
    return {"VARCHAR": Kind.TEXT, "BLOB": Kind.BYTES}.get(written, Kind.OTHER)


ENGINE = DuckDB()
