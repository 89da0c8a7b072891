"""DuckDB, the only engine so far. This folder is the only place that imports duckdb."""

from sqlfuncs.engines.duckdb.connection import connect, register

__all__ = ["connect", "register"]
