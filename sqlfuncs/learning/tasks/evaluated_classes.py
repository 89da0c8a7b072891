"""Predicted classes beside the true ones, as an engine counts them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import NoUsableRows
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import comparison, evaluation
from sqlfuncs.statistics.evaluation import ClassCounts


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate`."""
    found = evaluation.evaluate(*compared(counts, "predicted").known())
    return {name: pa.array([value]) for name, value in asdict(found).items()}


def report(counts: pa.StructArray) -> ClassCounts:
    """The counts of each class."""
    return evaluation.class_counts(*compared(counts, "predicted").known())


def compare(counts: pa.StructArray) -> dict[str, pa.Array]:
    """Those of `compare_models`."""
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
    return {name: pa.array([value]) for name, value in values.items()}
