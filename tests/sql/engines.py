"""The engines that the cases of this folder run on, and what each of them cannot do yet.

An engine declares itself here: how it is opened, and its gaps, each with a reason. A case that is
a gap has to fail: once it passes, the test fails until the gap is taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import duckdb

import sqlfuncs
from tests.spark import sessions


class Session(Protocol):
    """An engine at work. The cases are written in DuckDB's SQL: others translate it here."""

    error: tuple[type[Exception], ...]  # what its statements fail with

    def statements(self, sql: str) -> list[str]:
        """The statements of a case, each by itself."""

    def run(self, statement: str) -> None:
        """Run one for what it makes."""

    def worded(self, message: str) -> str:
        """Part of a message, in this engine's words."""

    def rows(self, statement: str) -> tuple[str, ...]:
        """Its rows in their order, values as DuckDB casts them to text, ` | ` between them."""


@dataclass(frozen=True, eq=False)
class Declared:
    """An engine; `gaps` are reasons by the titles of cases, `file: title`.

    `missing` is why it is not on this machine, if it is not.
    """

    name: str
    opened: Callable[[], AbstractContextManager[Session]]
    gaps: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


class _DuckDB:
    error: tuple[type[Exception], ...] = (duckdb.Error,)

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def statements(self, sql: str) -> list[str]:
        return [statement.query for statement in self._con.extract_statements(sql)]

    def run(self, statement: str) -> None:
        self._con.execute(statement)

    def worded(self, message: str) -> str:
        return message

    def rows(self, statement: str) -> tuple[str, ...]:
        result = self._con.query(statement)
        if result is None:
            return ()
        shown = result.project("coalesce(CAST(COLUMNS(*) AS VARCHAR), 'NULL')").fetchall()
        return tuple(" | ".join(row).replace("\n", "\\n").strip() for row in shown)


@contextmanager
def _duckdb() -> Iterator[Session]:
    with sqlfuncs.connect() as con:
        yield _DuckDB(con)


def _spark() -> AbstractContextManager[Session]:
    from tests.spark.cases import opened

    return opened()


_SPARK_GAPS: Mapping[str, str] = {}
# DuckDB of this environment: the Makefile runs the cases on the oldest and on the newest.
ENGINES = (
    Declared("duckdb", _duckdb),
    Declared(
        "spark",
        _spark,
        gaps=_SPARK_GAPS,
        missing="" if sessions.IS_THERE else "needs Spark (make test-spark)",
    ),
)
