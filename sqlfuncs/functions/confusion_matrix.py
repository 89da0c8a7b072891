"""`confusion_matrix(tbl, actual, predicted)`: which class was predicted for which."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, CLASSES, TAGS, Column, CountFunction
from sqlfuncs.learning.tasks import registry


def confusion_matrix(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """How often each class was predicted for each true class: actual, predicted, n.

    Pairs that do not occur are there with 0. Missing predictions stand as a NULL class, if there
    are any. Errors: more than 5,000 different classes.

    Of lists of tags (VARCHAR[]) there is a row for each tag, in order: tag, true_positives,
    false_positives, false_negatives, true_negatives and n, their sum. A missing prediction has no
    tag. Numbers have no classes, and are refused.
    """
    return FUNCTION.result(registry.of_counts(counts, task).confusion_matrix(counts))


FUNCTION = CountFunction(
    name="confusion_matrix",
    compute=confusion_matrix,
    inputs=("actual", "predicted"),
    may_be_constant=("predicted",),
    told_by="actual",
    takes_tags=True,
    returns=(
        Column("actual", pa.string(), "the true class", only=CLASSES),
        Column(
            "predicted",
            pa.string(),
            "the predicted one; NULL for missing predictions",
            only=CLASSES,
        ),
        Column("tag", pa.string(), "the tag", only=TAGS),
        Column("true_positives", pa.int64(), "rows that have it and were said to", only=TAGS),
        Column("false_positives", pa.int64(), "rows that lack it and were said to", only=TAGS),
        Column("false_negatives", pa.int64(), "rows that have it and were not said to", only=TAGS),
        Column("true_negatives", pa.int64(), "rows that lack it and were not said to", only=TAGS),
        Column("n", pa.int64(), "rows"),
    ),
)
