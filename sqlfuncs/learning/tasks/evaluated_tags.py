"""Predicted tags beside the true ones, as an engine counts them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.labels import kind_of
from sqlfuncs.statistics import tags as statistics


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate` that are about tags. A missing prediction is no tag.

    Raises NoUsableRows where no row has a true label, BadInput for predictions that are no lists.
    """
    count = counts.field(COUNT).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(count):
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    if kind_of(counts, "predicted") not in (tags.KIND, "null"):
        raise BadInput(
            "actual holds lists of tags, and predicted does not: name a column of lists, such as "
            "suggested_label or [predicted]."
        )
    actual = tags.read_lists(counts.field("actual"))
    known = np.array([each is not None for each in actual], dtype=bool)
    if not known.any():
        raise NoUsableRows(
            f"the true label is NULL in all {count.sum()} rows: there is nothing to evaluate. The "
            "arguments are (table, actual, predicted, ...)."
        )
    true = [each for each in actual if each is not None]
    predicted = tags.read_lists(counts.field("predicted"))
    said = [
        each or [] for each, is_known in zip(predicted, known.tolist(), strict=True) if is_known
    ]
    names = in_order({tag for each in (*true, *said) for tag in each})
    found = statistics.evaluate(tags.coded(true, names), tags.coded(said, names), count[known])
    return {name: pa.array([value]) for name, value in found.items()}
