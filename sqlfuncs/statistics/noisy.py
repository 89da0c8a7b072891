"""How good predictions are where the labels to compare with are wrong now and then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.statistics.intervals import Z, wilson


@dataclass(frozen=True)
class Stratum:
    """Rows in which prediction and given label agree, or in which they do not.

    Of its `rows`, `reviewed` had a label looked up: in `predicted_right` the prediction is that
    label, in `given_right` the given one.
    """

    agrees: bool
    rows: int
    reviewed: int
    predicted_right: int
    given_right: int


@dataclass(frozen=True)
class Agreement:
    """How predicted, given and reviewed labels agree, in combinations of the three.

    All (combinations,): in how many rows (`count`) each is, whether the prediction is the given
    label (`agrees`), whether a label was looked up (`is_seen`), and then whether the prediction
    (`predicted_right`) and the given label (`given_right`) are that.
    """

    count: npt.NDArray[np.int64]
    agrees: npt.NDArray[np.bool_]
    is_seen: npt.NDArray[np.bool_]
    predicted_right: npt.NDArray[np.bool_]
    given_right: npt.NDArray[np.bool_]

    def strata(self) -> list[Stratum]:
        """Those that have rows."""
        found = []
        for agrees in (True, False):
            rows = self.agrees == agrees
            if rows.any():
                of = (rows, self.is_seen, self.predicted_right, self.given_right)
                found.append(Stratum(agrees, *(int(self.count[rows & each].sum()) for each in of)))
        return found


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


def accuracies(strata: Sequence[Stratum]) -> tuple[Share, Share]:
    """The accuracy of predictions, and that of given labels, as true labels would show them.

    Double sampling for stratification (Cochran, Sampling Techniques, 1977, chapter 12): in each
    stratum the share that is right is taken from the reviewed rows. `strata` have rows.

    >>> agree, differ = Stratum(True, 90, 9, 9, 9), Stratum(False, 10, 10, 6, 3)
    >>> [round(share.value, 2) for share in accuracies([agree, differ])]
    [0.96, 0.93]
    """
    return (
        _overall(strata, [each.predicted_right for each in strata]),
        _overall(strata, [each.given_right for each in strata]),
    )


def _overall(strata: Sequence[Stratum], right: Sequence[int]) -> Share:
    """The ends of a sum from those of its parts (Zou and Donner, Statistics in Medicine 2008).

    And how large the parts are, which the rows of the table are a sample of, too.
    """
    rows = sum(each.rows for each in strata)
    parts = [_part(each, hits) for each, hits in zip(strata, right, strict=True)]
    weights = [each.rows / rows for each in strata]
    value = sum(w * part.value for w, part in zip(weights, parts, strict=True))
    between = sum(w * (part.value - value) ** 2 for w, part in zip(weights, parts, strict=True))
    down = sum((w * (part.value - part.low)) ** 2 for w, part in zip(weights, parts, strict=True))
    up = sum((w * (part.high - part.value)) ** 2 for w, part in zip(weights, parts, strict=True))
    spread = Z**2 * between / rows
    return Share(
        value, max(0.0, value - math.sqrt(down + spread)), min(1.0, value + math.sqrt(up + spread))
    )


def _part(stratum: Stratum, hits: int) -> Share:
    """A share of which nothing is known is a half, anything between none and all."""
    if stratum.reviewed == 0:
        return Share(0.5, 0.0, 1.0)
    low, high = (float(wilson(hits, stratum.reviewed, side)) for side in (-1, 1))
    return Share(hits / stratum.reviewed, low, high)
