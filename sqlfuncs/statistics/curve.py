"""How many wrong labels are left after how many reviewed rows, from a random sample of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.statistics.intervals import Floats, wilson
from sqlfuncs.wording import Option, Words

Mask = npt.NDArray[np.bool_]
_MOST_OFF = 4.0  # standard errors that the mean rank of a random sample may be from the middle
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
    sample. Raises BadOption for less than a point, and BadInput where nothing can be estimated.
    """
    if points < 1:
        raise BadOption(
            f"review_curve: {Option('points', points)} is too few. It has to be 1 or more."
        )
    _check_sample(known, random)
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
        np.concatenate([[np.nan], -np.diff(errors) / np.diff(at)]),
    )


def _steps(is_open: Mask, points: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the steps end: after how many rows, and after how many that are not decided."""
    rows = np.flatnonzero(is_open) + 1
    count = len(rows)
    steps = min(points, count)
    done = np.arange(1, count + 1)
    ends = done * steps // max(count, 1) > (done - 1) * steps // max(count, 1)
    return np.concatenate([[0], rows[ends]]), np.concatenate([[0], done[ends]])


def _check_sample(known: Mask, random: Mask) -> None:
    rows, sampled = len(random), int(random.sum())
    if not rows:
        raise BadInput("review_curve: no row of the table was judged.")
    if not sampled:
        raise BadInput(
            "review_curve: no row of a random sample has been reviewed: nothing tells how many "
            "errors are left. Review 20 rows drawn at random or more, and write relabel or keep "
            'into the log: sqlfuncs review shows them in the order "random sample", the query '
            "file review_queue with order=random."
        )
    spread = np.sqrt((rows + 1) * (rows - sampled) / (12 * sampled))
    mean = float((np.flatnonzero(random) + 1).mean())
    off = (mean - (rows + 1) / 2) / spread if spread > 0 else 0.0
    if abs(off) > _MOST_OFF:
        raise BadInput(
            f"review_curve: the {sampled} reviewed rows are no random sample: their mean place in "
            f"the ranking is {abs(off):.1f} standard errors "
            f"{'nearer to the top' if off < 0 else 'further down'} than chance would put it. "
            "Review some rows drawn at random and name the table that has their keys: "
            f"{Option('sample', Words('drawn'))}."
        )
