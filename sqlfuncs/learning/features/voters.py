"""What a linear head sees of votes: which class each voter names, or how likely it says each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import AnyHead, Head, Learned, RowWeights, Weighable
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


@dataclass(frozen=True)
class BesideVotes:
    """Features of rows, with the view of the votes on them as the last one.

    `views` counts those of the rows themselves.
    """

    inner: Learned[AnyHead]
    votes: VoteFeatures
    views: int

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> AnyHead:
        """A head on one of the rows' own views, or on the votes."""
        if place == self.views:
            return self.votes.fit_head(0, view, codes, n_classes, weights)
        if weights is None:
            return self.inner.fit_head(place, view, codes, n_classes)
        weighable = cast("Weighable[AnyHead]", self.inner)
        return weighable.fit_head(place, view, codes, n_classes, weights)

    @property
    def view_names(self) -> tuple[str, ...]:
        """What each view is."""
        own = tuple(f"view {at}" for at in range(1, self.views + 1))
        return (*getattr(self.inner, "view_names", own), *self.votes.view_names)

    def attributions(
        self, heads: Sequence[Any], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """What in the rows and which votes speak for a class, and for another."""
        of_votes = self.votes.attributions(heads[-1:], views[-1:], pro, contra)
        explain = getattr(self.inner, "attributions", None)
        if explain is None:
            return of_votes
        own = explain(heads[:-1], views[:-1], pro, contra)
        return [[*one, *other] for one, other in zip(own, of_votes, strict=True)]
