"""The rows of a table that a model can be trained on, their labels, and how much each counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.rows.base import Reasons, Rows, describe, is_usable
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.wording import TypeName

_LEAST_WEIGHT = 1e-30  # less is nothing in single precision


def to_train_on(rows: pa.StructArray, task: str) -> tuple[str, Rows, list[str], RowWeights | None]:
    """Those of `rows` (fields x, label, weights, drop) that can be used. Says what is left out.

    First comes what their labels are: `task`, unless that is 'auto'. Raises NoUsableRows, BadInput
    for an x that is neither text nor embedding, and BadOption for weights or drop that are none.
    """
    if not len(rows):
        raise NoUsableRows("the table has no rows: there is nothing to train on.")
    of = tasks.of_labels(rows, task=task)
    labels, no_label = of.to_learn(rows)
    values = of.beside(rows.field("x"))
    reasons = values.reasons.copy()
    reasons = np.where(is_usable(no_label), reasons, no_label)
    weights = _weights(rows.field("weights"), reasons)
    reasons[_dropped(rows.field("drop"))] = "drop is true"
    usable = is_usable(reasons)
    if weights is not None and usable.any() and weights[usable].max() < _LEAST_WEIGHT:
        raise BadOption(
            "weights is 0, or too small to count, in every row that can be used: no row would "
            "teach anything. It is a column of numbers of which some are above 1e-30."
        )
    if not usable.any():
        raise NoUsableRows(f"no row can be trained on: {describe(reasons)}.")
    if not usable.all():
        work.say(f"left out of training: {describe(reasons)}")
    return (
        of.name,
        values.take(usable),
        [
            each
            for each, use in zip(labels, usable.tolist(), strict=True)
            if use and each is not None
        ],
        None if weights is None else weights[usable],
    )


def to_test_on(rows: pa.StructArray, task: str) -> Rows:
    """What of a table (field x) a model of a task is tested on. Raises NoUsableRows, BadInput."""
    values = tasks.named(task).beside(rows.field("x"))
    usable = is_usable(values.reasons)
    if not usable.any():
        raise NoUsableRows(
            f"no row of the table to test on can be used: {describe(values.reasons)}. Its "
            "columns have to be called like those of the table to train on."
        )
    return values.take(usable)


def _weights(given: pa.Array, reasons: Reasons) -> RowWeights | None:
    """How much each row counts; one without a weight is left out, and `reasons` says so."""
    if pa.types.is_null(given.type):
        return None
    if not (
        pa.types.is_integer(given.type)
        or pa.types.is_floating(given.type)
        or pa.types.is_decimal(given.type)
    ):
        raise BadOption(
            f"weights is of type {TypeName(given.type)}. It is a column of numbers, 0 or "
            "more, such as label_quality of a label_issues result."
        )
    weights: RowWeights = given.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)
    reasons[np.isnan(weights)] = "weights is NULL"
    wrong = weights[~np.isnan(weights) & ~((weights >= 0) & (weights < np.inf))]
    if len(wrong):
        raise BadOption(f"weights has to be 0 or more in every row, not {wrong[0]:g}.")
    return weights


def _dropped(given: pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows are to be left out."""
    if pa.types.is_null(given.type):
        return np.zeros(len(given), dtype=bool)
    if not pa.types.is_boolean(given.type):
        raise BadOption(
            f"drop is of type {TypeName(given.type)}. It is a column that is true where "
            "a row is to be left out, such as is_label_issue of a label_issues result."
        )
    dropped: npt.NDArray[np.bool_] = given.fill_null(False).to_numpy(zero_copy_only=False)
    return dropped
