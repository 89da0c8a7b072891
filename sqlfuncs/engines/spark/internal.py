"""Functions of ours that query files call, on tables of Spark's: what they read is small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlfuncs.engines.duckdb import embedded_logs
from sqlfuncs.engines.spark import calls, frames, running, signatures
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Names, and how many tables they take. All read a decision log, the
# last table, but for _candidates, which reads a result of label_issues.
NAMES: Mapping[str, int] = {"_candidates": 1, "_sf_log": 1, "_sf_log_of": 2, "_sf_now": 1}
_CANDIDATES = "_candidates"


def made(name: str, tables: Sequence[DataFrame], columns: Sequence[str]) -> DataFrame:
    """What a function says of a decision log. Of the table that it is about, types alone count."""
    if name == _CANDIDATES:
        return _candidates(tables[0], columns)
    *about, log = tables
    types = [frames.schema_of(df, columns).empty_table() for df in about]
    rows = embedded_logs.said(name, types, running.collected(log), columns, DIALECT)
    return frames.from_arrow(log.sparkSession, rows)


def _candidates(issues: DataFrame, columns: Sequence[str]) -> DataFrame:
    there = issues.columns
    called = signatures.internal(_CANDIDATES)
    given = dict(zip(called.columns, columns, strict=True))
    call = Call(called, calls.columns(called, given, there))
    own = call.refuse_mistakes(there, frames.schema_of(issues, call.read))
    frames.refuse_many(running.run(issues.sparkSession, issues.count), "review_queue")
    return frames.in_one_task(issues, call, own)
