"""Predicted classes beside the true ones, as an engine counts them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import NoUsableRows, TooManyClasses
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.statistics import comparison, evaluation
from sqlfuncs.statistics.evaluation import ClassCounts
from sqlfuncs.statistics.noisy import Agreement

_MOST_CLASSES = 5_000  # 25 million pairs


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate`."""
    found = evaluation.evaluate(*compared(counts, "predicted").known())
    return {name: pa.array([value]) for name, value in asdict(found).items()}


def report(counts: pa.StructArray) -> ClassCounts:
    """The counts of each class."""
    return evaluation.class_counts(*compared(counts, "predicted").known())


def confusion_matrix(counts: pa.StructArray) -> dict[str, pa.Array]:
    """Those of `confusion_matrix`: each pair of classes. Raises TooManyClasses."""
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
    return {
        "actual": pa.array(rows, pa.string()).take(pa.array(places // len(columns))),
        "predicted": pa.array(columns, pa.string()).take(pa.array(places % len(columns))),
        "n": pa.array(matrix.ravel()),
    }


def agreement(counts: pa.StructArray) -> Agreement:
    """Of `evaluate_noisy`. Raises NoUsableRows where there is no label."""
    found = compared(counts, "predicted", "reviewed_sample")
    known = found.is_known
    if not found.rows:
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    if not known.any():
        raise NoUsableRows(
            f"the label is NULL in all {found.rows} rows: there is nothing to evaluate. "
            "The arguments are (table, actual, predicted, reviewed_sample)."
        )
    agrees = [a == p for a, p in zip(found.actual, found.predicted, strict=True)]
    is_seen = [is_other is not None for is_other in found.is_other]
    rows = (agrees, is_seen, map(bool, found.says_other), map(bool, found.is_other))
    return Agreement(found.count[known], *(np.array([*each], bool)[known] for each in rows))


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
