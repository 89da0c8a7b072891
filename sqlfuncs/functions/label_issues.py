"""`label_issues(tbl, x, label)`: which labels of a table are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning import classes as class_order
from sqlfuncs.learning import confident, inputs
from sqlfuncs.learning.folds import check_folds
from sqlfuncs.learning.out_of_sample import out_of_sample_probabilities, prepare, take

_NO_LABEL = "the label is NULL"


@dataclass(frozen=True)
class Judged:
    """What is known of each row. Where `reasons` has one, the row was not judged.

    `as_given` are the rows whose `x` is the very map that `class_probs` would be.
    """

    classes: tuple[str, ...]
    codes: class_order.Codes
    probs: inputs.Floats
    as_given: npt.NDArray[np.bool_]
    reasons: inputs.Reasons
    unlabeled: npt.NDArray[np.bool_]

    @property
    def rows(self) -> npt.NDArray[np.bool_]:
        """Which rows were judged."""
        return inputs.usable(self.reasons)


def label_issues(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "auto",
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

    `model` reads text: 'fast' (TF-IDF and a sentence encoder), 'best' (adds the middle layers of
    a small language model, where its weights are), or an encoder by its name: 'minilm',
    'smollm2', the id of a model of the Hugging Face hub, the path of a folder that holds one.

    `cut` says how many rows are flagged. 'auto' fits the noise in the data (label_health says
    which it took): 'predicted_neq_given', or 'noise_corrected', which reckons in what classes are
    mistaken for which. The other filters are cleanlab's: 'both', 'confident_learning',
    'low_normalized_margin', 'low_self_confidence', 'prune_by_class', 'prune_by_noise_rate'.
    `method` is the score: 'self_confidence', 'normalized_margin', 'confidence_weighted_entropy',
    'noise_corrected', or 'auto': the first for your own probabilities, else what fits the cut.

    A row without a label is never flagged; a label is suggested for it.

    Errors: fewer than two classes, no row that can be judged, a column of the table that is
    called like one of the result's.
    """
    if cut not in confident.CUTS:
        raise BadOption.among("cut", cut, confident.CUTS)
    if method not in confident.METHODS:
        raise BadOption.among("method", method, confident.METHODS)
    check_folds(folds)
    if method == "auto" and pa.types.is_map(rows.field("x").type):
        method = "self_confidence"
    judged = judge(rows.field("x"), rows.field("label"), model=model, folds=folds, seed=seed)
    return _columns(judged, cut, method)


def judge(x: pa.Array, label: pa.Array, *, model: str, folds: int, seed: int) -> Judged:
    """Out-of-sample probabilities of every row that has a usable `x`.

    Raises NoUsableRows and TooFewClasses.
    """
    if len(label) == 0:
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    rows = inputs.read_column(x)
    reasons = rows.reasons.copy()
    no_label = np.asarray(label.is_null())
    reasons[no_label & inputs.usable(reasons)] = _NO_LABEL
    labels = label.cast(pa.string()).dictionary_encode()
    _refuse_unusable(labels, reasons)
    # What has an x but no label is not judged, but its label can be suggested.
    unlabeled = no_label & inputs.usable(rows.reasons)
    if isinstance(rows, inputs.Probabilities):
        classes = rows.classes
        codes = _codes(labels, classes)
        probs, as_given = rows.values, rows.complete & _holds_floats(x)
        named = (codes >= 0) & rows.has[np.arange(len(codes)), codes]
        for row in np.flatnonzero(inputs.usable(reasons) & ~named).tolist():
            reasons[row] = f"the probabilities have no class '{labels[row]}'"
    else:
        learnable = inputs.usable(rows.reasons)
        classes = class_order.in_order(_distinct(labels, inputs.usable(reasons)))
        codes = _codes(labels, classes)
        probs, as_given = np.full((len(labels), len(classes)), np.nan), np.zeros(len(labels), bool)
        prepared = prepare(take(rows, learnable), codes[learnable], len(classes), model)
        probs[learnable], why = out_of_sample_probabilities(prepared, folds=folds, seed=seed)
        reasons[learnable] = np.where(unlabeled[learnable], _NO_LABEL, why)
    _refuse_unusable(labels, reasons)
    return Judged(classes, codes, probs, as_given, reasons, unlabeled)


def _codes(labels: pa.DictionaryArray, classes: Sequence[str]) -> class_order.Codes:
    """The position of each label among the classes, -1 for NULL and for labels not among them."""
    distinct = class_order.codes([*labels.dictionary.to_pylist(), None], classes)
    found: class_order.Codes = distinct[pc.fill_null(labels.indices, -1).to_numpy()]
    return found


def _distinct(labels: pa.DictionaryArray, rows: npt.NDArray[np.bool_]) -> list[str]:
    used = labels.indices.filter(pa.array(rows)).unique().drop_null()
    distinct: list[str] = labels.dictionary.take(used).to_pylist()
    return distinct


def _holds_floats(x: pa.MapArray) -> bool:
    """Whether such a map, cast to DOUBLE by an engine, is what was read from it."""
    return inputs.has_text_keys(x) and pa.types.is_floating(x.type.item_type)


def _refuse_unusable(labels: pa.DictionaryArray, reasons: inputs.Reasons) -> None:
    """Raise unless some rows can be judged, and those have two classes or more."""
    usable = _distinct(labels, inputs.usable(reasons))
    if not usable:
        raise NoUsableRows(f"no row can be judged: {inputs.describe(reasons)}.")
    if len(usable) < 2:
        raise TooFewClasses(
            f"every row that can be judged has the label '{usable[0]}': it takes two classes "
            "or more. The label's column is written bare, without quotes."
        )


def _columns(judged: Judged, cut: str, method: str) -> pa.StructArray:
    rows = judged.rows
    everything = bool(rows.all())
    codes, probs = judged.codes, judged.probs
    if not everything:
        codes, probs = codes[rows], probs[rows]
    names = pa.array(list(judged.classes), pa.string())
    found = confident.find(codes, probs, cut, method)
    quality = np.full(len(rows), np.nan)
    quality[rows] = found.quality
    flagged = np.zeros(len(rows), dtype=bool)
    flagged[rows] = found.flagged
    has_probs = rows | judged.unlabeled
    predicted = np.zeros(len(rows), dtype=np.int64)
    predicted[has_probs] = judged.probs[has_probs].argmax(axis=1)
    suggested, confidence = predicted.copy(), np.zeros(len(rows))
    suggested[rows], confidence[rows] = found.suggested, found.confidence
    confidence[judged.unlabeled] = judged.probs[judged.unlabeled].max(axis=1)
    no_suggestion = ~(flagged | judged.unlabeled)
    return pa.StructArray.from_arrays(
        [
            pa.array(quality, mask=~rows),
            pa.array(flagged, mask=~has_probs),
            names.take(pa.array(suggested, mask=no_suggestion)),
            pa.array(confidence, mask=no_suggestion),
            names.take(pa.array(predicted, mask=~has_probs)),
            class_probs(judged.classes, judged.probs, has_probs, judged.as_given),
            pa.array(judged.reasons, pa.string()),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


def class_probs(
    classes: Sequence[str],
    probs: inputs.Floats,
    rows: npt.NDArray[np.bool_],
    as_given: npt.NDArray[np.bool_],
) -> pa.MapArray:
    """A map of class to probability for `rows`, empty if `as_given`, NULL for the others."""
    filled = rows & ~as_given
    places = np.tile(np.arange(len(classes), dtype=np.int32), int(filled.sum()))
    ends = np.concatenate([[0], np.cumsum(filled) * len(classes)]).astype(np.int32)
    return pa.MapArray.from_arrays(
        pa.array(ends),
        pa.array(list(classes), pa.string()).take(pa.array(places)),
        pa.array(probs[filled].ravel()),
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
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
        Column("not_judged", pa.string(), "why a row could not be judged; else NULL"),
    ),
)
