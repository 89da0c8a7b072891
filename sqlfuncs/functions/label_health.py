"""`label_health(tbl, x, label)`: how many labels of each class are wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.functions import label_issues
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.detection import confident, corrections, noise
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats


def label_health(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "auto",
    folds: int = 5,
    seed: int = 0,
) -> pa.StructArray:
    """How many labels of each class are wrong: a row per class, in the order of the classes.

    `label`; `rows` given it; `flagged` among them, as `label_issues` flags; `error_rate`, the
    estimated share of wrong labels among them (0 .. 1), between `error_rate_low` and
    `error_rate_high`; `confused_with`, the class that the wrong ones most often should be (NULL:
    none); `wrongly_elsewhere`, how many rows of this class are estimated to carry other labels;
    then, the same in each row, `cut` (what flagged rows) and `explanation` (why it, and if
    `auto_corrections` would propose nothing, why).

    The interval is wide on purpose. Its lower end is half the noise that labels show at least
    where the model is surest; its upper end takes all disagreement with the model for wrong
    labels; both are then widened by a 95 % Wilson interval. Where the model is weak, no estimate
    from labels alone is better than that: only looking at a sample of rows is.

    Rows without a label are not counted. Estimates are about the rows that could be judged, and
    NULL for a class of which there is none. Options and errors are those of `label_issues`.
    """
    judged, found = label_issues.issues(rows, model, cut, method, folds, seed)
    codes, probs = judged.evidence
    estimated = health(codes, probs)
    given = judged.labels.texts.drop_null().to_pylist()
    # A label that no map of probabilities names has rows, but nothing is known of them.
    names = classes.in_order({*judged.classes, *given})
    place = classes.codes(names, judged.classes)
    known = place >= 0
    count = np.bincount(classes.codes(given, names), minlength=len(names))
    flagged = np.bincount(codes[found.flagged], minlength=len(judged.classes))
    confused = np.where(known, estimated.confused_with[place], -1)
    taken = confident.choose_cut(codes, probs) if cut == "auto" else cut
    return pa.StructArray.from_arrays(
        [
            pa.array(names, pa.string()),
            pa.array(count),
            pa.array(np.where(known, flagged[place], 0)),
            _known(estimated.error_rate, place),
            _known(estimated.low, place),
            _known(estimated.high, place),
            pa.array(judged.classes, pa.string()).take(pa.array(confused, mask=confused < 0)),
            _known(estimated.wrongly_elsewhere, place),
            pa.array([taken] * len(names)),
            pa.array([explanation(codes, probs, cut)] * len(names)),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


def _known(values: npt.NDArray[np.float64], place: Codes) -> pa.Array:
    """A value for each class, NULL where it is NaN or the class has no probabilities."""
    found = np.where(place >= 0, values[place], np.nan)
    return pa.array(found, mask=np.isnan(found))


_WHY = {
    "prune_by_class": "It knows hardly more than the commonest label, so only as many rows are "
    "flagged as confident learning counts errors in each class ('prune_by_class')",
    confident.NOISE_CORRECTED: "Whole classes may be mistaken for others, or the model errs "
    f"itself: noise is reckoned in ('{confident.NOISE_CORRECTED}')",
    "predicted_neq_given": "This is what people's mistakes on hard rows look like: every label "
    "that is not the likeliest class is flagged ('predicted_neq_given')",
}


def explanation(codes: Codes, probs: Floats, cut: str) -> str:
    """What the labels look like to the model, which cut was taken, and if it may correct them."""
    seen = noise.evidence(codes, probs)
    strength = "strong" if seen.is_strong else "weak"
    where = "less often" if seen.hits_hard_rows else "about as often"
    taken = confident.choose_cut(codes, probs)
    why = _WHY[taken] if cut == "auto" else f"The cut '{cut}' was asked for"
    reason = corrections.strength(codes, probs).reason
    corrects = f"would propose nothing: {reason}" if reason else "may correct labels"
    return (
        f"The model is {strength} (it agrees with {seen.agreement:.1%} of the labels, kappa "
        f"{seen.kappa:.2f}) and disagrees {where} where it is sure (with "
        f"{seen.sure_disagreement:.1%} of the surest {seen.sure_rows} rows; evenness "
        f"{seen.evenness:.2f}). {why}. auto_corrections {corrects}."
    )


FUNCTION = TableFunction(
    name="label_health",
    compute=label_health,
    inputs=("x", "label"),
    keeps_rows=False,
    returns=(
        Column("label", "label", "the class"),
        Column("rows", pa.int64(), "given it"),
        Column("flagged", pa.int64(), "of these, as label_issues flags"),
        Column("error_rate", pa.float64(), "estimated share of wrong labels among them"),
        Column("error_rate_low", pa.float64(), "the least it may be"),
        Column("error_rate_high", pa.float64(), "the most it may be"),
        Column("confused_with", "label", "what its wrong labels most often should be"),
        Column("wrongly_elsewhere", pa.float64(), "estimated rows of it that have other labels"),
        Column("cut", pa.string(), "what flagged rows"),
        Column("explanation", pa.string(), "why, and whether labels may be corrected"),
    ),
)
