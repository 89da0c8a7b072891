"""Shares of classes as a target of models: what several annotators said of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights, Weighable
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.models.target import Floats, Mask, Target, Whole


@dataclass(frozen=True)
class SharesTarget(Target):
    """`shares` (rows, `width`), each row summing to 1; a row of zeros has no label.

    A head learns each row once for every class that has a share in it, counted by that share. So a
    prediction is how likely each class is as one more annotator's label (soft labels: Peterson et
    al., Human uncertainty makes classification more robust, ICCV 2019).
    """

    shares: Floats
    width: int

    @property
    def strata(self) -> Whole:
        """The class of the largest share, the earliest of several."""
        return np.where(self.shares.any(axis=1), self.shares.argmax(axis=1), -1)

    @property
    def ranks(self) -> Whole:
        """Rows of equal shares alike, in the order of their shares."""
        _, inverse = np.unique(self.shares, axis=0, return_inverse=True)
        return np.where(self.shares.any(axis=1), inverse.reshape(-1), -1)

    def chosen(self, places: Whole | Mask) -> SharesTarget:
        """The same of some rows."""
        return SharesTarget(self.shares[places], self.width)

    def refuse_too_many(self) -> None:
        """Raise TooManyClasses."""
        classes.refuse_too_many(len(self.shares), self.width)

    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head that tells the classes apart."""
        rows, codes = np.nonzero(self.shares)
        counts = self.shares[rows, codes].astype(np.float32)
        if weights is not None:
            counts *= weights[rows]
        weighable = cast("Weighable[AnyHead]", learned)
        return weighable.fit_head(place, view[rows], codes, self.width, counts)

    def pool(self, predictions: Sequence[Floats]) -> Pool:
        """By how likely each makes the labels."""
        rows, codes = np.nonzero(self.shares)
        said = [predicted[rows] for predicted in predictions]
        return Pool.learn(said, codes, self.shares[rows, codes])
