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


_SPARK_GAPS: Mapping[str, str] = {
    title: reason
    for reason, titles in {
        "what is no column is made one before": (
            "label_issues: fields without names, and odd ones",
            "label_issues: a vote that is the label",
        ),
        "no ENUM in Spark": (
            "label_issues: ENUM labels get suggestions of the ENUM",
            "label_health: ENUM labels",
            "consensus: items that are DATE, labels of an ENUM",
        ),
        "no UUID in Spark": ("consensus: items that are UUID, labels that are BOOLEAN",),
        "no INTERVAL of DuckDB's kind in Arrow for Spark": (
            "label_issues: fields of every kind, NULLs among them",
        ),
        "columns are named by texts, and what is no column is told in other words": (
            "label_issues: the label in quotes",
            "label_issues: an unknown option",
            "label_issues: an unknown column",
            "label_issues: a number instead of x",
            "label_issues: NULL instead of the label",
            "evaluate_noisy: an unknown column",
            "evaluate_noisy: an argument too few",
            "evaluate_noisy: a column in quotes",
            "evaluate: an unknown column",
            "evaluate: an argument too few",
            "consensus: a column in quotes",
            "apply_corrections: the label in quotes",
            "apply_corrections: the label as an expression",
            "apply_corrections: an unknown column",
        ),
        "what to type is written in Spark's SQL": (
            "outliers: class probabilities are refused",
            "label_issues: a column that is already called label_quality",
            "label_issues: models are not trained on fields or images",
            "evaluate_noisy: nothing was reviewed",
            "consensus: an annotator who gave one item two labels",
        ),
        "as a function of a row: tests/spark/test_sql.py compares it": (
            "label_quality: the three methods",
            "label_quality: probabilities that are no map",
            "label_quality: labels of other types",
            "label_quality: an unknown method",
            "label_quality: a map that lacks the label, holds NaN, is NULL or empty",
            "label_set: until the labels have more than the threshold together",
            "label_set: probabilities that are none",
            "suggest_label: it has the type of the label",
            "suggest_label: the most likely label, unless the given one ties with it",
        ),
    }.items()
    for title in titles
}
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
