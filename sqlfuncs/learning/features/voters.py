"""What a linear head sees of votes: which class each voter names, or how likely it says each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import Head, RowWeights
from sqlfuncs.learning.labels.classes import Codes

View = npt.NDArray[np.float32]
# Few columns of zeros and ones: beside hundreds of rows the penalty hardly counts.
_INVERSE_PENALTY = 2.0


@dataclass(frozen=True)
class VoteFeatures:
    """Features of votes, whose view is a matrix already: `terms` name its columns."""

    terms: Sequence[str]
    view_names = ("votes",)

    def fit_head(
        self,
        place: int,
        view: View,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> Head:
        """Train a linear head on what the voters say."""
        return heads.fit(view, codes, n_classes, _INVERSE_PENALTY, weights)

    def attributions(
        self, heads: Sequence[Head], views: Sequence[View], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Which votes speak for a class, and which for another.

        >>> head = Head(np.array([[2.0, 0.0], [0.0, 1.0]], np.float32), np.zeros(2, np.float32))
        >>> view, zero = np.array([[1.0, 0.0]], np.float32), np.array([0])
        >>> VoteFeatures(["rule: spam", "rule: ham"]).attributions([head], [view], zero, zero + 1)
        [[('rule: spam', 2.0)]]
        """
        (head,), (view,) = heads, views
        parts = view * (head.weights[:, pro] - head.weights[:, contra]).T
        return [
            [(self.terms[at], float(row[at])) for at in np.flatnonzero(row).tolist()]
            for row in parts
        ]
