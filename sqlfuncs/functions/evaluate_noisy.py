"""`evaluate_noisy(tbl, actual, predicted, reviewed_sample)`: accuracy where labels are noisy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import NoUsableRows
from sqlfuncs.functions.spec import Column, CountFunction
from sqlfuncs.learning.detection.comparing import compared
from sqlfuncs.learning.labels.compared import Compared
from sqlfuncs.statistics.noisy import Stratum, accuracies
from sqlfuncs.wording import Snippet


def evaluate_noisy(counts: pa.StructArray) -> pa.StructArray:
    """How good predictions are where the labels to compare with are wrong now and then.

    One row: `n`, `reviewed`, `accuracy_given` (by the labels as given), `accuracy` with its 95 %
    interval, as the true labels would show it, and `label_accuracy`, the share of given labels that
    are right, with its own. `reviewed_sample` is a column: the label that a person gave to rows
    drawn at random, NULL elsewhere. Where prediction and given label agree, and where they do not,
    the share that is right is taken from the reviewed rows (double sampling for stratification,
    Cochran 1977, chapter 12). Rows without a given label are left out; a NULL prediction is wrong.
    """
    found = compared(counts, "predicted", "reviewed_sample")
    strata = _strata(found)
    n, reviewed = (sum(getattr(each, of) for each in strata) for of in ("rows", "reviewed"))
    _refuse(found.rows, n, reviewed)
    accuracy, of_labels = accuracies(strata)
    values = {
        "n": n,
        "reviewed": reviewed,
        "accuracy_given": sum(each.rows for each in strata if each.agrees) / n,
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "label_accuracy": of_labels.value,
        "label_accuracy_low": of_labels.low,
        "label_accuracy_high": of_labels.high,
    }
    return FUNCTION.result({c.name: pa.array([values[c.name]], c.type) for c in FUNCTION.returns})


def _strata(found: Compared) -> list[Stratum]:
    """Those that have rows."""
    known, count = found.is_known, found.count
    agree = np.array([a == p for a, p in zip(found.actual, found.predicted, strict=True)], bool)
    is_seen = np.array([is_other is not None for is_other in found.is_other], bool)
    given_right = np.array([bool(is_other) for is_other in found.is_other], bool)
    predicted_right = np.array([bool(says) for says in found.says_other], bool)
    strata = []
    for agrees in (True, False):
        rows = known & (agree == agrees)
        if rows.any():
            masks = (rows, rows & is_seen, rows & predicted_right, rows & given_right)
            strata.append(Stratum(agrees, *(int(count[mask].sum()) for mask in masks)))
    return strata


def _refuse(rows: int, given: int, reviewed: int) -> None:
    if not rows:
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    if not given:
        raise NoUsableRows(
            f"the label is NULL in all {rows} rows: there is nothing to evaluate. "
            "The arguments are (table, actual, predicted, reviewed_sample)."
        )
    if not reviewed:
        raise NoUsableRows(
            f"no row has been reviewed: reviewed_sample is NULL in all {given} rows that have a "
            f"label. Look at some rows drawn at random, {Snippet('rows drawn at random')}, and put "
            "what their label should be into that column; evaluate takes labels as they are."
        )


FUNCTION = CountFunction(
    name="evaluate_noisy",
    compute=evaluate_noisy,
    inputs=("actual", "predicted", "reviewed_sample"),
    may_be_constant=("predicted",),
    returns=(
        Column("n", pa.int64(), "rows that have a given label"),
        Column("reviewed", pa.int64(), "of these, rows whose true label was looked up"),
        Column("accuracy_given", pa.float64(), "of predictions, by the labels as given"),
        Column("accuracy", pa.float64(), "as the true labels would show it"),
        Column("accuracy_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("accuracy_high", pa.float64(), "the upper end"),
        Column("label_accuracy", pa.float64(), "the share of given labels that are right"),
        Column("label_accuracy_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("label_accuracy_high", pa.float64(), "the upper end"),
    ),
)
