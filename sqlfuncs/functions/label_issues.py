"""`label_issues(tbl, x, label)`: which labels of a table are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning import classes as class_order
from sqlfuncs.learning import confident, inputs
from sqlfuncs.learning.out_of_sample import out_of_sample_probabilities, prepare, take

MODELS = ("fast",)


@dataclass(frozen=True)
class Judged:
    """What is known of each row. Where `reasons` has one, the row was not judged."""

    classes: tuple[str, ...]
    codes: class_order.Codes
    probs: inputs.Floats
    reasons: inputs.Reasons

    @property
    def rows(self) -> npt.NDArray[np.bool_]:
        """Which rows were judged."""
        return inputs.usable(self.reasons)


def label_issues(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "self_confidence",
    folds: int = 5,
    seed: int = 0,
) -> pa.StructArray:
    """Which labels of a table are probably wrong, and what they should be.

    Every row of the table comes back with `label_quality` (high is good: 0 worst, 1 best),
    `is_label_issue`, `suggested_label` and `suggested_confidence` (NULL unless flagged),
    `predicted_label`, `class_probs` (out of sample) and `not_judged` (why a row could not
    be judged; else NULL).

    `x` is what a row is: text (VARCHAR), an embedding (FLOAT[]), several fields (a STRUCT), an
    image (BLOB, or text that is paths of image files) or your own out-of-sample class
    probabilities (MAP(VARCHAR, DOUBLE)). Unless it is the last, rows are cut into `folds` parts,
    twice, and each row is judged by the models that did not see its part. The result does not
    depend on the order of the rows or on the number of threads.

    `cut` says how many rows are flagged: 'auto', or a filter of cleanlab ('both',
    'confident_learning', 'low_normalized_margin', 'low_self_confidence',
    'predicted_neq_given', 'prune_by_class', 'prune_by_noise_rate'). `method` is the score:
    'self_confidence', 'normalized_margin' or 'confidence_weighted_entropy'.

    Errors: fewer than two classes, no row that can be judged, a column of the table that is
    called like one of the result's.
    """
    if cut not in confident.CUTS:
        raise BadOption.among("cut", cut, confident.CUTS)
    if method not in confident.METHODS:
        raise BadOption.among("method", method, confident.METHODS)
    if model not in MODELS:
        raise BadOption.among("model", model, MODELS)
    if folds < 2:
        raise BadOption(f"folds := {folds} is too few. It has to be 2 or more.")
    judged = _judge(rows.field("x"), rows.field("label").to_pylist(), folds=folds, seed=seed)
    return _columns(judged, cut, method)


def _judge(x: pa.Array, labels: Sequence[str | None], *, folds: int, seed: int) -> Judged:
    if len(labels) == 0:
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    rows = inputs.read_column(x)
    reasons = rows.reasons.copy()
    reasons[[label is None for label in labels]] = "the label is NULL"
    _refuse_unusable(labels, reasons)
    if isinstance(rows, inputs.Probabilities):
        classes = rows.classes
        codes = class_order.codes(labels, classes)
        probs = rows.values
        named = (codes >= 0) & rows.has[np.arange(len(codes)), codes]
        for row in np.flatnonzero(inputs.usable(reasons) & ~named).tolist():
            reasons[row] = f"the probabilities have no class '{labels[row]}'"
    else:
        usable = inputs.usable(reasons)
        given = [
            label for label, use in zip(labels, usable, strict=True) if use and label is not None
        ]
        classes = class_order.in_order(given)
        codes = class_order.codes(labels, classes)
        probs = np.full((len(labels), len(classes)), np.nan)
        prepared = prepare(take(rows, usable), codes[usable], len(classes))
        probs[usable], reasons[usable] = out_of_sample_probabilities(
            prepared, folds=folds, seed=seed
        )
    _refuse_unusable(labels, reasons)
    return Judged(classes, codes, probs, reasons)


def _refuse_unusable(labels: Sequence[str | None], reasons: inputs.Reasons) -> None:
    """Raise unless some rows can be judged, and those have two classes or more."""
    usable = {label for label, why in zip(labels, reasons, strict=True) if why is None}
    if not usable:
        raise NoUsableRows(f"no row can be judged: {inputs.describe(reasons)}.")
    if len(usable) < 2:
        raise TooFewClasses(
            f"every row that can be judged has the label '{usable.pop()}': it takes two classes "
            "or more. The label's column is written bare, without quotes."
        )


def _columns(judged: Judged, cut: str, method: str) -> pa.StructArray:
    rows = judged.rows
    codes, probs = judged.codes[rows], judged.probs[rows]
    names = np.array(judged.classes, dtype=object)
    quality = np.full(len(rows), np.nan)
    quality[rows] = confident.label_quality(codes, probs, method)
    flagged = np.zeros(len(rows), dtype=bool)
    flagged[rows] = confident.label_issues(codes, probs, cut)
    predicted = np.zeros(len(rows), dtype=np.int64)
    predicted[rows] = probs.argmax(axis=1)
    confidence = np.zeros(len(rows))
    confidence[rows] = probs.max(axis=1)
    return pa.StructArray.from_arrays(
        [
            pa.array(quality, mask=~rows),
            pa.array(flagged, mask=~rows),
            pa.array(names[predicted], pa.string(), mask=~flagged),
            pa.array(confidence, mask=~flagged),
            pa.array(names[predicted], pa.string(), mask=~rows),
            class_probs(judged.classes, judged.probs, rows),
            pa.array(judged.reasons, pa.string()),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


def class_probs(
    classes: Sequence[str], probs: inputs.Floats, rows: npt.NDArray[np.bool_]
) -> pa.MapArray:
    """A map of class to probability for each of `rows`, NULL for the others."""
    count = int(rows.sum())
    places = np.tile(np.arange(len(classes)), count)
    ends = np.concatenate([[0], np.cumsum(rows) * len(classes)]).astype(np.int32)
    return pa.MapArray.from_arrays(
        pa.array(ends),
        pa.array(list(classes), pa.string()).take(pa.array(places)),
        pa.array(probs[rows].ravel()),
        mask=pa.array(~rows),
    )


FUNCTION = TableFunction(
    name="label_issues",
    compute=label_issues,
    inputs=("x", "label"),
    returns=(
        Column("label_quality", pa.float64(), "0 worst .. 1 best"),
        Column("is_label_issue", pa.bool_(), "whether the label is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("suggested_confidence", pa.float64(), "how likely that one is"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample"),
        Column("not_judged", pa.string(), "why a row could not be judged; else NULL"),
    ),
)
