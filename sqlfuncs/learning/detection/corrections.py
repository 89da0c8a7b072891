"""Which suggestions are better than the labels they replace, where nobody has reviewed a sample.

No statistic of labels and probabilities proves that a label is wrong: rows that are hard, or a
model that is weak, look like noise. So corrections are proposed only where the model disagrees with
labels much more than it could by its own errors; all else is left to `verification`, which asks
people. The constants were set on draws of people's labels and on labels with known noise, and
judged on other draws (`benchmarks/draws.py`), so that correcting does no harm:

* A model that may judge is strong (`Evidence.is_strong`), or so weak that its words weigh little.
  In between lie those that are sure of rows that people call otherwise for good reasons.
* A strong one disagrees with its surest rows by chance as often as it is unskilled, squared.
* A weak one shows it in the surest half of many rows, the more the weaker it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection import noise
from sqlfuncs.learning.detection.noise import Evidence, Floats
from sqlfuncs.learning.labels.classes import Codes

Mask = npt.NDArray[np.bool_]
ALL = slice(None)
NOT_JUDGED = "no row was judged"

# Of the surest rows, what a strong model may disagree with by its own errors: this times
# (1 - kappa) squared.
_STRONG_ERROR = 0.65
# Of its surest half, what a weak one may: half its kappa less than the first, and the second at
# least; the best that is weak; and fewer rows tell wrong labels from its errors by chance alone.
_WEAK_ERROR, _LEAST_WEAK_ERROR, _WEAK_KAPPA, _WEAK_ROWS = 0.33, 0.23, 0.24, 1200
# How much likelier than the given label a suggestion is. Where people err, probabilities are
# sharper (`noise.correction`).
_ODDS, _ODDS_OF_PEOPLE = 3.0, 5.0


@dataclass(frozen=True)
class Strength:
    """Whether a model may correct labels. `reason` is None where it may."""

    judged: int
    evidence: Evidence | None
    reason: str | None


def strength(codes: Codes, probs: Floats) -> Strength:
    """Whether the model behind some probabilities knows enough to correct labels."""
    if not len(codes):
        return Strength(0, None, NOT_JUDGED)
    seen = noise.evidence(codes, probs)
    return Strength(len(codes), seen, _too_weak(seen) or _too_few(seen) or _no_noise(seen))


def _too_weak(seen: Evidence) -> str | None:
    if seen.beats_the_majority:
        return None
    return (
        f"the model is too weak to judge: it agrees with {_percent(seen.agreement)} of the "
        f"labels (at least {_percent(seen.agreement_low)}, by its interval); always saying the "
        f"commonest label agrees with {_percent(seen.majority)}"
    )


def _too_few(seen: Evidence) -> str | None:
    if seen.is_strong or seen.rows >= _WEAK_ROWS:
        return None
    return (
        f"{seen.rows} rows are too few for a model of its skill (kappa {seen.kappa:.2f}) to tell "
        f"wrong labels from its own errors; it takes {_WEAK_ROWS}, or classes that it knows better"
    )


def _no_noise(seen: Evidence) -> str | None:
    if _disagrees_enough(seen) or seen.agreement == 1:
        return None
    return (
        "the labels show too little noise to tell it from the model's own errors: where it is "
        f"surest, {_percent(seen.sure_disagreement)} of the labels (in the surest half at least "
        f"{_percent(seen.half_disagreement_low)}) disagree, which says little of a model of its "
        f"skill (kappa {seen.kappa:.2f})"
    )


def _disagrees_enough(seen: Evidence) -> bool:
    if seen.is_strong:
        return seen.sure_disagreement_low >= _STRONG_ERROR * (1 - seen.kappa) ** 2
    own = max(_WEAK_ERROR - seen.kappa / 2, _LEAST_WEAK_ERROR)
    return seen.kappa < _WEAK_KAPPA and seen.half_disagreement_low >= own


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def worth_making(
    codes: Codes, probs: Floats, flagged: Mask, suggested: Codes, drawn: Mask | slice = ALL
) -> Mask:
    """Which of the flagged rows to relabel: (rows,) of bool.

    `suggested` (rows,) holds a class for the flagged rows. Nothing where `strength` says no. It is
    learned from the rows `drawn` (rows,), which stand for all rows of a table.
    """
    made = np.zeros(len(codes), dtype=bool)
    found = strength(codes[drawn], probs[drawn])
    if found.evidence is not None and found.reason is None:
        places = np.flatnonzero(flagged & (suggested != codes))
        made[places] = are_surely_better(codes, probs, places, suggested[places], drawn)
    return made


def are_surely_better(
    codes: Codes, probs: Floats, places: Codes, suggested: Codes, drawn: Mask | slice = ALL
) -> Mask:
    """Whether suggestions are so much likelier than the given labels, if the model may judge.

    `codes` (rows,) and `probs` (rows, classes) are of all rows, `suggested` (places,) of `places`;
    `drawn` (rows,) are those that are learned from.
    """
    seen = noise.evidence(codes[drawn], probs[drawn])
    given, rows = codes[places], np.arange(len(places))
    correction = noise.correction(codes[drawn], probs[drawn], seen)
    likely = correction.apply(given, probs[places])
    better: Mask = likely[rows, suggested] >= _odds(seen) * likely[rows, given]
    return better


def _odds(seen: Evidence) -> float:
    if seen.is_peoples:
        return _ODDS_OF_PEOPLE
    # A weak model sees people's mistakes on hard rows: it will not get surer of them.
    return _ODDS if seen.is_strong or not seen.hits_hard_rows else 1.0
