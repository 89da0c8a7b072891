"""Shares of each group, from a model's word on all rows and people's on a random sample of them.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic: Prediction-powered inference (Science 2023), with
the weight of predictions tuned (Angelopoulos, Duchi, Zrnic: PPI++, 2023). Imports numpy and scipy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_LEVEL = 0.95
_ENDS = 1.0  # rows at each end of what may be seen, as Agresti and Coull (1998) add two
_PRIOR_ROWS = 4.0  # how many rows' worth the variance within all groups counts in each


@dataclass(frozen=True)
class Shares:
    """Of each group (groups,) the share and its 95 % interval; NaN where no row of it was drawn."""

    share: Floats
    low: Floats
    high: Floats


def group_shares(
    groups: Codes, predicted: Floats, sampled: Codes, seen: npt.NDArray[np.bool_], count: int
) -> Shares:
    """The share of each of `count` groups in which something is true.

    `groups` (rows,) is each row's group, `predicted` (rows,) how likely it is true there, 0 to 1;
    `sampled` (drawn,) are the places of rows drawn at random, `seen` (drawn,) whether it is true.

    The interval holds the share of a group at 95 % on average over draws; with fewer than about
    ten drawn rows of a group it is rather wider than it has to be.

    >>> groups, predicted = np.zeros(1000, dtype=int), np.repeat([0.9, 0.1], 500)
    >>> sampled = np.arange(0, 1000, 10)
    >>> found = group_shares(groups, predicted, sampled, predicted[sampled] > 0.5, 1)
    >>> found.share.round(2).tolist(), (found.high - found.low).round(2).tolist()
    ([0.5], [0.02])
    """
    # scipy.stats takes a second to import.
    from scipy.special import stdtrit

    predicted = predicted * _weight(predicted[sampled], seen)
    rest = seen - predicted[sampled]
    drawn = groups[sampled]
    rows = np.bincount(groups, minlength=count)
    counts = np.bincount(drawn, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_predicted = np.bincount(groups, predicted, count) / rows
        # Among few rows all may be alike by chance; where all were looked at nothing is.
        added = _ENDS * (1 - counts / rows)
        weight = counts + 2 * added
        ends = np.array([1 - mean_predicted, -mean_predicted])
        mean = (np.bincount(drawn, rest, count) + added * ends.sum(axis=0)) / weight
        squares = np.bincount(drawn, (rest - mean[drawn]) ** 2, count)
        within = squares.sum() / max(len(sampled) - np.count_nonzero(counts) - 1, 1)
        squares += added * ((ends - mean) ** 2).sum(axis=0)
        freedom = weight - 1 + _PRIOR_ROWS
        variance = (squares + _PRIOR_ROWS * within) / freedom
        error = np.sqrt(variance / weight * (1 - counts / rows))
    share = np.where(counts > 0, mean_predicted + mean, np.nan)
    spread = stdtrit(freedom, (1 + _LEVEL) / 2) * error
    return Shares(
        np.clip(share, 0, 1), np.clip(share - spread, 0, 1), np.clip(share + spread, 0, 1)
    )


def _weight(predicted: Floats, seen: npt.NDArray[np.bool_]) -> float:
    """How much the predictions count: the slope of what was seen on them, 0 to 1.5."""
    spread = predicted - predicted.mean()
    slope = float(spread @ seen) / max(float(spread @ spread), 1e-9)
    return min(max(slope, 0.0), 1.5)
