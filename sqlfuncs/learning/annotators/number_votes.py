"""Numbers that several annotators gave to items: what they amount to, and who is off by how much.

A vote is the true number of the item, plus the annotator's bias, plus noise of the annotator's own
spread, which has heavy tails, so that a slip counts little: a random effects model with Student's t
errors (Lange, Little, Taylor: JASA 84, 1989), fitted by turns, each variance with what a vote takes
from its own residual given back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.statistics.intervals import Z

Mask = npt.NDArray[np.bool_]

_TAILS = 4.0  # degrees of freedom: the fewer, the less a slip counts
_STEPS, _SMALL_STEP = 200, 1e-9
_USUAL_VOTES = 5.0  # votes' worth that the spread of all counts in each annotator's
_LEAST = 1e-6  # of the range of the numbers


@dataclass(frozen=True)
class NumberConsensus:
    """`numbers` (items,), NaN without a vote, each known to `error`, its standard error.

    `reliability` (items,) is the share of the variance of these that is the items' own: 0 worst, 1
    best. `bias` and `noise` (annotators,) are in the unit of the numbers; `quality` (annotators,)
    the reliability of one number of theirs.
    """

    numbers: Floats
    error: Floats
    reliability: Floats
    bias: Floats
    noise: Floats
    quality: Floats

    @property
    def low(self) -> Floats:
        """The lower end of the 95 % interval of each number."""
        return self.numbers - Z * self.error

    @property
    def high(self) -> Floats:
        """The upper end."""
        return self.numbers + Z * self.error


def fit(votes: Votes, values: Floats) -> NumberConsensus:
    """From the number of each vote: (votes,). The sum of biases, by votes, is 0.

    Where no item has two votes, nothing tells annotators apart: they have no bias, and no noise.

    >>> from sqlfuncs.learning.annotators.votes import collect
    >>> names = ["i", "i", "i", "j", "j", "j", "k", "k", "k"]
    >>> votes = collect(names, ["ann", "bob", "cid"] * 3, list("abcdefghi"))
    >>> found = fit(votes, np.array([1.0, 1.0, 3.0, 5.0, 5.0, 7.0, 9.0, 9.0, 11.0]))
    >>> found.bias.round(1).tolist()
    [-0.7, -0.7, 1.3]
    """
    centre, unit = float(np.median(values)), float(np.ptp(values)) or 1.0
    found = _fit_scaled(votes, (values - centre) / unit)
    return NumberConsensus(
        found.numbers * unit + centre,
        found.error * unit,
        found.reliability,
        found.bias * unit,
        found.noise * unit,
        found.quality,
    )


def _fit_scaled(votes: Votes, values: Floats) -> NumberConsensus:
    items, people = len(votes.item_names), len(votes.annotator_names)
    shared = (votes.per_item > 1)[votes.items]
    numbers = _mean(votes.items, values, np.ones(len(values)), items)
    if not shared.any():
        unknown, nobody = np.full(items, np.nan), np.full(people, np.nan)
        return NumberConsensus(numbers, unknown, unknown, nobody, nobody, nobody)
    bias: Floats = np.zeros(people)
    noise = np.full(people, max(_spread(values - numbers[votes.items], shared), _LEAST))
    weights = np.ones(len(values))
    for _ in range(_STEPS):
        before, spread = numbers, noise[votes.annotators]
        residual = values - numbers[votes.items] - bias[votes.annotators]
        heavy = (_TAILS + 1) / (_TAILS + (residual / spread) ** 2)
        weights = heavy / spread**2
        numbers = _mean(votes.items, values - bias[votes.annotators], weights, items)
        off = values - numbers[votes.items]
        bias = _biases(votes, off, weights * shared)
        own = weights / np.bincount(votes.items, weights, items)[votes.items]
        squares = heavy * (off - bias[votes.annotators]) ** 2 / np.maximum(1 - own, _LEAST)
        noise = np.maximum(np.sqrt(_variances(votes, squares, shared, people)), _LEAST)
        if np.nanmax(np.abs(numbers - before)) <= _SMALL_STEP:
            break
    known = np.bincount(votes.items, weights, items)
    error = np.where(known > 0, 1 / np.sqrt(np.where(known > 0, known, 1)), np.nan)
    variance = max(float(np.nanvar(numbers)) - float(np.nanmean(error**2)), _LEAST**2)
    return NumberConsensus(
        numbers,
        error,
        variance / (variance + error**2),
        bias,
        noise,
        variance / (variance + noise**2),
    )


def _biases(votes: Votes, off: Floats, weights: Floats) -> Floats:
    """Of each annotator, drawn towards 0 by how much biases vary: (annotators,)."""
    people = len(votes.annotator_names)
    given = votes.per_annotator.astype(np.float64)
    known = np.bincount(votes.annotators, weights, people)
    raw = np.bincount(votes.annotators, off * weights, people) / np.where(known > 0, known, 1)
    variance = 1 / np.where(known > 0, known, 1)
    counts = given * (known > 0)
    between = max(float(np.average(raw**2 - variance, weights=counts)), 0.0)
    bias: Floats = np.where(known > 0, raw * between / (between + variance), 0)
    return bias - np.average(bias, weights=given)


def _mean(items: Codes, values: Floats, weights: Floats, count: int) -> Floats:
    """The weighted mean of each item's values: (count,), NaN without any."""
    total = np.bincount(items, weights, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.bincount(items, weights * values, count) / total
    return np.where(total > 0, found, np.nan)


def _spread(residual: Floats, shared: Mask) -> float:
    """What votes are off the mean of their item, where that has several."""
    return float(np.sqrt(np.mean(residual[shared] ** 2))) if shared.any() else 0.0


def _variances(votes: Votes, squares: Floats, shared: Mask, people: int) -> Floats:
    """Of each annotator, drawn towards that of all by as many votes as are usual."""
    usual = float(squares[shared].mean())
    total = np.bincount(votes.annotators, squares * shared, people)
    count = np.bincount(votes.annotators, shared, people)
    found: Floats = (total + _USUAL_VOTES * usual) / (count + _USUAL_VOTES)
    return found
