"""Which suggestions are better than the labels they replace, and when a model may not say.

No statistic of labels and probabilities proves that a label is wrong: rows that are hard, or a
model that is weak, look like noise. The thresholds here were set on draws of people's labels
and on labels with known noise (docs/decisions.md), so that correcting does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection import noise
from sqlfuncs.learning.detection.noise import Evidence, Floats
from sqlfuncs.learning.labels.classes import Codes

Mask = npt.NDArray[np.bool_]

# How much likelier than the given label a suggestion is.
_ODDS, _GOOD_ODDS, _LONG_ODDS = 1.5, 2.0, 3.0
# What the surest rows disagree at least, by its interval, and by the model's kappa.
_KAPPAS = [0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9]
_NEEDED = [0.205, 0.18, 0.12, 0.09, 0.055, 0.034, 0.006]
# What the surest half of a weak model's rows disagree at least, by its interval and by kappa. The
# words of a very weak model weigh little, and a better one disagrees with more of the wrong labels.
_WEAK_KAPPAS, _WEAK_NEEDED = [0.0, 0.2, 0.24, 0.4], [0.33, 0.23, 0.23, 0.71]
_SKILLED = 0.24
_WEAK_ROWS = 1200  # fewer tell the noise of labels from the errors of a weak model by chance alone
_UNEVEN, _NEARLY_EVEN = 0.735, 0.78  # noise on hard rows, and perhaps on hard rows


@dataclass(frozen=True)
class Strength:
    """Whether a model may correct labels. `reason` is None where it may."""

    judged: int
    evidence: Evidence | None
    reason: str | None


def strength(codes: Codes, probs: Floats) -> Strength:
    """Whether the model behind some probabilities knows enough to correct labels."""
    if not len(codes):
        return Strength(0, None, "no row was judged")
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
    needed = float(np.interp(seen.kappa, _KAPPAS, _NEEDED))
    enough = seen.sure_disagreement_low >= needed if seen.is_strong else _is_noisy_for_sure(seen)
    if enough or seen.agreement == 1:
        return None
    return (
        "the labels show too little noise to tell it from the model's own errors: where it is "
        f"surest, {_percent(seen.sure_disagreement)} of the labels (in the surest half at least "
        f"{_percent(seen.half_disagreement_low)}) disagree, which says little of a model of its "
        f"skill (kappa {seen.kappa:.2f})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _is_noisy_for_sure(seen: Evidence) -> bool:
    needed = float(np.interp(seen.kappa, _WEAK_KAPPAS, _WEAK_NEEDED))
    return seen.half_disagreement_low >= needed


def worth_making(codes: Codes, probs: Floats, flagged: Mask, suggested: Codes) -> Mask:
    """Which of the flagged rows to relabel: (rows,) of bool.

    `suggested` (rows,) holds a class for the flagged rows. Nothing where `strength` says no.
    """
    nothing = np.zeros(len(codes), dtype=bool)
    found = strength(codes, probs)
    if found.evidence is None or found.reason is not None:
        return nothing
    seen = found.evidence
    better: Mask = flagged & (suggested != codes)
    is_skilled = seen.kappa >= _SKILLED
    if not is_skilled and seen.uniformity < _UNEVEN:
        return better
    if seen.is_strong and seen.hits_hard_rows:
        likely, odds = probs, _LONG_ODDS
    elif not seen.is_strong and seen.uniformity < _NEARLY_EVEN:
        likely, odds = noise.corrected(codes, probs), _GOOD_ODDS if is_skilled else _ODDS
    else:
        transition = noise.with_noise(noise.transition_matrix(codes, probs), seen.noise)
        likely = noise.true_class_probabilities(codes, probs, transition)
        odds = _ODDS if seen.is_strong else _LONG_ODDS
    rows = np.arange(len(codes))
    better &= likely[rows, suggested] >= odds * likely[rows, codes]
    return better
