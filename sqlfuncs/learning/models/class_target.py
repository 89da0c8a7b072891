"""Classes as a target of models: a row has one of a few, and its prediction is how likely each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights, Weighable
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.copies import Copies
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.models.target import Floats, Mask, Target, Whole
from sqlfuncs.learning.models.voted_pool import VotedPool


@dataclass(frozen=True)
class ClassTarget(Target):
    """`codes` (rows,) of 0 .. `width` - 1, the classes; -1 for rows without a label."""

    codes: Codes
    width: int

    @property
    def strata(self) -> Whole:
        """The classes."""
        return self.codes

    @property
    def ranks(self) -> Whole:
        """The classes."""
        return self.codes

    def as_classes(self) -> Whole:
        """They are."""
        return self.codes

    def chosen(self, places: Whole | Mask) -> ClassTarget:
        """The same classes, of some rows."""
        return ClassTarget(self.codes[places], self.width)

    def refuse_too_many(self) -> None:
        """Raise TooManyClasses."""
        classes.refuse_too_many(len(self.codes), self.width)

    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head that tells the classes apart."""
        if weights is None:
            return learned.fit_head(place, view, self.codes, self.width)
        weighable = cast("Weighable[AnyHead]", learned)
        return weighable.fit_head(place, view, self.codes, self.width, weights)

    def pool(self, predictions: Sequence[Floats]) -> Pool:
        """By how likely each makes the labels."""
        return Pool.learn(predictions, self.codes)

    def pool_beside(self, predictions: Sequence[Floats]) -> VotedPool:
        """By the same, with and without what the last one says."""
        return VotedPool.learn(predictions, self.codes)

    def pool_with_votes(self, predictions: Sequence[Floats]) -> VotedPool:
        """Votes are such evidence."""
        return self.pool_beside(predictions)

    def unseen(self, folds: Whole) -> Mask:
        """Rows of a class that no other fold has.

        >>> ClassTarget(np.array([0, 0, 1, -1]), 2).unseen(np.array([0, 1, 0, 1])).tolist()
        [False, False, True, False]
        """
        labeled = self.codes >= 0
        counts = np.zeros((folds.max() + 1, self.width), dtype=np.int64)
        np.add.at(counts, (folds[labeled], self.codes[labeled]), 1)
        rows = np.arange(len(self.codes))
        elsewhere = counts.sum(axis=0)[self.codes] - counts[folds][rows, self.codes]
        unseen: Mask = labeled & (elsewhere == 0)
        return unseen

    def with_copies(
        self, keys: Sequence[bytes], predicted: Floats, unseen: Mask
    ) -> tuple[Floats, Mask]:
        """See `copies`. What no model knows is told by copies, and by how common each class is."""
        copies = Copies.of(keys, self.codes, self.width)
        of_copies = np.zeros(len(unseen), dtype=bool)
        of_copies[copies.rows] = True
        # Where every row is of one content, there is no model.
        unknown = of_copies & (unseen | ~predicted.any(axis=1))
        predicted[unknown] = self._shares()
        return copies.judge(predicted), unseen & ~of_copies

    def _shares(self) -> Floats:
        counts = np.bincount(self.codes[self.codes >= 0], minlength=self.width)
        shares: Floats = counts / max(1, counts.sum())
        return shares

    def outvoted(self, keys: Sequence[bytes]) -> Mask:
        """See `Copies.outvoted`."""
        return Copies.of(keys, self.codes, self.width).outvoted()
