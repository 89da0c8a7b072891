"""`label_issues(tbl, x, label)`: which labels of a table are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.detection import confident
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.judged import Judged, judge
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.rows.base import Floats


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
    three times, and each row is judged by the models that did not see its part. The result does not
    depend on the order of the rows or on the number of threads.

    `model` reads text: 'fast' (TF-IDF and a sentence encoder), 'best' (adds the middle layers of
    a small language model, where its weights are), or an encoder by its name: 'minilm',
    'smollm2', the id of a model of the Hugging Face hub, the path of a folder that holds one. It
    may also be a model that fine_tune made: one is then trained in the same way for each fold, so
    that none judges a row it has seen. That takes as many trainings as there are folds.

    `cut` says how many rows are flagged. 'auto' fits the noise in the data (label_health says
    which it took): 'predicted_neq_given', or 'noise_corrected', which reckons in what classes are
    mistaken for which. The other filters are cleanlab's: 'both', 'confident_learning',
    'low_normalized_margin', 'low_self_confidence', 'prune_by_class', 'prune_by_noise_rate'.
    `method` is the score: 'self_confidence', 'normalized_margin', 'confidence_weighted_entropy',
    'noise_corrected', or 'auto': the first for your own probabilities, else the last.

    A row without a label is never flagged; a label is suggested for it.

    Errors: fewer than two classes, or more than 1,000; no row that can be judged; a column of the
    table that is called like one of the result's.
    """
    judged, found = issues(rows, model, cut, method, folds, seed)
    return pa.StructArray.from_arrays(
        columns(judged, found), names=[column.name for column in FUNCTION.returns]
    )


def issues(
    rows: pa.StructArray, model: str, cut: str, method: str, folds: int, seed: int
) -> tuple[Judged, Found]:
    """Every row judged, and what was found in those that could be, with options as above."""
    if cut not in confident.CUTS:
        raise BadOption.among("cut", cut, confident.CUTS)
    if method not in confident.METHODS:
        raise BadOption.among("method", method, confident.METHODS)
    check_folds(folds)
    judged = judge(
        rows.field("x"),
        labels.read(rows),
        keys_kind=labels.kind_of(rows, "x"),
        model=model,
        folds=folds,
        seed=seed,
    )
    if method == "auto" and not judged.kind.needs_model:
        method = "self_confidence"
    return judged, confident.find(*judged.evidence, cut, method, judged.outvoted[judged.rows])


def columns(judged: Judged, found: Found) -> list[pa.Array]:
    """The columns of `FUNCTION`, of all rows."""
    rows, has_probs = judged.rows, judged.has_probs
    names = pa.array(list(judged.classes), pa.string())
    quality = np.full(len(rows), np.nan)
    quality[rows] = found.quality
    flagged = np.zeros(len(rows), dtype=bool)
    flagged[rows] = found.flagged
    predicted = np.zeros(len(rows), dtype=np.int64)
    predicted[has_probs] = judged.probs[has_probs].argmax(axis=1)
    suggested, confidence = predicted.copy(), np.zeros(len(rows))
    suggested[rows], confidence[rows] = found.suggested, found.confidence
    confidence[judged.unlabeled] = judged.probs[judged.unlabeled].max(axis=1)
    no_suggestion = ~(flagged | judged.unlabeled)
    return [
        pa.array(quality, mask=~rows),
        pa.array(flagged, mask=~has_probs),
        names.take(pa.array(suggested, mask=no_suggestion)),
        pa.array(confidence, mask=no_suggestion),
        names.take(pa.array(predicted, mask=~has_probs)),
        class_probs(judged.classes, judged.probs, has_probs, judged.as_given),
        pa.array(judged.reasons, pa.string()),
    ]


def class_probs(
    classes: Sequence[str],
    probs: Floats,
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
