"""How many wrong labels are left after how many reviewed rows, from a random sample of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.statistics.intervals import Floats, wilson

Mask = npt.NDArray[np.bool_]
# The lower ends of 95 % intervals of a Poisson mean after one, two and three cases.
_POISSON_LOW = np.array([np.nan, 0.0253, 0.2422, 0.6187])


@dataclass(frozen=True)
class Curve:
    """A point for today, the first, and for each step through what is not decided: all (points,).

    `reviewed` rows, the wrong labels that are then found and left with a 95 % interval, and the
    share of wrong labels among the rows of the step (NaN for the first).
    """

    reviewed: npt.NDArray[np.int64]
    errors_found: Floats
    errors_left: Floats
    errors_left_low: Floats
    errors_left_high: Floats
    precision: Floats


def errors_left(
    hits: npt.ArrayLike, m: npt.ArrayLike, n: npt.ArrayLike, known_wrong: npt.ArrayLike, side: int
) -> Floats:
    """The lower (-1) or upper (1) end of a 95 % interval of how many of `n` rows are wrong unknown.

    By `m` sampled rows, of which `hits` were wrong; `known_wrong` of the `n` are known already. NaN
    where no row was sampled, or none is left.

    >>> [errors_left(2, 50, 500, 0, side).round(1).tolist() for side in (-1, 1)]
    [2.4, 70.6]
    """
    hits, m, n, known = (np.asarray(each, dtype=np.float64) for each in (hits, m, n, known_wrong))
    # m sampled rows speak for n others as m * n / (m + n) do for endlessly many.
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(m * n > 0, m * n / (m + n), 0.0)
        found = wilson(hits * n / (m + n), weight, side) * n - known
        if side < 0:
            # Wilson's interval begins too high where there are one to three errors in the sample;
            # the Poisson distribution's does not (Brown, Cai, DasGupta 2001, section 4.1.1).
            few = (hits >= 1) & (hits <= 3)
            low = _POISSON_LOW[np.where(few, hits, 0).astype(np.int64)] / m * n - known
            found = np.where(few, low, found)
    return np.asarray(found, dtype=np.float64)


def review_curve(known: Mask, wrong: Mask, random: Mask, points: int) -> Curve:
    """The curve of rows in the order in which they are reviewed: all arguments are (rows,).

    `known`: people have decided, `wrong`: that the label is; `random`: the row is of the random
    sample, of which there is a row. `points` is 1 or more.
    """
    is_open = ~known
    places, at = _steps(is_open, points)

    def behind(of: Mask) -> Floats:
        """How many lie behind each place; 0 is before the first row."""
        counted = np.concatenate([[0], np.cumsum(of)])
        after: Floats = (counted[-1] - counted[places]).astype(np.float64)
        return after

    left, others = behind(is_open), behind(~random)
    sampled, hits, other_wrong = behind(random), behind(random & wrong), behind(~random & wrong)
    share = np.divide(hits, sampled, out=np.full(len(hits), np.nan), where=sampled > 0)
    # What is known of other rows is taken off; more review never leaves more.
    estimate = np.fmin.accumulate(share * others - other_wrong)
    errors = np.maximum(0.0, np.fmin(left, estimate))
    low = errors_left(hits, sampled, others, other_wrong, -1)
    high = errors_left(hits, sampled, others, other_wrong, 1)
    high = np.where(np.isnan(high), left, high)
    return Curve(
        int(known.sum()) + at,
        int((known & wrong).sum()) + errors[0] - errors,
        errors,
        np.minimum(errors, np.maximum(0.0, np.where(np.isnan(low), 0.0, low))),
        np.maximum(errors, np.minimum(left, high)),
        np.concatenate([[np.nan], (errors[:-1] - errors[1:]) / np.diff(at)]),
    )


def _steps(is_open: Mask, points: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the steps end: after how many rows, and after how many that are not decided."""
    rows = np.flatnonzero(is_open) + 1
    count = len(rows)
    steps = min(points, count)
    done = np.arange(1, count + 1)
    ends = done * steps // max(count, 1) > (done - 1) * steps // max(count, 1)
    return np.concatenate([[0], rows[ends]]), np.concatenate([[0], done[ends]])


def standard_errors_off(random: Mask) -> float:
    """How far the mean rank of a sample is from the middle of all rows, in standard errors.

    Below 0: nearer to the top. `random` (rows,) is in the order of the ranks, and true somewhere.

    >>> round(standard_errors_off(np.arange(100) < 10), 2)
    -5.17
    """
    rows, sampled = len(random), int(random.sum())
    spread = np.sqrt((rows + 1) * (rows - sampled) / (12 * sampled))
    mean = float((np.flatnonzero(random) + 1).mean())
    return float((mean - (rows + 1) / 2) / spread) if spread > 0 else 0.0
