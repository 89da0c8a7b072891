"""Internal: the computing behind `review_queue(tbl, x, label, key)`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.label_issues import class_probs, judge
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning import classes, confident, inputs
from sqlfuncs.learning.folds import check_folds
from sqlfuncs.learning.review import chance_wrong

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
        raise BadOption(f"budget := {budget} is too few. It has to be 1 or more.")
    check_folds(folds)
    label = rows.field("label").cast(pa.string())
    said = {name: _is(rows.field("action"), name) for name in ("relabel", "keep", "exclude")}
    decided = said["relabel"] | said["keep"] | said["exclude"]
    learned = pc.if_else(
        pa.array(said["relabel"]), rows.field("new_label").cast(pa.string()), label
    )
    learned = pc.if_else(pa.array(said["exclude"]), pa.scalar(None, pa.string()), learned)
    judged = judge(rows.field("x"), learned, model=model, folds=folds, seed=seed)
    given = classes.codes(label.to_pylist(), judged.classes)
    usable = inputs.usable(judged.reasons) & (given >= 0)
    wrong = said["relabel"] & np.asarray(pc.not_equal(learned, label).fill_null(False))
    return _columns(judged.classes, given, judged.probs, judged.as_given, usable, decided, wrong)


def _is(action: pa.Array, name: str) -> Mask:
    equal: Mask = np.asarray(pc.equal(action.cast(pa.string()), name).fill_null(False))
    return equal


def _columns(
    names: tuple[str, ...],
    given: classes.Codes,
    probs: inputs.Floats,
    as_given: Mask,
    usable: Mask,
    decided: Mask,
    wrong: Mask,
) -> pa.StructArray:
    places = np.flatnonzero(usable)
    codes, seen = given[places], probs[places]
    quality = np.zeros(len(given))
    quality[places] = 1 - chance_wrong(codes, seen, decided[places], wrong[places])
    found = confident.find(codes, seen, "auto", "auto")
    flagged, likeliest = np.zeros(len(given), dtype=bool), np.zeros(len(given), dtype=np.int64)
    flagged[places], likeliest[places] = found.flagged, found.suggested
    predicted = np.zeros(len(given), dtype=np.int64)
    predicted[places] = seen.argmax(axis=1)
    queued = usable & ~decided
    waiting = np.flatnonzero(queued)
    rank = np.zeros(len(given), dtype=np.int64)
    rank[waiting[np.argsort(quality[waiting], kind="stable")]] = np.arange(1, len(waiting) + 1)
    labels = pa.array(list(names), pa.string())
    return pa.StructArray.from_arrays(
        [
            pa.array(rank, mask=~queued),
            pa.array(quality, mask=~queued),
            pa.array(flagged, mask=~queued),
            labels.take(pa.array(likeliest, mask=~(queued & flagged))),
            labels.take(pa.array(predicted, mask=~queued)),
            class_probs(names, probs, queued, as_given),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


FUNCTION = TableFunction(
    name="_review_queue",
    compute=review_ranks,
    inputs=("x", "label", "action", "new_label"),
    as_text=("label", "new_label"),
    returns=(
        Column("review_rank", pa.int64(), "1 is to be reviewed first"),
        Column("label_quality", pa.float64(), "how likely the label is right"),
        Column("is_label_issue", pa.bool_(), "whether it is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
    ),
)
