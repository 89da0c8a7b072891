"""Worked values of what the noise in labels looks like."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.detection import confident, noise
from sqlfuncs.learning.detection.health import health


def _judged(wrong: np.ndarray, guesses: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two classes by turns, the surest first; `wrong` are called the other one.

    Of all rows a share of `guesses` is predicted to be of the other class, too: less sure ones.
    """
    rows = len(wrong)
    truth = np.arange(rows) % 2
    sure = np.linspace(0.99, 0.51, rows)
    odd = np.random.default_rng(0).random(rows) < 2 * guesses * (np.arange(rows) >= rows / 2)
    predicted = np.where(odd, 1 - truth, truth)
    probs = np.where(np.arange(2) == predicted[:, None], sure[:, None], 1 - sure[:, None])
    return np.where(wrong, 1 - truth, truth), probs


EVEN = np.arange(800) % 8 < 2  # a quarter of all rows
HARD = np.arange(800) >= 640  # those that the model is least sure of


@pytest.mark.parametrize(
    ("wrong", "guesses", "is_strong", "hits_hard_rows", "cut"),
    [
        (HARD, 0.0, True, True, "noise_corrected"),
        (EVEN, 0.0, True, False, "noise_corrected"),
        (np.arange(800) >= 530, 0.0, False, True, "noise_corrected"),
        (EVEN, 0.5, False, True, "prune_by_class"),
    ],
)
def test_which_cut_is_taken(
    wrong: np.ndarray, guesses: float, is_strong: bool, hits_hard_rows: bool, cut: str
) -> None:
    codes, probs = _judged(wrong, guesses)
    seen = noise.evidence(codes, probs)
    assert (seen.is_strong, seen.hits_hard_rows) == (is_strong, hits_hard_rows)
    assert confident.choose_cut(seen) == cut


def test_where_people_err_both_words_are_sharper_and_the_label_says_less() -> None:
    """Of 800 rows the model disagrees with 160, its least sure ones: .2 is the noise of T.

    Of the last row it says .51: by the posterior .2 * .51 of (.2 * .51 + .8 * .49).
    """
    codes, probs = _judged(HARD)
    found = noise.correction(codes, probs)
    assert found.transition == pytest.approx(np.array([[0.8, 0.2], [0.2, 0.8]]))
    deconvolved = noise.true_class_probabilities(codes, probs, found.transition)[-1]
    weights = deconvolved**0.225 * probs[-1] ** 1.5
    assert found.apply(codes, probs)[-1] == pytest.approx(weights / weights.sum())
    careful = noise.careful_correction(codes, probs)
    assert (careful.of_true, careful.of_model) == (0.5, 0.5)
    assert careful.transition[0, 1] < 0.01  # the surest rows do not disagree at all
    wrong = 1 - found.apply(codes, probs)[np.arange(800), codes]
    assert wrong[-1] > 1 - careful.apply(codes, probs)[-1, codes[-1]]


def test_a_class_of_few_rows_is_drawn_towards_the_noise_of_all() -> None:
    """By 30 rows: 200 anchors of each class, of which 20 and 40 disagree, 15 % of all."""
    predicted = np.repeat([0, 1], 200)
    codes = predicted.copy()
    codes[:20], codes[200:240] = 1, 0
    probs = np.where(np.arange(2) == predicted[:, None], 0.9, 0.1)
    found = noise.transition_matrix(codes, probs)
    assert found[0, 1] == pytest.approx((20 + 30 * 0.15) / 230)
    assert found[1, 0] == pytest.approx((40 + 30 * 0.15) / 230)


def test_the_fewest_wrong_labels_are_half_of_what_the_surest_rows_show() -> None:
    """A quarter of 800 labels is wrong, and the model errs in none: at least .08, not .18."""
    codes, probs = _judged(EVEN)
    found = health(codes, probs)
    assert found.low == pytest.approx([0.0813, 0.0813], abs=0.02)
    assert (found.low < found.error_rate).all() and (found.error_rate < found.high).all()
