"""How many corrections a reviewed sample of them allows: a test that holds whenever one looks.

The candidates stand in the order of what is expected of them, best first. Of each of a few sets,
the first so many, it is tested whether correcting what nobody has reviewed yet does good: bets on
what the next drawn row turns out to be, fair as long as it does not, win 1 / `risk` with a chance
of `risk` at most, however often one looks and wherever one stops (Ville). Waudby-Smith, Ramdas:
Estimating means of bounded random variables by betting (JRSS B 2024), section 4, for drawing
without replacement. The sets are tested together, as in learn-then-test (Angelopoulos, Bates,
Candes, Jordan, Lei: Annals of Applied Statistics 2025), closed by weighted averages of their
wealth (Vovk, Wang: E-values, Annals of Statistics 2021, section 5): that any harmful set at all
is released has a chance of `risk`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

# What part of the wealth is bet. The wealth is the mean over these.
_BETS = np.array([0.3, 0.5, 0.7])
_MOST_DRAWN = 2_000  # rows of a sample that are looked at: who reviews more needs no test
_MOST_LOOKS = 200  # at which the rows left are tested: all, or as many spread over a long sample

_MARGIN, _LEAST_WEALTH = 1.6, 1e-12  # of the rows it takes on average, for chance

# The sets, as shares of the candidates, and the weight of each in the test of all.
GAIN_SETS: Mapping[float, float] = {1.0: 0.6, 0.5: 0.4}
PRECISION_SETS: Mapping[float, float] = {1.0: 0.4, 0.6: 0.3, 0.3: 0.3}


@dataclass(frozen=True)
class Release:
    """The first `size` candidates may be corrected, of which `drawn` are worth `value` in all."""

    size: int
    drawn: int
    value: float


@dataclass(frozen=True)
class Outcome:
    """Which sets may be corrected, the largest first, and what was won on each of all by now."""

    released: tuple[Release, ...]
    wealth: tuple[float, ...]

    @property
    def largest(self) -> Release:
        """The largest set that may be corrected, of size 0 if none may."""
        return self.released[0] if self.released else Release(0, 0, 0.0)


def outcome(
    values: Floats,
    places: Places,
    candidates: int,
    *,
    risk: float,
    lowest: float,
    sets: Mapping[float, float],
) -> Outcome:
    """The sets of which correcting what is not reviewed has values above 0 on average.

    `places` (drawn,) are candidates as they were drawn at random, by their places in an order that
    was not chosen by what was reviewed, the best first; `values` (drawn,) what correcting each is
    worth, between `lowest` (below 0) and 1. `sets` are shares of the candidates with their weights.

    >>> drawn = np.arange(0, 200, 10)
    >>> outcome(np.ones(20), drawn, 200, risk=0.05, lowest=-1.0, sets=GAIN_SETS).released
    (Release(size=200, drawn=20, value=20.0), Release(size=100, drawn=10, value=10.0))
    >>> outcome(-np.ones(20), drawn, 200, risk=0.05, lowest=-1.0, sets=GAIN_SETS).released
    ()
    """
    values, places = values[:_MOST_DRAWN], places[:_MOST_DRAWN]
    looks = _looks(len(places))
    sizes = [round(share * candidates) for share in sets]
    wealth = np.array(
        [_wealth_of_set(values, places, size, looks, lowest) for size in sizes]
    ).reshape(len(sizes), len(looks), len(places) + 1)
    weights = np.array([*sets.values()])[:, None, None]
    excess = weights * (wealth - 1 / risk)
    # An average over a set and any others is least with all the others that fall short.
    short = np.minimum(excess, 0)
    passes = excess + short.sum(axis=0) - short >= 0
    found = sorted(zip(sizes, passes.any(axis=(1, 2)), strict=True), reverse=True)
    return Outcome(
        tuple(_release(size, values[places < size]) for size, yes in found if yes),
        tuple(map(float, wealth[:, -1, -1])) if len(looks) else (1.0,) * len(sizes),
    )


def _release(size: int, values: Floats) -> Release:
    return Release(size, len(values), float(values.sum()))


def rows_needed(values: Floats, shares: Floats, risk: float, wealth: float = 1.0) -> int | None:
    """About how many more drawn rows it takes, if such shares of them have such values.

    `wealth` is what was won by now. None where correcting does no good.

    >>> gain_harm = np.array([1.0, -1.0])
    >>> rows_needed(gain_harm, np.array([0.75, 0.2]), 0.05)
    29
    >>> rows_needed(gain_harm, np.array([0.4, 0.5]), 0.05)
    """
    growth = float((np.log1p(_BETS[:, None] * values) @ shares).max())
    if growth <= 0:
        return None
    left = np.log(1 / risk) - np.log(max(wealth, _LEAST_WEALTH))
    return max(int(np.ceil(_MARGIN * left / growth)), 1)


def _looks(drawn: int) -> Places:
    """After how many drawn rows the rows left are tested."""
    return np.unique(np.linspace(1, drawn, min(drawn, _MOST_LOOKS)).astype(np.int64))


def _wealth_of_set(
    values: Floats, places: Places, size: int, looks: Places, lowest: float
) -> Floats:
    """What was won, (looks, drawn + 1), against no gain in what is left of the set at each look.

    A look sees the wealth after each row that was drawn before it; later ones are 0.
    """
    inside = places < size
    counts = np.concatenate([[0], np.cumsum(inside)])  # of the set, after each drawn row
    won = _wealth(values[inside], size, counts[looks], lowest)[:, counts]
    won[np.arange(len(counts)) > looks[:, None]] = 0
    return won


def _wealth(values: Floats, size: int, seen: Places, lowest: float) -> Floats:
    """The wealth after each drawn row of a set, from 1 before the first: (looks, drawn + 1).

    Against the hypothesis that all values of the set sum to those of the rows `seen` at a look
    (looks,), or to less. What comes after these is not to be read.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    # What the mean of the rows not drawn yet is at most, before each drawn one: (looks, drawn).
    null = (sums[seen, None] - sums[:-1]) / (size - np.arange(len(values)))
    most = 0.999 / np.maximum(null - lowest, 1e-9)  # a bet never loses more than there is
    wealth = np.zeros((len(seen), len(values)))
    for bet in _BETS:
        with np.errstate(invalid="ignore", divide="ignore"):  # after the rows seen
            paths = np.cumsum(np.log1p(np.minimum(bet, most) * (values - null)), axis=1)
        wealth += np.exp(paths) / len(_BETS)
    return np.hstack([np.ones((len(seen), 1)), wealth])
