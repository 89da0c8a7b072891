"""What a report needs of an engine, and what it is asked to be about. Types only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlfuncs.engines.base import ColumnType


@dataclass(frozen=True)
class Figure:
    """A result, and the SQL that made it. `rows` are by the names of the columns."""

    title: str
    answers: str
    sql: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """What a report is about: tables, columns, models. Empty text: there is none."""

    file: str  # the database's, without its folder
    table: str
    text: str
    label: str
    key: str
    x: str
    log: str = ""
    truth: str = ""
    test: str = ""
    test_key: str = ""
    test_log: str = ""
    why_no_test: str = ""
    model: str = "fast"
    base: str = "fast"


class Source(Protocol):
    """A database to report on. Nothing is written to it."""

    def columns(self, table: str) -> Mapping[str, ColumnType]:
        """The columns of a table and their types. Raises BadInput if there is no such table."""

    def check_keys(self, table: str, key: str) -> None:
        """Raise BadInput if a column does not name each row of a table."""

    def task(self, table: str, label: str, x: str, asked: str) -> str:
        """What the labels of a column are, beside the column `x`: the name of a task.

        `asked` is one, or 'auto'. Raises BadOption for a task that is not known, BadInput for a
        column that is no such label.
        """

    def run(self, name: str, given: Mapping[str, str]) -> Figure:
        """Run a SQL file of the report, which each engine has in SQL of its own.

        Parameters that it does not have are left out.
        """
