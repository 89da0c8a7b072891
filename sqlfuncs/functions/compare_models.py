"""`compare_models(tbl, actual, before, after)`: two predictions of the same rows."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import NoUsableRows
from sqlfuncs.functions.spec import Column, CountFunction
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import comparison


def compare_models(counts: pa.StructArray) -> pa.StructArray:
    """Two predictions of the same rows against the truth, in one row.

    `n`, `accuracy_before`, `accuracy_after`, `difference` (after minus before) with its 95 %
    interval (Newcombe 1998, paired, method 10), `error_reduction` (share of the errors that are
    gone), how many rows only one of them has right, and the exact two-sided McNemar `p_value`.
    """
    found = compared(counts, "before", "after")
    known = found.is_known
    if not known.any():
        raise NoUsableRows(
            "no row has a true label: there is nothing to compare. The arguments are "
            "(table, actual, before, after)."
        )
    before = np.array([a == b for a, b in zip(found.actual, found.predicted, strict=True)])
    after = np.array([bool(is_other) for is_other in found.is_other])
    rows = [
        int(found.count[known & (before == b) & (after == a)].sum())
        for b, a in ((True, True), (True, False), (False, True), (False, False))
    ]
    values = asdict(comparison.compare(*rows))
    return FUNCTION.result({c.name: pa.array([values[c.name]], c.type) for c in FUNCTION.returns})


FUNCTION = CountFunction(
    name="compare_models",
    compute=compare_models,
    inputs=("actual", "before", "after"),
    may_be_constant=("before", "after"),
    returns=(
        Column("n", pa.int64(), "rows that have a true label"),
        Column("accuracy_before", pa.float64(), "of the first predictions"),
        Column("accuracy_after", pa.float64(), "of the second"),
        Column("difference", pa.float64(), "after minus before"),
        Column("difference_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("difference_high", pa.float64(), "the upper end"),
        Column("error_reduction", pa.float64(), "the share of the errors that are gone"),
        Column("only_before_right", pa.int64(), "rows that only the first has right"),
        Column("only_after_right", pa.int64(), "rows that only the second has right"),
        Column("p_value", pa.float64(), "McNemar's, exact and two-sided"),
    ),
)
