"""What the labels of a table are, found out before any is judged: their kind, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.labels import any_kind_of, kind_of, labels_of, text_of
from sqlfuncs.functions.spec import AUTO
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.labels import KIND
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Task

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class GivenLabels:
    """The `rows` of a table, those without a label among them, and of what task its labels are.

    `counts` are the rows of each label, by its text; of lists there are none.
    """

    task: type[Task]
    counts: Mapping[str, int]
    rows: int


def read(df: DataFrame, call: Call) -> GivenLabels:
    """The labels that a call on a table names. Runs a job.

    Raises BadInput for what is no label, and BadOption for an unknown task before any job.
    """
    label, task = str(call.columns["label"]), str(call.options.get("task") or AUTO)
    schema = frames.schema_of(df, call.read)
    of, x = schema.field(label).type, call.type_of("x", schema)
    kind = any_kind_of(of, x) or kind_of(label, of)
    field = pa.field("label", pa.string(), metadata={KIND: kind})
    if pa.types.is_nested(of):  # its type alone says what it is
        none = [pa.nulls(0, x), pa.nulls(0, field.type)]
        nothing = pa.StructArray.from_arrays(none, fields=[pa.field("x", x), field])
        found = registry.of_labels(nothing, task=task)
        return GivenLabels(found, {}, running.run(df.sparkSession, df.count))
    table = running.collected(df.groupBy(DIALECT.identifier(label)).count())
    column, count = (each.combine_chunks() for each in table.columns)
    rows = count.to_pylist()
    counts: dict[str, int] = {}
    for text, times in zip(labels_of(column, label).texts.to_pylist(), rows, strict=True):
        if text is not None:
            counts[text] = counts.get(text, 0) + times
    counted = [text_of(column), count]
    both = pa.StructArray.from_arrays(counted, fields=[field, pa.field(COUNT, count.type)])
    return GivenLabels(registry.of_counts(both, task, "label"), counts, sum(rows))
