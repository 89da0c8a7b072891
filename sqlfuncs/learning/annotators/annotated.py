"""Reading a long table of votes, and what a model that learned from them says of each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.votes import Votes
from sqlfuncs.learning.features.features import TextFeatures, VectorFeatures
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.labels import as_classes, kind_of
from sqlfuncs.learning.labels.labels import read as read_labels
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, Rows, describe, is_usable
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.wording import Snippet, some

_LISTED = 5


def has_x(x: pa.Array) -> bool:
    """Whether `x` was given: NULL for want of a column has no type of its own."""
    return not pa.types.is_null(x.type)


def read(
    rows: pa.StructArray,
    *,
    more_classes: Sequence[str] = (),
    texts: Sequence[str | None] | None = None,
) -> tuple[Votes, Codes]:
    """The votes of a long table, and the item of each of its rows: (rows,), -1 for NULL.

    `more_classes` are those of the probabilities in x: labels are named as they are there. `texts`
    (rows,) name the labels where these are no classes: the same for the same label.
    Raises NoUsableRows where there is no vote at all.
    """
    if len(rows) == 0:
        raise NoUsableRows("the table has no rows: there are no labels to agree on.")
    items = rows.field("item").to_pylist()
    annotators = rows.field("annotator").to_pylist()
    labels = _named(rows, more_classes) if texts is None else texts
    missing = {
        "the item is NULL": sum(item is None for item in items),
        "a label has no annotator": sum(
            item is not None and who is None and label is not None
            for item, who, label in zip(items, annotators, labels, strict=True)
        ),
    }
    votes = counting.collect(items, annotators, labels, more_classes)
    left_out = ", ".join(f"{why} ({n} rows)" for why, n in missing.items() if n)
    if not len(votes.items):
        raise NoUsableRows(
            f"no item has a label{f': {left_out}' if left_out else ''}. "
            f"{Snippet('how columns are named')}"
        )
    if left_out:
        work.say(f"left out: {left_out}")
    place = {item: at for at, item in enumerate(votes.item_names)}
    return votes, np.array([-1 if i is None else place[i] for i in items], dtype=np.int64)


def _named(rows: pa.StructArray, more_classes: Sequence[str]) -> list[str | None]:
    named = read_labels(rows)
    if more_classes:
        named = as_classes(named, more_classes, kind_of(rows, "x"))
    texts: list[str | None] = named.texts.to_pylist()
    return texts


def items_in_order(row_items: Codes) -> Codes:
    """The items of the rows of a table, each once, in the order in which they first appear."""
    seen, first = np.unique(row_items[row_items >= 0], return_index=True)
    found: Codes = seen[np.argsort(first)]
    return found


def item_columns(votes: Votes, order: Codes) -> dict[str, pa.Array]:
    """The columns of `consensus` that are about items, whatever their labels are."""
    unknown = votes.per_item[order] == 0
    why = np.full(len(order), "no annotator labelled it")
    return {
        "item": pa.array(np.array(votes.item_names, dtype=object)[order], pa.string()),
        "annotators": pa.array(votes.per_item[order], pa.int64()),
        "not_judged": pa.array(why, pa.string(), mask=~unknown),
    }


def refuse_x(rows: pa.StructArray, called: str) -> None:
    """Raise BadInput for x beside labels of which no model learns."""
    if has_x(rows.field("x")):
        raise BadInput(
            f"x lets a model have a voice beside annotators, which it has with classes; these "
            f"labels are {called}. Leave it out."
        )


@dataclass(frozen=True)
class Annotated:
    """Votes beside what their items are.

    `row_items` (rows,) is the item of each row of the table, -1 for NULL; `x` what the rows are;
    `places` (items,) a row of each item whose x can be used, -1 where none can.
    """

    votes: Votes
    row_items: Codes
    x: Rows
    places: Codes

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Items with an x that can be used: (items,)."""
        return self.places >= 0

    @property
    def given(self) -> Floats | None:
        """The class probabilities of these items, (usable items, classes), if x is such."""
        given = self.x.probabilities
        if given is None:
            return None
        probs = np.zeros((int(self.usable.sum()), len(self.votes.classes)))
        place = [self.votes.classes.index(name) for name in given.classes]
        probs[:, place] = given.values[self.places[self.usable]]
        return probs


def read_with_x(rows: pa.StructArray) -> Annotated:
    """The votes and what the items are. Labels are named as in the probabilities, if x is such.

    Raises BadInput where the rows of an item differ in x, NoUsableRows where none has any.
    """
    values = registry.read_column(rows.field("x"))
    given = values.probabilities
    if given is None and not values.can_be_trained_on:
        raise BadInput(
            f"x is {values.called}. Beside votes it may be {Texts.example}, {Embeddings.example} "
            f"or {Probabilities.example}."
        )
    votes, row_items = read(rows, more_classes=() if given is None else given.classes)
    found = Annotated(votes, row_items, values, _row_of_each_item(values, votes, row_items))
    if not found.usable.any():
        raise NoUsableRows(f"no item has an x that can be used: {describe(values.reasons)}.")
    return found


def read_with_model(rows: pa.StructArray, *, folds: int, seed: int) -> tuple[Votes, Codes, Floats]:
    """The votes, the item of each row, and each item's class probabilities: (items, classes).

    The model is trained on the majority of the votes, and judges an item without having seen
    it. `x` may be your own probabilities instead. Items with no usable x get even ones.

    Raises what `read_with_x` does.
    """
    found = read_with_x(rows)
    votes, usable = found.votes, found.usable
    n_classes = len(votes.classes)
    probs = np.full((len(votes.item_names), n_classes), 1 / n_classes)
    given = found.given
    if given is not None:
        probs[usable] = given
        return votes, found.row_items, probs
    labels = counting.majority(votes)
    taught = usable & (labels >= 0)
    if n_classes > 1 and taught.any():
        learners = found.x.take(found.places[taught])
        untaught = usable & ~taught
        others = found.x.take(found.places[untaught])
        judged, of_others = _judge(learners, labels[taught], n_classes, others, folds, seed)
        probs[taught], probs[untaught] = judged, of_others
    return votes, found.row_items, probs


def _judge(
    learners: Rows,
    labels: Codes,
    n_classes: int,
    others: Rows,
    folds: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Out-of-sample probabilities of the items with votes, and those of the others."""
    prepared = prepare(learners, ClassTarget(labels, n_classes))
    judged, reasons, pool = out_of_sample(prepared, folds=folds, seed=seed)
    judged[~is_usable(reasons)] = 1 / n_classes
    if not len(others):
        return judged, np.empty((0, n_classes))
    work.check()
    assert isinstance(prepared.features, TextFeatures | VectorFeatures)
    assert isinstance(pool, Pool)
    model = fast.fit(prepared.features, prepared.views, prepared.target, pool)
    return judged, model.predict(others)


def _row_of_each_item(values: Rows, votes: Votes, row_items: Codes) -> Codes:
    """A row with a usable x for each item: (items,), -1 where none has one."""
    usable = np.flatnonzero(is_usable(values.reasons) & (row_items >= 0))
    chosen = np.full(len(votes.item_names), -1, dtype=np.int64)
    chosen[row_items[usable][::-1]] = usable[::-1]
    same = chosen[row_items[usable]]
    keys = values.digests()
    differs = [keys[a] != keys[b] for a, b in zip(usable, same, strict=True)]
    odd = np.unique(row_items[usable[np.array(differs, dtype=bool)]])
    if len(odd):
        listed = some([votes.item_names[item] for item in odd], _LISTED)
        raise BadInput(
            f"x differs between the rows of one item ({listed}). Every row of an item has "
            "the same x: join it to the labels by the item."
        )
    return chosen
