"""Spark SQL as an engine among others. Loads pyspark when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlfuncs.engines.base import ColumnType, Kind
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.errors import CannotRegister

if TYPE_CHECKING:
    from pathlib import Path


class Spark:
    """See `sqlfuncs.engines.base.Engine`. Its connections are sessions, classic or of Connect."""

    name = "spark"
    dialect = DIALECT

    def owns(self, con: object) -> bool:
        """See `Engine`."""
        kind = type(con)
        return kind.__name__ == "SparkSession" and kind.__module__.startswith("pyspark.sql")

    def connect(self, path: str | Path, *, read_only: bool) -> Any:
        """The session of a Spark Connect server, `sc://host:port`."""
        from sqlfuncs.engines.spark.connecting import connect

        if read_only:
            raise CannotRegister("Spark has no connections that only read: its rights say that.")
        return connect(str(path))

    def register(self, con: Any) -> None:
        """See `Engine`."""
        from sqlfuncs.engines.spark.session import register

        register(con)

    def columns(self, con: Any, table: str) -> Mapping[str, ColumnType]:
        """See `Engine`."""
        from sqlfuncs.engines.spark import running

        with running.in_our_words():
            found = con.table(table).dtypes
        return {name: ColumnType(_kind(written), written.upper()) for name, written in found}


def _kind(written: str) -> Kind:
    """What a type of Spark's is.

    >>> _kind("string").name, _kind("array<float>").name, _kind("date").name
    ('TEXT', 'LIST', 'OTHER')
    """
    if written.startswith("array"):
        return Kind.LIST
    return {"string": Kind.TEXT, "binary": Kind.BYTES}.get(written, Kind.OTHER)


ENGINE = Spark()
