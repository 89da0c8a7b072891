"""How many labels of each class are wrong, and what they should be.

The same disagreement between a model and labels may be noise or the model's own error: from
labels and probabilities alone the rate of wrong labels can be bounded, and guessed, but not
known. benchmarks/health.py compares guesses with the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sqlfuncs.learning.detection import certainty, noise
from sqlfuncs.learning.detection.sampling import Drawn
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.statistics.intervals import wilson
from sqlfuncs.statistics.prediction_powered import group_shares

_DIGITS = 9  # beyond are rounding errors, which depend on the order of the rows


@dataclass(frozen=True)
class Health:
    """The labels of each class: all (classes,).

    `error_rate`, `low` and `high` of 0..1 are shares of wrong labels among the rows given a
    class, NaN where there are none; `confused_with` the class that its wrong labels most often
    should be, -1 for none; `wrongly_elsewhere` how many rows of the class carry other labels.
    """

    error_rate: Floats
    low: Floats
    high: Floats
    confused_with: Codes
    wrongly_elsewhere: Floats


def health(codes: Codes, probs: Floats, drawn: Drawn | None = None) -> Health:
    """The health of labels, from given classes (rows,) and probabilities (rows, classes).

    With rows `drawn`, rates and their intervals rest on these, and on the model's word for the
    others (`statistics.prediction_powered`); those of a class of which none was drawn do not.
    """
    seen = noise.evidence(codes, probs)
    transition = noise.transition_matrix(codes, probs)
    learned = confident_joint(codes, probs)
    anchored = posterior_joint(codes, probs, transition, seen.noise)
    joint = learned if seen.is_peoples else anchored
    counts = np.bincount(codes, minlength=probs.shape[1])
    rate = error_rates(joint)
    least = _least(codes, probs, transition, seen, counts)
    likely = noise.careful_correction(codes, probs).apply(codes, probs)
    most = np.fmax(error_rates(learned), error_rates(_joint(codes, likely)))
    disagrees = np.bincount(codes, probs.argmax(axis=1) != codes, probs.shape[1])
    most = np.fmax(most, disagrees / np.where(counts > 0, counts, np.nan))
    wrong = joint.round(_DIGITS)
    np.fill_diagonal(wrong, 0.0)
    low, high = np.fmin(least, rate), np.fmax(_upper(most, counts), rate)
    if drawn is not None:
        foreseen = 1 - likely[np.arange(len(codes)), codes]
        found = group_shares(codes, foreseen, drawn.places, drawn.wrong, probs.shape[1])
        known = ~np.isnan(found.share)
        rate = np.where(known, found.share, rate)
        low, high = np.where(known, found.low, low), np.where(known, found.high, high)
    return Health(
        rate.round(_DIGITS),
        low.round(_DIGITS),
        high.round(_DIGITS),
        np.where(wrong.any(axis=1), wrong.argmax(axis=1), -1),
        wrong.sum(axis=0).round(_DIGITS),
    )


def confident_joint(codes: Codes, probs: Floats) -> Floats:
    """How many rows given k are of class j, by confident learning: (classes, classes).

    A row counts for the likeliest of the classes whose mean self-confidence it reaches; rows of
    the matrix are then scaled to the rows given each class (Northcutt, Jiang, Chuang, JAIR 2021,
    section 3.1; cleanlab.count.compute_confident_joint, without its rounding).

    >>> probs = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9]])
    >>> confident_joint(np.array([0, 1, 1, 1]), probs).round(2).tolist()
    [[1.0, 0.0], [0.0, 3.0]]
    """
    reached = probs >= certainty.mean_self_confidence(codes, probs) - certainty.ROUNDING
    likeliest = np.where(reached, probs, -1.0).argmax(axis=1)
    counted = reached.any(axis=1)
    joint = np.zeros((probs.shape[1], probs.shape[1]))
    np.add.at(joint, (codes[counted], likeliest[counted]), 1.0)
    joint[np.diag_indices(len(joint))] = np.maximum(1.0, joint.diagonal())
    given = np.bincount(codes, minlength=len(joint))
    scaled: Floats = joint / joint.sum(axis=1, keepdims=True) * given[:, None]
    return scaled


def posterior_joint(codes: Codes, probs: Floats, transition: Floats, rate: float) -> Floats:
    """The same by P(true class | x, given label), where noise has this rate: (classes, classes)."""
    scaled = noise.with_noise(transition, rate)
    return _joint(codes, noise.true_class_probabilities(codes, probs, scaled))


def error_rates(joint: Floats) -> Floats:
    """The share of each row of such a matrix that is off its diagonal; NaN for an empty row.

    >>> error_rates(np.array([[9.0, 1.0], [0.0, 0.0]])).round(2).tolist()
    [0.1, nan]
    """
    given = joint.sum(axis=1)
    right = joint.diagonal() / np.where(given > 0, given, np.nan)
    return np.clip(1 - right, 0, 1)


def _joint(codes: Codes, true: Floats) -> Floats:
    joint = np.zeros((true.shape[1], true.shape[1]))
    order = np.argsort(codes, kind="stable")
    given, starts = np.unique(codes[order], return_index=True)
    joint[given] = np.add.reduceat(true[order], starts, axis=0)
    return joint


def _least(
    codes: Codes, probs: Floats, transition: Floats, seen: noise.Evidence, counts: Codes
) -> Floats:
    """The fewest wrong labels that fit: half the noise that the surest rows show at least."""
    rate = max(0.0, seen.sure_disagreement_low - seen.own_error) / 2
    if rate == 0:
        return np.where(counts > 0, 0.0, np.nan)
    share = error_rates(posterior_joint(codes, probs, transition, rate))
    return wilson(share * counts, counts, -1)


def _upper(share: Floats, counts: Codes) -> Floats:
    return wilson(share * counts, counts, 1)
