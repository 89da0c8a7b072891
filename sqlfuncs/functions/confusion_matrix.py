"""`confusion_matrix(tbl, actual, predicted)`: which class was predicted for which."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import Column, CountFunction
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import evaluation


def confusion_matrix(counts: pa.StructArray) -> pa.StructArray:
    """How often each class was predicted for each true class: actual, predicted, n.

    Pairs that do not occur are there with 0. Missing predictions stand as a NULL class, if there
    are any.
    """
    rows, columns, matrix = evaluation.confusion_matrix(*compared(counts, "predicted").known())
    return FUNCTION.result(
        {
            "actual": pa.array([row for row in rows for _ in columns], pa.string()),
            "predicted": pa.array([*columns] * len(rows), pa.string()),
            "n": pa.array(matrix.ravel()),
        }
    )


FUNCTION = CountFunction(
    name="confusion_matrix",
    compute=confusion_matrix,
    inputs=("actual", "predicted"),
    may_be_constant=("predicted",),
    returns=(
        Column("actual", pa.string(), "the true class"),
        Column("predicted", pa.string(), "the predicted one; NULL for missing predictions"),
        Column("n", pa.int64(), "rows"),
    ),
)
