"""Two predictions of the same rows against the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlfuncs.statistics.intervals import wilson


@dataclass(frozen=True)
class Comparison:
    """`difference` is that of the accuracies, after minus before, with its 95 % interval.

    `error_reduction` is the share of the errors that are gone, None where there was none; `p_value`
    is that of McNemar's exact test, two-sided.
    """

    n: int
    accuracy_before: float
    accuracy_after: float
    difference: float
    difference_low: float
    difference_high: float
    error_reduction: float | None
    only_before_right: int
    only_after_right: int
    p_value: float


def compare(both: int, only_before: int, only_after: int, none: int) -> Comparison:
    """From how many rows both have right, one of them, and none; one row or more in all.

    >>> found = compare(both=50, only_before=5, only_after=15, none=30)
    >>> round(found.difference, 3), round(found.difference_low, 3), round(found.p_value, 4)
    (0.1, 0.012, 0.0414)
    """
    n = both + only_before + only_after + none
    before, after = (both + only_before) / n, (both + only_after) / n
    low, high = _newcombe(both, only_before, only_after, none)
    return Comparison(
        n,
        before,
        after,
        after - before,
        max(-1.0, after - before - low),
        min(1.0, after - before + high),
        None if before == 1 else 1 - (1 - after) / (1 - before),
        only_before,
        only_after,
        mcnemar(only_before, only_after),
    )


def mcnemar(only_before: int, only_after: int) -> float:
    """The p-value of McNemar's exact test: a fair coin for each row that only one has right.

    Twice the smaller tail of the binomial distribution, which is symmetric: what
    scipy.stats.binomtest gives, whose module takes a second to import.

    >>> round(mcnemar(5, 15), 6), mcnemar(3, 3), mcnemar(0, 0)
    (0.041389, 1.0, 1.0)
    """
    from scipy.special import bdtr

    least, all_ = min(only_before, only_after), only_before + only_after
    return min(1.0, 2 * float(bdtr(least, all_, 0.5)))


def _newcombe(both: int, only_before: int, only_after: int, none: int) -> tuple[float, float]:
    """How far the interval of the difference reaches down and up.

    Newcombe, Improved confidence intervals for the difference between binomial proportions based
    on paired data (Statistics in Medicine 1998), method 10.
    """
    n = both + only_before + only_after + none
    before, after = (both + only_before) / n, (both + only_after) / n
    before_low, before_high = (float(wilson(both + only_before, n, side)) for side in (-1, 1))
    after_low, after_high = (float(wilson(both + only_after, n, side)) for side in (-1, 1))
    phi = _correlation(both, only_before, only_after, none)
    down, up = after - after_low, before_high - before
    low = math.sqrt(max(0.0, down**2 + up**2 - 2 * phi * down * up))
    up, down = after_high - after, before - before_low
    return low, math.sqrt(max(0.0, up**2 + down**2 - 2 * phi * up * down))


def _correlation(both: int, only_before: int, only_after: int, none: int) -> float:
    """Of the two outcomes, corrected for continuity."""
    n = both + only_before + only_after + none
    margins = (
        (both + only_before) * (only_after + none) * (both + only_after) * (only_before + none)
    )
    cross = both * none - only_before * only_after
    if margins == 0 or 0 <= cross <= n / 2:
        return 0.0
    return (cross - n / 2 if cross > 0 else cross) / math.sqrt(margins)
