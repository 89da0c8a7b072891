"""Which suggestions are better than the labels they replace, and when a model may not say.

No statistic of labels and probabilities proves that a label is wrong: rows that are hard, or a
model that is weak, look like noise. The thresholds here were set on draws of people's labels
and on labels with known noise (docs/decisions.md), so that correcting does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning import noise
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.noise import Evidence, Floats

Mask = npt.NDArray[np.bool_]

_ODDS, _ODDS_OF_THE_WEAK = 1.5, 3.0  # how much likelier than the given label a suggestion is
# Noise among the surest rows below which it may be the model's own error, by kappa.
_KAPPAS, _NEEDED = [0.4, 0.6], [0.11, 0.02]
_CERTAIN_NOISE = 0.155  # and of that much, nine times in ten, before hard rows are corrected
_NEARLY_EVEN = 0.78
_Z = 1.96


@dataclass(frozen=True)
class Strength:
    """Whether a model may correct labels. `reason` is None where it may."""

    judged: int
    evidence: Evidence | None
    agreement_low: float
    reason: str | None


def strength(codes: Codes, probs: Floats) -> Strength:
    """Whether the model behind some probabilities knows enough to correct labels."""
    if not len(codes):
        return Strength(0, None, 0.0, "no row was judged")
    seen = noise.evidence(codes, probs)
    low = wilson_low(seen.agreement, len(codes))
    return Strength(len(codes), seen, low, _too_weak(seen, low) or _no_noise(seen))


def _too_weak(seen: Evidence, low: float) -> str | None:
    if low > seen.majority:
        return None
    return (
        f"the model is too weak to judge: it agrees with {seen.agreement:.1%} of the labels "
        f"(at least {low:.1%}, by its interval); always saying the commonest label agrees with "
        f"{seen.majority:.1%}"
    )


def _no_noise(seen: Evidence) -> str | None:
    needed = float(np.interp(seen.kappa, _KAPPAS, _NEEDED))
    if seen.noise >= needed or seen.agreement == 1:
        return None
    return (
        f"the labels show too little noise to tell it from the model's own errors: where it is "
        f"surest, {seen.sure_disagreement:.1%} of the labels disagree, of which about "
        f"{seen.noise:.1%} count as wrong; a model of its skill (kappa {seen.kappa:.2f}) needs "
        f"{needed:.1%}"
    )


def wilson_low(share: float, rows: int) -> float:
    """The lower end of the 95 % Wilson interval of a share.

    >>> round(wilson_low(0.8, 100), 3)
    0.711
    """
    spread = _Z * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    return float((share + _Z**2 / (2 * rows) - spread) / (1 + _Z**2 / rows))


def worth_making(codes: Codes, probs: Floats, flagged: Mask, suggested: Codes) -> Mask:
    """Which of the flagged rows to relabel: (rows,) of bool.

    `suggested` (rows,) holds a class for the flagged rows. Nothing where `strength` says no.
    """
    nothing = np.zeros(len(codes), dtype=bool)
    found = strength(codes, probs)
    if found.evidence is None or found.reason is not None:
        return nothing
    seen = found.evidence
    believed = wilson_low(seen.sure_disagreement, seen.sure_rows) >= _CERTAIN_NOISE
    better: Mask = flagged & (suggested != codes)
    if believed and seen.hits_hard_rows:
        return better
    if believed and seen.evenness < _NEARLY_EVEN:
        likely, odds = noise.corrected(codes, probs), _ODDS
    else:
        transition = noise.with_noise(noise.transition_matrix(codes, probs), seen.noise)
        likely = noise.true_class_probabilities(codes, probs, transition)
        odds = _ODDS if seen.is_strong else _ODDS_OF_THE_WEAK
    rows = np.arange(len(codes))
    better &= likely[rows, suggested] >= odds * likely[rows, codes]
    return better
