"""Labels that are numbers, judged by how far they are from what models foresaw of them.

A label is right, and then its residual is normal, of a spread that the row has; or it is wrong, and
then it may be anything: a mixture of a normal and an even distribution (Banfield, Raftery:
Biometrics 49, 1993, section 4). It is fitted by what lies in the middle and in the tail, so that
residuals that are neither (of a bounded scale, say) are not taken for a mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STEPS, _SMALL_STEP = 50, 1e-6
_MOST_WRONG = 0.5  # of the labels: else the model, and not they, would be the exception
_TAIL, _NORMAL_TAIL = 3.0, 0.0027  # standard deviations, and what of a normal lies beyond
_TO_SPREAD = 1.4826  # from the median absolute deviation to a normal's standard deviation
_HELD = 0.99  # of the labels, by the interval
_LEAST_SPREAD = 1e-9  # of the farthest residual
_TINY = 1e-12
_FARTHEST = 1e300
_OUT_OF_PROPORTION = 1e6  # to the median


@dataclass(frozen=True)
class Residuals:
    """Of labels given and predicted: all (rows,), but for `reach`.

    `quality` is how likely the label is right; `low` to `high` is what it may be, `reach` spreads
    around the prediction, and `flagged` are labels outside. The interval holds all labels that are
    likelier right than wrong, or 99 of 100 if those are fewer, as conformal intervals by residuals
    out of sample do (Lei et al.: JASA 113, 2018, section 2.2 and, for spreads by row, 5.2).
    `confidence`: how likely the true number is nearer to the prediction than to the label.
    """

    quality: Floats
    flagged: Mask
    confidence: Floats
    low: Floats
    high: Floats
    reach: float


def find(given: Floats, predicted: Floats, spread: Floats) -> Residuals:
    """Judge labels (rows,) by predictions out of sample and the spread expected of each, above 0.

    >>> random = np.random.default_rng(0)
    >>> given = random.normal(size=200); given[0] = 30
    >>> found = find(given, np.zeros(200), np.ones(200))
    >>> np.flatnonzero(found.flagged).tolist(), bool(found.low[0] < 0 < found.high[0] < 30)
    ([0], True)
    """
    with np.errstate(over="ignore"):
        far = np.minimum(np.abs(given - predicted) / spread, _FARTHEST)
    # As shares of the farthest, whose squares are finite; what is out of all proportion is as far
    # as what is far, so that it says nothing of the others.
    near = np.minimum(
        far, _OUT_OF_PROPORTION * (float(np.median(far)) if len(far) else 0) or np.inf
    )
    most = float(near.max(initial=0.0)) or 1.0
    share, scale = _mixture(near / most)
    quality = np.maximum(_right(near / most, share, scale), _TINY / (1 + far / most / scale))
    reach = min(_edge(far, quality >= 0.5, most * _crossing(share, scale)), _conformal(far))
    return Residuals(
        quality,
        far > reach,
        (1 - quality) * _within(near / most / 2, scale),
        predicted - reach * spread,
        predicted + reach * spread,
        reach,
    )


def _edge(far: Floats, inside: Mask, crossing: float) -> float:
    """Where labels begin to be likelier wrong than right: beyond those inside, before others."""
    last = float(far[inside].max(initial=0.0))
    return (
        last if inside.all() else min(max(crossing, last), float(far[~inside].min()) * (1 - 1e-9))
    )


def _crossing(share: float, scale: float) -> float:
    """How far a label is that is as likely wrong as right: `_right` is one half there."""
    if share <= 0:
        return np.inf
    ratio = (1 - share) * np.sqrt(2 / np.pi) / (scale * share)
    return float(scale * np.sqrt(2 * np.log(ratio))) if ratio > 1 else 0.0


def _conformal(far: Floats) -> float:
    """What a label to come exceeds with a chance of 1 in 100 at most; infinite for few labels."""
    place = int(np.ceil((len(far) + 1) * _HELD)) - 1
    return float(np.sort(far)[place]) if place < len(far) else np.inf


def _mixture(far: Floats) -> tuple[float, float]:
    """The share of wrong labels, and the standard deviation of the others' residuals.

    `far` (rows,) are shares of the farthest: 0 to 1. The spread is told by the median, and the
    share by how many more are beyond three of it than of a normal distribution would be: labels
    that are only a little unlike one leave no wrong ones.
    """
    share, scale = 0.0, 1.0
    ordered = np.sort(far)
    for _ in range(_STEPS):
        # Of the right ones half are nearer than their median, and of the wrong ones its share.
        median = scale / _TO_SPREAD
        place = (1 - share) / 2 + share * min(1.0, median)
        before, scale = scale, max(_TO_SPREAD * _quantile(ordered, place), _LEAST_SPREAD)
        beyond = float((far > _TAIL * scale).mean())
        expected, even = _NORMAL_TAIL, 1 - _TAIL * scale
        share = 0.0
        if even > expected:
            share = min(_MOST_WRONG, max(0.0, (beyond - expected) / (even - expected)))
        if abs(scale - before) < _SMALL_STEP * scale:
            break
    return share, scale


def _quantile(ordered: Floats, place: float) -> float:
    return float(np.interp(place * (len(ordered) - 1), np.arange(len(ordered)), ordered))


def _right(far: Floats, share: float, scale: float) -> Floats:
    """How likely labels so far from their prediction are right.

    Distances are positive: both densities are those of absolute values.
    """
    right = (1 - share) * np.sqrt(2 / np.pi) / scale * np.exp(-0.5 * (far / scale) ** 2)
    found: Floats = right / (right + share + _TINY)
    return found


def _within(far: Floats, scale: float) -> Floats:
    """How likely a right residual is smaller than that."""
    from scipy.special import erf

    found: Floats = erf(far / (scale * np.sqrt(2)))
    return found
