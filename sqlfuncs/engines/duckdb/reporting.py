"""Running a report's SQL files in DuckDB. Reads the tables, writes to none."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterator, Mapping

import duckdb

from sqlfuncs.engines.base import ColumnType
from sqlfuncs.engines.duckdb import catalog
from sqlfuncs.engines.duckdb.builtins import unshadowed
from sqlfuncs.engines.duckdb.engine import ENGINE
from sqlfuncs.engines.duckdb.labelled import task_of
from sqlfuncs.engines.duckdb.quoting import QUOTING
from sqlfuncs.engines.duckdb.statements import texts
from sqlfuncs.engines.results import Result, Rows
from sqlfuncs.errors import InternalError
from sqlfuncs.queries.header import QueryFile, parse
from sqlfuncs.queries.render import render
from sqlfuncs.report.source import Figure


class ReportedDatabase:
    """See `sqlfuncs.report.source.Source`. `run` runs statements, as `statements.run` does."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        run: Callable[[duckdb.DuckDBPyConnection, str], Iterator[Result[Rows]]],
    ) -> None:
        self._con, self._statements = con, run

    def columns(self, table: str) -> Mapping[str, ColumnType]:
        """See `Source`."""
        return ENGINE.columns(self._con, table)

    def check_keys(self, table: str, key: str) -> None:
        """See `Source`."""
        catalog.check_keys(self._con, table, key)

    def task(self, table: str, label: str, x: str, asked: str) -> str:
        """See `Source`."""
        return task_of(self._con, table, label, x, asked).name

    def run(self, name: str, given: Mapping[str, str]) -> Figure:
        """See `Source`. The last result of a file is what it shows."""
        file = _file(name)
        known = {parameter.name for parameter in file.parameters}
        sql = render(file, {k: v for k, v in given.items() if k in known}, QUOTING)
        shown: Result[Rows] | None = None
        for statement in texts(
            unshadowed(self._con, sql)
        ):  # each by itself: nobody has typed a fourth statement of five
            for result in self._statements(self._con, statement):
                shown = result if result.columns else shown
        if shown is None:
            raise InternalError(f"{name}.sql shows nothing")
        rows = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
        return Figure(file.title, file.answers, sql, shown.columns, rows)


def _file(name: str) -> QueryFile:
    folder = importlib.resources.files("sqlfuncs.engines.duckdb") / "report"
    return parse(name, (folder / f"{name}.sql").read_text(encoding="utf-8"))
