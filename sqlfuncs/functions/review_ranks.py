"""Internal: the computing behind `review_queue(tbl, x, label, key)`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.label_issues import class_probs
from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.detection import confident
from sqlfuncs.learning.detection.judged import Judged, judge
from sqlfuncs.learning.detection.review import quality_after_review
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.labels.labels import as_classes, kind_of, read
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.rows.base import Floats, is_usable
from sqlfuncs.wording import Option

Mask = npt.NDArray[np.bool_]


def review_ranks(
    rows: pa.StructArray,
    *,
    budget: int = 100,
    model: str = "fast",
    folds: int = 5,
    seed: int = 0,
) -> pa.StructArray:
    """The place of each row in the queue; NULL for rows that are decided or cannot be judged.

    `action` and `new_label` are the decision in force on a row, NULL where there is none. The
    model learns from the labels as decided; rows that are excluded teach nothing.
    """
    if budget < 1:
        raise BadOption(f"{Option('budget', budget)} is too few. It has to be 1 or more.")
    check_folds(folds)
    labels = read(rows)
    label = labels.texts
    said = {name: _is(rows.field("action"), name) for name in ("relabel", "keep", "exclude")}
    decided = said["relabel"] | said["keep"] | said["exclude"]
    learned = pc.if_else(
        pa.array(said["relabel"]), rows.field("new_label").cast(pa.string()), label
    )
    learned = pc.if_else(pa.array(said["exclude"]), pa.scalar(None, pa.string()), learned)
    keys_kind = kind_of(rows, "x")
    judged = judge(
        rows.field("x"),
        replace(labels, texts=learned),
        keys_kind=keys_kind,
        model=model,
        folds=folds,
        seed=seed,
    )
    if not judged.kind.needs_model:
        labels = as_classes(labels, judged.classes, keys_kind)
    given = classes.codes(labels.texts.to_pylist(), judged.classes)
    usable = is_usable(judged.reasons) & (given >= 0)
    queued = usable & ~decided
    if not queued.any():
        return _columns(judged, queued, np.zeros(len(rows)), queued, queued.astype(np.int64))
    wrong = said["relabel"] & np.asarray(pc.not_equal(learned, label).fill_null(False))
    probs = judged.probs[usable]
    is_map = pa.types.is_map(rows.field("x").type)
    found = confident.find(
        given[usable],
        probs,
        "auto",
        "self_confidence" if is_map else "auto",
        judged.outvoted[usable],
    )
    quality = np.zeros(len(rows))
    quality[usable] = quality_after_review(
        given[usable], probs, found.quality, decided[usable], wrong[usable]
    )
    flagged, suggested = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=np.int64)
    flagged[usable], suggested[usable] = found.flagged, found.suggested
    return _columns(judged, queued, quality, flagged, suggested)


def _is(action: pa.Array, name: str) -> Mask:
    equal: Mask = np.asarray(pc.equal(action.cast(pa.string()), name).fill_null(False))
    return equal


def _columns(
    judged: Judged,
    queued: Mask,
    quality: Floats,
    flagged: Mask,
    suggested: classes.Codes,
) -> pa.StructArray:
    waiting = np.flatnonzero(queued)
    rank = np.zeros(len(queued), dtype=np.int64)
    rank[waiting[np.argsort(quality[waiting], kind="stable")]] = np.arange(1, len(waiting) + 1)
    predicted = np.zeros(len(queued), dtype=np.int64)
    predicted[waiting] = judged.probs[waiting].argmax(axis=1)
    names = pa.array(list(judged.classes), pa.string())
    return pa.StructArray.from_arrays(
        [
            pa.array(rank, mask=~queued),
            pa.array(quality, mask=~queued),
            pa.array(flagged, mask=~queued),
            names.take(pa.array(suggested, mask=~(queued & flagged))),
            names.take(pa.array(predicted, mask=~queued)),
            class_probs(judged.classes, judged.probs, queued, judged.as_given),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


FUNCTION = TableFunction(
    name="_review_queue",
    compute=review_ranks,
    inputs=(Input("x"), LABEL, Input("action"), Input("new_label", "label")),
    returns=(
        Column("review_rank", pa.int64(), "1 is to be reviewed first"),
        Column("label_quality", pa.float64(), "how likely the label is right"),
        Column("is_label_issue", pa.bool_(), "whether it is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
    ),
)
