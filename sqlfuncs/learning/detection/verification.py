"""Which corrections people's review of a random sample of them allows.

Candidates are the rows whose suggestion is likelier right than the label they were given. In one
random order of all rows, what people have decided of them without a gap is a sample: where it ends
is a moment to look, and the test of `release` holds wherever one looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection import corrections, noise
from sqlfuncs.learning.detection.release import (
    GAIN_SETS,
    PRECISION_SETS,
    Outcome,
    outcome,
    rows_needed,
)
from sqlfuncs.learning.detection.sampling import sample
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats

Mask = npt.NDArray[np.bool_]

_PRIOR_ROWS = 10.0  # how many reviewed rows' worth the model's own estimate counts


@dataclass(frozen=True)
class Candidates:
    """Rows to correct, those that are expected to gain most first.

    `places` (candidates,) in the table; `right` and `harmful` (candidates,) how likely the
    suggestion and the label given are right, 0 to 1: the calibrated probabilities.
    """

    places: Codes
    right: Floats
    harmful: Floats


def candidates(
    codes: Codes,
    probs: Floats,
    flagged: Mask,
    suggested: Codes,
    drawn: Mask | slice = corrections.ALL,
) -> Candidates:
    """The flagged rows whose suggestion is likelier right than the given label, or surely is.

    What `corrections` would propose without a review is always among them.

    `codes` and `suggested` (rows,) are classes, the latter of the flagged rows only; `probs`
    (rows, classes) out of sample. The noise is learned from the rows `drawn` (rows,), which stand
    for all rows of a table.

    >>> probs = np.repeat([[0.1, 0.9], [0.9, 0.1]], 50, axis=0)
    >>> given, flagged = np.array([0] * 10 + [1] * 40 + [0] * 50), np.arange(100) < 10
    >>> len(candidates(given, probs, flagged, 1 - given).places)
    10
    """
    places = np.flatnonzero(flagged & (suggested != codes))
    if not len(places) or not len(codes[drawn]):
        return Candidates(places[:0], np.zeros(0), np.zeros(0))
    given, instead = codes[places], suggested[places]
    careful = noise.careful_correction(codes[drawn], probs[drawn])
    likely = careful.apply(given, probs[places])
    rows = np.arange(len(places))
    right, harmful = likely[rows, instead], likely[rows, given]
    sure = corrections.are_surely_better(codes, probs, places, instead, drawn)
    better = np.flatnonzero((right > harmful) | sure)
    best_first = better[np.argsort(harmful[better] - right[better], kind="stable")]
    return Candidates(places[best_first], right[best_first], harmful[best_first])


@dataclass(frozen=True)
class Reviews:
    """What people decided about rows: all (rows,).

    `ranks` are the places of the rows in a random order; `known` where somebody looked,
    `wrong` where the given label was found wrong, `confirmed` where the suggestion was found
    right. A row that nobody could decide is known and neither: it counts against a correction.
    `harmed` where the suggestion is worse than the label; where that is None, the label is right.
    """

    ranks: Codes
    known: Mask
    wrong: Mask
    confirmed: Mask
    harmed: Mask | None = None

    @classmethod
    def none(cls, rows: int) -> Reviews:
        """Of rows that nobody has looked at."""
        nowhere = np.zeros(rows, dtype=bool)
        return cls(np.arange(rows), nowhere, nowhere, nowhere)


@dataclass(frozen=True)
class Verified:
    """What the reviewed sample says of the candidates.

    `released` are places of rows to correct, and those of `size` candidates that are reviewed are
    the others of them; 0 where nothing is released. Of the `reviewed` rows that were drawn at
    random this rests on the `drawn`, those of the set: correcting was right for `right` and not for
    `harmful`. `is_refuted`: correcting surely does harm. `needed`: about how many more rows to
    review until it is decided, None if that is in vain.
    """

    released: Codes
    size: int
    candidates: int
    reviewed: int
    drawn: int
    right: int
    harmful: int
    is_refuted: bool
    needed: int | None


def verify(
    found: Candidates, reviews: Reviews, *, excludes: bool, risk: float, precision: float | None
) -> Verified:
    """The largest set of candidates of which correcting those that nobody reviewed does good.

    A correction is worth 1 if it is right, -1 if the label given was right, else 0; one that
    `excludes` the row is right if the label was wrong. With `precision` it is asked instead that
    at least such a share is right. A set that does not is released with a chance of `risk` or less.
    """
    drawn = sample(reviews.ranks[found.places], reviews.known[found.places])
    rows = found.places[drawn]
    right = reviews.wrong[rows] if excludes else reviews.confirmed[rows]
    harmed = ~reviews.wrong if excludes or reviews.harmed is None else reviews.harmed
    harmful = harmed[rows]
    worth = _worth(found, right, harmful, excludes, precision)
    ahead = outcome(
        worth.values, drawn, len(found.places), risk=risk, lowest=worth.lowest, sets=worth.sets
    )
    against = outcome(
        -worth.values, drawn, len(found.places), risk=risk, lowest=-worth.highest, sets={1.0: 1.0}
    )
    size = _chosen(ahead, precision)
    allowed = found.places[:size]
    inside = drawn < size if size else np.ones(len(drawn), dtype=bool)
    return Verified(
        released=allowed[~reviews.known[allowed]],
        size=size,
        candidates=len(found.places),
        reviewed=len(drawn),
        drawn=int(inside.sum()),
        right=int(right[inside].sum()),
        harmful=int(harmful[inside].sum()),
        is_refuted=size == 0 and bool(against.released),
        needed=_needed(worth, drawn, risk, ahead.wealth),
    )


def _chosen(ahead: Outcome, precision: float | None) -> int:
    """How many of the best candidates to release, of the sets that pass; 0 for none.

    Each of them passes, so any may be taken: the largest of which enough are right; or without
    what is beyond a smaller one, if that did harm where it was reviewed, by more than its standard
    error, which is 1 a row at most.
    """
    chosen = ahead.largest
    if precision is not None:
        return chosen.size
    for smaller in ahead.released[1:]:
        if chosen.value - smaller.value < -np.sqrt(chosen.drawn - smaller.drawn):
            chosen = smaller
    return chosen.size


@dataclass(frozen=True)
class _Worth:
    """What corrections are worth: of the drawn rows, and as expected of all candidates."""

    values: Floats
    expected: Floats
    lowest: float
    highest: float
    sets: Mapping[float, float]


def _worth(
    found: Candidates, right: Mask, harmful: Mask, excludes: bool, precision: float | None
) -> _Worth:
    foreseen = 1 - found.harmful if excludes else found.right
    if precision is None:
        values = right.astype(np.float64) - harmful
        return _Worth(values, foreseen - found.harmful, -1.0, 1.0, GAIN_SETS)
    values = right.astype(np.float64) - precision
    return _Worth(values, foreseen - precision, -precision, 1 - precision, PRECISION_SETS)


def _needed(worth: _Worth, drawn: Codes, risk: float, wealth: Sequence[float]) -> int | None:
    """About how many more rows to review, by what is expected and what the drawn ones showed."""
    rows = len(worth.expected)
    if not rows:
        return None
    # The model may expect too much or too little: the drawn rows say by how much.
    off = (worth.values - worth.expected[drawn]).sum() / (len(drawn) + _PRIOR_ROWS)
    spread = worth.highest - worth.lowest
    outcomes = np.array([worth.highest, worth.lowest])
    needed = []
    for share, won in zip(worth.sets, wealth, strict=True):
        size = round(share * rows)
        mean = worth.expected[: max(1, size)].mean() + off
        good = float(np.clip((mean - worth.lowest) / spread, 0, 1))
        of_set = rows_needed(outcomes, np.array([good, 1 - good]), risk, won)
        if of_set is not None and of_set < size - (drawn < size).sum():
            needed.append(of_set / share)
    return int(np.ceil(min(needed))) if needed else None
