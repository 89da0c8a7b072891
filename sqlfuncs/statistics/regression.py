"""How well predicted numbers agree with the true ones, from how often the two occur together.

All (combinations,): true and predicted numbers, and in how many rows. Intervals are normal, at
95 %, of the mean over rows of what each adds to a figure: its influence (Hampel: JASA 69, 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.statistics.intervals import Floats, Z

Counts = npt.NDArray[np.int64]

_SQUARABLE = 1e140  # of larger ones a sum of squares may be infinite


@dataclass(frozen=True)
class RegressionEvaluation:
    """Mean absolute error, root mean squared error, and the share of the variance explained.

    Each with its 95 % interval; `r2` is NaN where the true numbers are all the same.
    """

    n: int
    mae: float
    mae_low: float
    mae_high: float
    rmse: float
    rmse_low: float
    rmse_high: float
    r2: float
    r2_low: float
    r2_high: float


@dataclass(frozen=True)
class RegressionComparison:
    """Two predictions of the same rows: `difference` is that of mean absolute errors.

    After minus before, with its 95 % interval: below 0 where the second is better.
    `error_reduction` is the share of the error that is gone, NaN where there was none; `p_value`
    that of a paired, two-sided z test of the difference; of a sign test where all are the same.
    """

    n: int
    mae_before: float
    mae_after: float
    difference: float
    difference_low: float
    difference_high: float
    error_reduction: float
    only_before_nearer: int
    only_after_nearer: int
    p_value: float


def evaluate(actual: Floats, predicted: Floats, count: Counts) -> RegressionEvaluation:
    """All of it in one.

    >>> found = evaluate(np.array([1.0, 2, 3]), np.array([1.0, 2, 5]), np.array([5, 5, 2]))
    >>> found.n, round(found.mae, 3), round(found.rmse, 3), round(found.r2, 3)
    (12, 0.333, 0.816, -0.28)
    """
    # In units of the largest, whose squares are finite.
    unit = float(max(np.abs(actual).max(), np.abs(predicted).max())) or 1.0
    actual, error = actual / unit, np.abs(actual / unit - predicted / unit)
    mae, mae_spread = _mean(error, count)
    mse, _ = _mean(error**2, count)
    rmse = float(np.sqrt(mse))
    rmse_spread = _spread((error**2 - mse) / (2 * rmse), count) if rmse > 0 else 0.0
    mean, _ = _mean(actual, count)
    variance, _ = _mean((actual - mean) ** 2, count)
    r2, r2_low, r2_high = np.nan, np.nan, np.nan
    if np.ptp(actual) > 0 and variance > 0:
        r2 = 1 - mse / variance
        added = mse * ((actual - mean) ** 2 - variance) / variance**2 - (error**2 - mse) / variance
        spread = _spread(added, count)
        r2_low, r2_high = r2 - spread, min(1.0, r2 + spread)
    return RegressionEvaluation(
        int(count.sum()),
        mae * unit,
        max(0.0, mae - mae_spread) * unit,
        (mae + mae_spread) * unit,
        rmse * unit,
        max(0.0, rmse - rmse_spread) * unit,
        (rmse + rmse_spread) * unit,
        float(r2),
        float(r2_low),
        float(r2_high),
    )


def compare(actual: Floats, before: Floats, after: Floats, count: Counts) -> RegressionComparison:
    """Two predictions, of rows that have both.

    >>> true, worse = np.arange(4.0), np.arange(4.0) + [1, 2, 1, 2]
    >>> found = compare(true, worse, true, np.full(4, 5))
    >>> found.difference, round(found.difference_low, 2), found.p_value < 0.001
    (-1.5, -1.72, True)
    """
    from scipy.special import ndtr

    was, is_ = np.abs(actual - before), np.abs(actual - after)
    (mae_before, _), (mae_after, _) = _mean(was, count), _mean(is_, count)
    difference, spread = _mean(is_ - was, count)
    n = int(count.sum())
    if spread > 0:
        p_value = float(2 * ndtr(-abs(difference) / (spread / Z)))
    else:  # by the signs alone, where all differences are the same
        p_value = 1.0 if difference == 0 else min(1.0, 2 * 0.5**n)
    return RegressionComparison(
        n,
        mae_before,
        mae_after,
        difference,
        difference - spread,
        difference + spread,
        1 - mae_after / mae_before if mae_before > 0 else np.nan,
        int(count[was < is_].sum()),
        int(count[is_ < was].sum()),
        p_value,
    )


def _mean(values: Floats, count: Counts) -> tuple[float, float]:
    """The mean over rows, and half the width of its interval."""
    mean = float(np.average(values, weights=count))
    return mean, _spread(values - mean, count)


def _spread(centred: Floats, count: Counts) -> float:
    """Half the width of the interval of a mean, from what rows are off it."""
    n, largest = int(count.sum()), float(np.abs(centred).max())
    unit = largest if largest > _SQUARABLE else 1.0
    variance = float(count @ (centred / unit) ** 2) / max(n - 1, 1)
    return float(unit * Z * np.sqrt(variance / n))
