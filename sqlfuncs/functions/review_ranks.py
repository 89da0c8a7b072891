"""Internal: the computing behind `review_queue(tbl, x, label, key)`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import (
    ANNOTATOR,
    AUTO,
    LABEL_OR_WORDS,
    NUMBERS,
    TAGS,
    VOTES,
    WORDS,
    Column,
    Input,
    TableFunction,
)
from sqlfuncs.learning.detection.sampling import random_ranks
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Decisions, Options
from sqlfuncs.learning.tasks.word_issues import TYPE as WORD_ISSUES
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
    task: str = AUTO,
    ordered: list[str] | None = None,
) -> pa.StructArray:
    """The place of each row in the queue; NULL for rows that are decided or cannot be judged.

    `action` and `new_label` are the decision in force on a row, NULL where there is none. To
    'find' wrong labels the model learns from the labels as decided; rows that are excluded teach
    nothing. To 'verify' corrections it learns from the labels as given, and the queue is in a
    random order that is the same for everybody. `key` (text) decides where rows look alike: the
    order of the rows changes nothing.
    """
    if purpose not in PURPOSES:
        raise BadOption.among("purpose", purpose, PURPOSES)
    if budget < 1:
        raise BadOption(f"{Option('budget', budget)} is too few. It has to be 1 or more.")
    decisions = Decisions.read(rows.field("action"), rows.field("new_label"))
    options = Options(model=model, folds=folds, seed=seed, ordered=ordered)
    labels = registry.of(rows, task=task)
    if purpose == "verify":
        ranks = random_ranks(rows.field("key").to_pylist())
        return FUNCTION.result(
            labels.verification_queue(_ranked(rows, "random_rank", ranks), decisions, options)
        )
    return FUNCTION.result(
        labels.queue(_ranked(rows, "key_rank", _by_key(rows.field("key"))), decisions, options)
    )


def _by_key(keys: pa.Array) -> npt.NDArray[np.int64]:
    """The place of each row in the order of its key; those without are last."""
    order = np.asarray(pc.sort_indices(keys.cast(pa.string())), dtype=np.int64)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def _ranked(rows: pa.StructArray, name: str, ranks: npt.NDArray[np.int64]) -> pa.StructArray:
    """The rows with a field of ranks instead of their keys."""
    kept = [field for field in rows.type if field.name != "key"]
    columns = [rows.field(field.name) for field in kept]
    return pa.StructArray.from_arrays(
        [*columns, pa.array(ranks)], fields=[*kept, pa.field(name, pa.int64())]
    )


FUNCTION = TableFunction(
    name="_review_queue",
    compute=review_ranks,
    inputs=(
        Input("x"),
        LABEL_OR_WORDS,
        Input("action"),
        Input("new_label", "label"),
        Input("key"),
        VOTES,
        ANNOTATOR,
    ),
    returns=(
        Column("review_rank", pa.int64(), "1 is to be reviewed first"),
        Column("label_quality", pa.float64(), "how likely the label is right"),
        Column("is_label_issue", pa.bool_(), "whether it is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("label_low", pa.float64(), "the least the label may be", only=NUMBERS),
        Column("label_high", pa.float64(), "the most it may be", only=NUMBERS),
        Column("missing_tags", pa.list_(pa.string()), "tags to add", only=TAGS),
        Column("wrong_tags", pa.list_(pa.string()), "tags to take away", only=TAGS),
        Column("word_issues", WORD_ISSUES, "the words flagged, worst first", only=WORDS),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
    ),
)
