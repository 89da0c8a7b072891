"""Internal: the computing behind `review_queue(tbl, x, label, key)`."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import ANNOTATOR, LABEL, VOTES, Column, Input, TableFunction
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Decisions, Options
from sqlfuncs.wording import Option

PURPOSES = ("find", "verify")


def review_ranks(
    rows: pa.StructArray,
    *,
    budget: int = 100,
    purpose: str = "find",
    model: str = "fast",
    folds: int = 5,
    seed: int = 0,
) -> pa.StructArray:
    """The place of each row in the queue; NULL for rows that are decided or cannot be judged.

    `action` and `new_label` are the decision in force on a row, NULL where there is none. To
    'find' wrong labels the model learns from the labels as decided; rows that are excluded teach
    nothing. To 'verify' corrections it learns from the labels as given, and `random_rank`, the
    place of each row in a random order of all, is the order of the queue.
    """
    if purpose not in PURPOSES:
        raise BadOption.among("purpose", purpose, PURPOSES)
    if budget < 1:
        raise BadOption(f"{Option('budget', budget)} is too few. It has to be 1 or more.")
    decisions = Decisions.read(rows.field("action"), rows.field("new_label"))
    options = Options(model=model, folds=folds, seed=seed)
    task = registry.of(rows)
    queue = task.verification_queue if purpose == "verify" else task.queue
    return FUNCTION.result(queue(rows, decisions, options))


FUNCTION = TableFunction(
    name="_review_queue",
    compute=review_ranks,
    inputs=(
        Input("x"),
        LABEL,
        Input("action"),
        Input("new_label", "label"),
        Input("random_rank"),
        VOTES,
        ANNOTATOR,
    ),
    returns=(
        Column("review_rank", pa.int64(), "1 is to be reviewed first"),
        Column("label_quality", pa.float64(), "how likely the label is right"),
        Column("is_label_issue", pa.bool_(), "whether it is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
    ),
)
