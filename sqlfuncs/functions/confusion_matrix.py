"""`confusion_matrix(tbl, actual, predicted)`: which class was predicted for which."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import TooManyClasses
from sqlfuncs.functions.spec import Column, CountFunction
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import evaluation

_MOST_CLASSES = 5_000  # 25 million pairs


def confusion_matrix(counts: pa.StructArray) -> pa.StructArray:
    """How often each class was predicted for each true class: actual, predicted, n.

    Pairs that do not occur are there with 0. Missing predictions stand as a NULL class, if there
    are any. Errors: more than 5,000 different classes.
    """
    known = compared(counts, "predicted").known()
    different = len({*known[0], *known[1]})
    if different > _MOST_CLASSES:
        raise TooManyClasses(
            f"actual and predicted have {different:,} different values, and a confusion matrix has "
            f"a row for each pair; at most {_MOST_CLASSES:,} are shown. Are these the right "
            "columns? class_report has a row for each class."
        )
    rows, columns, matrix = evaluation.confusion_matrix(*known)
    places = np.arange(matrix.size)
    return FUNCTION.result(
        {
            "actual": pa.array(rows, pa.string()).take(pa.array(places // len(columns))),
            "predicted": pa.array(columns, pa.string()).take(pa.array(places % len(columns))),
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
