"""What labels look like to a model, in a sentence or two for people who are no statisticians."""

from __future__ import annotations

from sqlfuncs.learning.detection import confident, corrections, noise
from sqlfuncs.learning.detection.sampling import Drawn
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats

CALIBRATED = "calibrated"  # by a reviewed sample: instead of the cut that 'auto' would stand for
_WHY = {
    CALIBRATED: "A label is flagged if it is likelier wrong than right, by what people found in a "
    "random sample ('calibrated')",
    "prune_by_class": "It knows hardly more than the commonest label, so only as many rows are "
    "flagged as confident learning counts errors in each class ('prune_by_class')",
    confident.NOISE_CORRECTED: "Whole classes may be mistaken for others, or the model errs "
    f"itself: noise is reckoned in ('{confident.NOISE_CORRECTED}')",
}
_WHY_PEOPLES = (
    "This is what people's mistakes on hard rows look like: there the model is believed rather "
    f"than the label, and another class is likelier ('{confident.NOISE_CORRECTED}')"
)


def explanation(codes: Codes, probs: Floats, cut: str, drawn: Drawn | None = None) -> str:
    """What the labels look like to the model, which cut was taken, and if it may correct them."""
    seen = noise.evidence(codes, probs)
    strength = "strong" if seen.is_strong else "weak"
    where = "less often" if seen.hits_hard_rows else "about as often"
    why = f"The cut '{cut}' was asked for"
    if cut == CALIBRATED:
        why = _WHY[cut]
    elif cut == "auto":
        taken = confident.choose_cut(seen)
        is_peoples = taken == confident.NOISE_CORRECTED and seen.is_peoples
        why = _WHY_PEOPLES if is_peoples else _WHY[taken]
    reason = corrections.strength(codes, probs).reason
    corrects = f"would propose nothing: {reason}" if reason else "may correct labels"
    rests = (
        f" Rates rest on {len(drawn.places)} rows that people reviewed, drawn at random."
        if drawn
        else ""
    )
    return (
        f"The model is {strength} (it agrees with {seen.agreement:.1%} of the labels, kappa "
        f"{seen.kappa:.2f}) and disagrees {where} where it is sure (with "
        f"{seen.sure_disagreement:.1%} of the surest {seen.sure_rows} rows; uniformity "
        f"{seen.uniformity:.2f}). {why}. auto_corrections {corrects}.{rests}"
    )
