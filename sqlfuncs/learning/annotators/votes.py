"""Labels that several annotators gave, one after the other: who said what of which item.

Kept as they come, a vote a row, and never as a matrix of items by annotators: of 100,000 items
and 5,000 annotators nearly all of that would be empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.statistics.intervals import ratio
from sqlfuncs.wording import Snippet, some

Floats = npt.NDArray[np.float64]
_LISTED = 5
DIGITS = 9  # scores that differ after these differ by rounding alone


@dataclass(frozen=True)
class Votes:
    """Votes in one order, whatever order they came in: by item, then annotator.

    `items`, `annotators`, `labels` (votes,) are positions in `item_names`, `annotator_names`
    and `classes`. An item may have no vote; nobody votes twice on one item. `of_all` (classes,) are
    the votes for each class in a table of which these are a part.
    """

    item_names: tuple[str, ...]
    annotator_names: tuple[str, ...]
    classes: tuple[str, ...]
    items: Codes
    annotators: Codes
    labels: Codes
    of_all: Codes | None = None

    @cached_property
    def per_item(self) -> Codes:
        """How many votes each item has: (items,)."""
        return np.bincount(self.items, minlength=len(self.item_names))

    @cached_property
    def per_annotator(self) -> Codes:
        """How many votes each annotator has: (annotators,)."""
        return np.bincount(self.annotators, minlength=len(self.annotator_names))

    @cached_property
    def per_class(self) -> Codes:
        """How many votes each class has, in all of the table: (classes,)."""
        if self.of_all is not None:
            return self.of_all
        return np.bincount(self.labels, minlength=len(self.classes))

    @cached_property
    def same(self) -> Codes:
        """How many annotators of the item gave that label, this one included: (votes,)."""
        _, inverse, counts = np.unique(
            self.items * max(len(self.classes), 1) + self.labels,
            return_inverse=True,
            return_counts=True,
        )
        same: Codes = counts[inverse]
        return same

    @cached_property
    def disagreement(self) -> Floats:
        """The share of the pairs of an item's annotators who differ: (items,), NaN without a pair.

        >>> votes = collect(["i"] * 3 + ["j"], ["ann", "bob", "cid", "ann"], ["x", "x", "y", "y"])
        >>> votes.disagreement.round(3).tolist()
        [0.667, nan]
        """
        others = self.per_item[self.items] - self.same
        differing = np.bincount(self.items, others, len(self.item_names))
        return ratio(differing, self.per_item * (self.per_item - 1))

    def shares(self, weights: Floats | None = None) -> Floats:
        """The votes for each class, or the sum of their weights: (items, classes)."""
        cells = self.items * len(self.classes) + self.labels
        size = len(self.item_names) * len(self.classes)
        summed = np.bincount(cells, weights=weights, minlength=size)
        shape = (len(self.item_names), len(self.classes))
        counted: Floats = summed.reshape(shape).astype(np.float64)
        return counted

    def sum_by_annotator(self, weights: npt.ArrayLike) -> Floats:
        """The sum of something over the votes of each annotator: (annotators,)."""
        given = np.asarray(weights, dtype=np.float64)
        summed = np.bincount(self.annotators, given, len(self.annotator_names))
        return summed.astype(np.float64)


def collect(
    items: Sequence[str | None],
    annotators: Sequence[str | None],
    labels: Sequence[str | None],
    more_classes: Iterable[str] = (),
) -> Votes:
    """Votes from the rows of a long table; `more_classes` are known without having a vote.

    A row without an item is none, and one without an annotator or a label is no vote, though
    its item is known. The same vote twice counts once.

    >>> votes = collect(["b", "a", "b"], ["ann", "ann", "bob"], ["x", None, "y"])
    >>> votes.item_names, votes.items.tolist(), votes.labels.tolist()
    (('a', 'b'), [1, 1], [0, 1])

    Raises BadInput where an annotator gave one item different labels.
    """
    item_names, item_codes = _coded(items)
    annotator_names, annotator_codes = _coded(annotators)
    given = {label for label in labels if label is not None}
    classes = class_order.in_order(given | set(more_classes))
    label_codes = class_order.codes(labels, classes)
    cast = (item_codes >= 0) & (annotator_codes >= 0) & (label_codes >= 0)
    voters, renumbered = np.unique(annotator_codes[cast], return_inverse=True)
    rows = np.unique(np.stack([item_codes[cast], renumbered, label_codes[cast]]), axis=1)
    votes = Votes(
        item_names,
        tuple(annotator_names[code] for code in voters),
        classes,
        rows[0],
        rows[1],
        rows[2],
    )
    _refuse_contradictions(votes)
    return votes


def _coded(names: Sequence[str | None]) -> tuple[tuple[str, ...], Codes]:
    distinct = tuple(sorted({name for name in names if name is not None}))
    return distinct, class_order.codes(names, distinct)


def _refuse_contradictions(votes: Votes) -> None:
    again = (np.diff(votes.items) == 0) & (np.diff(votes.annotators) == 0)
    if not again.any():
        return
    at = np.flatnonzero(again)
    listed = [
        f"item {votes.item_names[votes.items[row]]}, annotator "
        f"{votes.annotator_names[votes.annotators[row]]}: "
        f"'{votes.classes[votes.labels[row]]}' and '{votes.classes[votes.labels[row + 1]]}'"
        for row in at
    ]
    raise BadInput(
        f"an annotator gave one item different labels ({some(listed, _LISTED, '; ')}). Keep one of "
        f"them first, for example the latest: {Snippet('the latest label of each')}."
    )


def majority(votes: Votes, probs: Floats | None = None) -> Codes:
    """The label most annotators gave each item: (items,), -1 for an item without a vote.

    Ties go to the class that is more likely by `probs` (items, classes), if there are any, then
    to the one with more votes overall, then to the one that is earlier in the classes' order.

    >>> majority(collect(["i", "i", "j"], ["ann", "bob", "ann"], ["x", "y", "y"])).tolist()
    [1, 1]
    """
    likely = np.zeros(len(votes.items)) if probs is None else probs[votes.items, votes.labels]
    best = np.lexsort(
        (-votes.labels, votes.per_class[votes.labels], likely, votes.same, votes.items)
    )
    winners = np.full(len(votes.item_names), -1, dtype=np.int64)
    winners[votes.items[best]] = votes.labels[best]  # the last one written is the best
    return winners


def most_likely(probs: Floats, otherwise: Codes) -> Codes:
    """The most likely class of each item: (items,). Where several are, `otherwise` if it is one.

    -1 where `otherwise` is: an item without a vote.
    """
    tied = probs >= probs.max(axis=1, keepdims=True) - 10.0**-DIGITS
    rows = np.arange(len(probs))
    winners = np.where(tied[rows, otherwise], otherwise, tied.argmax(axis=1))
    chosen: Codes = np.where(otherwise < 0, -1, winners)
    return chosen


def agreement(votes: Votes, consensus: Codes) -> Floats:
    """The share of each item's annotators who gave its consensus label: (items,), NaN for none."""
    agreeing = np.bincount(
        votes.items[votes.labels == consensus[votes.items]], minlength=len(votes.item_names)
    )
    return ratio(agreeing, votes.per_item)


def agreement_with_others(votes: Votes) -> Floats:
    """How often each annotator says what another annotator of the item says: (annotators,).

    NaN for one whose items nobody else labelled.
    """
    return ratio(
        votes.sum_by_annotator(votes.same - 1),
        votes.sum_by_annotator(votes.per_item[votes.items] - 1),
    )
