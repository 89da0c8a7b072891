"""Internal: what the labels of a table are, for the query file decide."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, Column, CountFunction
from sqlfuncs.learning.tasks import registry


def task_of_labels(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """The name of the task that labels are of, where nobody says beside what they stand."""
    found = registry.of_counts_alone(counts, task)
    return FUNCTION.result({"task": pa.array([found.name])})


FUNCTION = CountFunction(
    name="_task_of_labels",
    compute=task_of_labels,
    inputs=("label",),
    takes_tags=True,
    returns=(Column("task", pa.string(), "its name"),),
)
