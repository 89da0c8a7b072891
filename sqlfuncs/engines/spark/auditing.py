"""audit of tables of any size: labels judged row by row, rows compared within cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs.engines.spark import frames, given_labels, judging, near_duplicates, outliers, points
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.signatures import signature

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def audit(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """All columns of a table and those of audit. Runs jobs, the last but for the result.

    Raises as label_issues, and BadInput for rows that cannot be compared.
    """
    labels = given_labels.read(df, call)
    if judging.is_held(df, call, labels, frames.MOST_ROWS):
        return frames.in_one_task(df, call, own)
    record, files = judging.learned(df, call, labels.counts)
    table = points.compared(df, call)
    options = {**call.signature.options, **call.options}
    k = int(str(options["k"]))
    (reason,) = frames.free_names([*df.columns, *own.names], "reason")
    far, near = (
        pa.schema([*(own.field(name) for name in _own(function)), (reason, pa.string())])
        for function in ("outliers", "near_duplicates")
    )
    threshold = float(str(options["outlier_threshold"]))
    compared = outliers.by_cells(table, k, threshold, far).drop(reason)
    threshold = float(str(options["near_duplicate_threshold"]))
    table = replace(table, more=compared)
    compared = near_duplicates.by_cells(table, k, threshold, near).drop(reason)
    of_label = pa.schema([each for each in own if each.name not in compared.columns])
    found = judging.judged(compared, call, record, files, of_label)
    return found.select(*map(frames.column, [*df.columns, *own.names]))


def _own(name: str) -> list[str]:
    """The columns that a function of rows adds, but for the reason why it could not."""
    return [each for each in signature(name).adds if each != "not_judged"]
