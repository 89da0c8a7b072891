"""Which rows of a large table models learn from: a sample drawn by a hash of their content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.models.folds import hash_numbers
from sqlfuncs.learning.models.target import Floats, Mask, Whole

SAMPLE_ROWS = 200_000
CLASS_ROWS = 1_000  # of a rare class, which is sampled more densely and counts for less in exchange


@dataclass(frozen=True)
class Shares:
    """How likely a row is drawn: `common`, but of a rare class more: `by_class` (classes,)."""

    common: float
    by_class: Floats

    @classmethod
    def of(cls, counts: Whole, rows: int, most: int | None = None) -> Shares:
        """For a table of `rows`, of which `counts` (classes,) have each class.

        About `most` are drawn (`SAMPLE_ROWS`); of a class `CLASS_ROWS`, if it has so many.

        >>> Shares.of(np.array([999_000, 1_000]), 1_000_000)
        Shares(common=0.2, by_class=array([0.2, 1. ]))
        """
        common = min(1.0, (SAMPLE_ROWS if most is None else most) / max(1, rows))
        return cls(common, np.minimum(1.0, np.maximum(common, CLASS_ROWS / np.maximum(counts, 1))))

    def own(self, strata: Whole) -> Floats:
        """How likely each row is drawn, by its class, -1 for none: (rows,)."""
        own: Floats = np.where(strata >= 0, self.by_class[strata], self.common)
        return own

    def drawn(self, groups: Sequence[bytes], strata: Whole, seed: int) -> Mask:
        """Which rows are drawn: (rows,). `groups` are digests of their near duplicates.

        By a hash of their content, near duplicates together: whichever rows stand beside one, and
        in whatever order, it is drawn or not.
        """
        drawn: Mask = _places(groups, seed) < self.own(strata)
        return drawn

    def common_ones(self, groups: Sequence[bytes], seed: int) -> Mask:
        """Which rows would be drawn if no class was rare: a sample in the table's proportions."""
        chosen: Mask = _places(groups, seed) < self.common
        return chosen

    def weights(self, strata: Whole) -> RowWeights | None:
        """How much each drawn row counts: (rows,). None where no class is rare: all the same."""
        weights: RowWeights = (self.common / self.own(strata)).astype(np.float32)
        return None if (weights == 1).all() else weights


def _places(groups: Sequence[bytes], seed: int) -> Floats:
    """Where between 0 and 1 the hash of each row's content lies."""
    places: Floats = hash_numbers(groups, f"{seed}.sample") / 2.0**64
    return places
