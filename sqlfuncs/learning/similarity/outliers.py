"""How far a row is from its nearest neighbours, beside what is usual in its table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.rows.base import Floats

_FENCE = 1.7  # interquartile ranges above the third quartile, as cleanlab's Datalab has it
_QUARTILES = (0.25, 0.5, 0.75)
_ROUNDING = 1e-5  # distances that differ by less are not told apart


def mean_distances(cosines: npt.NDArray[np.float32]) -> Floats:
    """The mean cosine distance to the neighbours: (points, k) to (points,) of 0 .. 2.

    Points without a neighbour, because all rows are alike, have 0.
    """
    if cosines.shape[1] == 0:
        return np.zeros(len(cosines))
    means: Floats = 1 - cosines.astype(np.float64).mean(axis=1)
    return np.maximum(means, 0)


@dataclass(frozen=True)
class Usual:
    """What distances are usual in a table: their median, and the fence beyond which few are."""

    middle: float
    fence: float

    @classmethod
    def learn(cls, distances: Floats, rows: npt.NDArray[np.int64] | None = None) -> Usual:
        """From distances: (points,), each that of so many `rows`, by default of one.

        >>> Usual.learn(np.array([2.0, 1.0]), np.array([3, 1])).middle
        2.0
        """
        if rows is None:
            low, middle, high = np.quantile(distances, _QUARTILES)
        else:
            order = np.argsort(distances, kind="stable")
            ends = np.cumsum(rows[order])
            at = np.array(_QUARTILES) * (ends[-1] - 1)
            under, over = (
                distances[order][np.searchsorted(ends, place, side="right")]
                for place in (np.floor(at), np.ceil(at))
            )
            low, middle, high = under + (over - under) * (at - np.floor(at))
        fence = max(high + _FENCE * (high - low), middle + _ROUNDING)
        return cls(float(middle), float(fence))

    def scores(self, distances: Floats) -> Floats:
        """See `scores`."""
        beyond = np.maximum(distances - self.middle, 0) / (self.fence - self.middle)
        found: Floats = 1 - np.exp2(-beyond)
        return found


def scores(distances: Floats) -> Floats:
    """Outlier scores, high is more severe: 0 typical .. 1 outlying, (rows,) to (rows,).

    A distance up to the median has 0, and one at Tukey's fence 0.5: the third quartile and 1.7
    interquartile ranges, where cleanlab's Datalab flags (k nearest neighbours: Kuan and Mueller,
    "Back to the Basics", 2022, arXiv 2207.03061). Beyond it they tend to 1.

    >>> scores(np.array([1.0, 2.0, 3.0, 4.0, 11.0])).round(2).tolist()
    [0.0, 0.0, 0.0, 0.15, 0.72]
    """
    return Usual.learn(distances).scores(distances)
