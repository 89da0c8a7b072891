"""`evaluate(tbl, actual, predicted)`: how well predictions agree with the true labels."""

from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa

from sqlfuncs.functions.spec import Column, CountFunction
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import evaluation


def evaluate(counts: pa.StructArray) -> pa.StructArray:
    """How well predictions agree with the true labels, in one row.

    `n`, `correct`, `accuracy` with its 95 % Wilson interval, `macro_f1` and `weighted_f1`. Rows
    without a true label are left out; a NULL prediction is a wrong one.
    """
    found = evaluation.evaluate(*compared(counts, "predicted").known())
    return FUNCTION.result({name: pa.array([value]) for name, value in asdict(found).items()})


FUNCTION = CountFunction(
    name="evaluate",
    compute=evaluate,
    inputs=("actual", "predicted"),
    may_be_constant=("predicted",),
    returns=(
        Column("n", pa.int64(), "rows that have a true label"),
        Column("correct", pa.int64(), "of these, how many predictions are right"),
        Column("accuracy", pa.float64(), "their share"),
        Column("accuracy_low", pa.float64(), "the lower end of its 95 % Wilson interval"),
        Column("accuracy_high", pa.float64(), "the upper end"),
        Column("macro_f1", pa.float64(), "the mean F1 of the classes"),
        Column("weighted_f1", pa.float64(), "the same, weighted by how common they are"),
    ),
)
