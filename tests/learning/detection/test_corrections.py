from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.detection import confident, corrections, noise
from tests.learning.detection.test_confident import sampled

EVEN = np.full((4, 4), 0.1) + np.eye(4) * 0.6
PAIRS = np.eye(4) * 0.7 + np.roll(np.eye(4), 1, axis=1) * 0.3
CLEAN = np.eye(4)


def _gain(given: np.ndarray, probs: np.ndarray, true: np.ndarray) -> tuple[int, int]:
    """How many labels are proposed, and how many more are right for it."""
    found = confident.find(given, probs, "auto", "auto")
    made = corrections.worth_making(given, probs, found.flagged, found.suggested)
    return int(made.sum()), int((found.suggested == true)[made].sum() - (given == true)[made].sum())


@pytest.mark.parametrize("transition", [EVEN, PAIRS])
@pytest.mark.parametrize("skill", [2, 4, 8])
def test_noise_of_classes_is_corrected(transition: np.ndarray, skill: float) -> None:
    given, probs, true = sampled(transition, skill=skill, hard=0)
    assert corrections.strength(given, probs).reason is None
    proposed, gain = _gain(given, probs, true)
    assert gain > 0.5 * proposed > 0


@pytest.mark.parametrize("skill", [0.7, 1, 2, 4, 8])
@pytest.mark.parametrize("seed", range(3))
def test_labels_that_are_right_are_left_alone(skill: float, seed: int) -> None:
    """What a model disagrees with is then its own error, however weak or strong it is."""
    given, probs, true = sampled(CLEAN, skill=skill, hard=0, seed=seed)
    proposed, gain = _gain(given, probs, true)
    assert gain >= -0.003 * len(given)
    assert proposed <= 0.003 * len(given)


def test_a_model_that_knows_nothing_proposes_nothing() -> None:
    random = np.random.default_rng(0)
    given, probs = random.integers(3, size=900), random.dirichlet(np.ones(3), size=900)
    found = corrections.strength(given, probs)
    assert found.reason is not None
    assert found.reason.startswith("the model is too weak")
    everything = np.ones(900, dtype=bool)
    suggested = (given + 1) % 3
    assert not corrections.worth_making(given, probs, everything, suggested).any()


def test_no_rows_at_all() -> None:
    found = corrections.strength(np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    assert (found.judged, found.evidence, found.reason) == (0, None, "no row was judged")


def test_the_order_of_rows_changes_nothing() -> None:
    given, probs, _ = sampled(PAIRS, skill=3, hard=0)
    shuffle = np.random.default_rng(1).permutation(len(given))
    assert noise.evidence(given, probs) == noise.evidence(given[shuffle], probs[shuffle])
    straight = noise.transition_matrix(given, probs)
    assert (straight == noise.transition_matrix(given[shuffle], probs[shuffle])).all()


def test_the_transition_matrix_is_found() -> None:
    given, probs, _ = sampled(PAIRS, skill=6, hard=0)
    assert np.abs(noise.transition_matrix(given, probs) - PAIRS).max() < 0.08


def test_more_classes_than_a_matrix_can_be_learned_for() -> None:
    random = np.random.default_rng(0)
    given = random.integers(200, size=1000)
    probs = random.dirichlet(np.ones(200), size=1000)
    probs[np.arange(1000), given] += 1
    probs /= 2
    matrix = noise.transition_matrix(given, probs)
    assert matrix.shape == (200, 200)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(200))
    assert noise.corrected(given, probs).sum(axis=1) == pytest.approx(np.ones(1000))


def test_probabilities_of_zero_and_one() -> None:
    given = np.array([0, 1] * 20)
    probs = np.eye(2)[np.array([0, 1] * 19 + [1, 1])]
    corrected = noise.corrected(given, probs)
    assert np.isfinite(corrected).all()
    assert corrected.sum(axis=1) == pytest.approx(np.ones(40))


@pytest.mark.parametrize("rows", [300, 600])
def test_few_rows_do_not_tell_noise_from_a_weak_models_errors(rows: int) -> None:
    given, probs, _ = sampled(EVEN, skill=1, hard=0)
    assert noise.evidence(given, probs).kappa < 0.4
    assert "too few" not in (corrections.strength(given, probs).reason or "")
    few = corrections.strength(given[:rows], probs[:rows])
    assert few.reason is not None
    assert few.reason.startswith((f"{rows} rows are too few", "the model is too weak"))


@pytest.mark.parametrize("seed", range(10))
def test_few_labels_that_are_right_are_left_alone(seed: int) -> None:
    """Among few rows, chance alone makes the surest disagree."""
    given, probs, true = sampled(CLEAN, skill=2, hard=0, seed=seed)
    proposed, gain = _gain(given[:300], probs[:300], true[:300])
    assert gain >= -0.01 * 300
    assert proposed <= 0.02 * 300


def test_of_a_model_that_is_worse_than_chance_nothing_is_learned_of_the_noise() -> None:
    codes = np.arange(200) % 2
    probs = np.where(codes[:, None] == [0, 1], 0.2, 0.8)
    assert noise.transition_matrix(codes, probs).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert noise.transition_matrix(1 - codes, probs).diagonal().min() > 0.9


def test_that_no_anchor_disagrees_does_not_show_that_no_label_can_be_wrong() -> None:
    codes = np.arange(200) % 2
    probs = np.where(codes[:, None] == [0, 1], 0.9, 0.1)
    matrix = noise.transition_matrix(codes, probs)
    assert 0 < matrix[0, 1] < 0.01


def _seen(**given: float) -> noise.Evidence:
    """What is seen of 5,000 rows: by default a strong model, and noise that hits all alike."""
    usual: dict[str, float] = {
        "rows": 5000, "agreement": 0.7, "majority": 0.3, "kappa": 0.6, "sure_disagreement": 0.2,
        "sure_rows": 250, "uniformity": 1.0, "half_disagreement": 0.3, "half_rows": 2500,
    }  # fmt: skip
    return noise.Evidence(**{**usual, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "enough"),
    [
        (_seen(), True),
        (_seen(sure_disagreement=0.1), False),  # .07 by its interval, of .65 * .16
        (_seen(sure_disagreement=0.1, kappa=0.8), True),  # of .65 * .04
        (_seen(kappa=0.1, half_disagreement=0.28), False),  # its own errors: .33 - .05
        (_seen(kappa=0.1, half_disagreement=0.35), True),
        (_seen(kappa=0.22, half_disagreement=0.26), True),  # its own errors: .23
        (_seen(kappa=0.22, half_disagreement=0.23), False),
        (_seen(kappa=0.3, half_disagreement=0.9), False),  # neither strong nor very weak
    ],
)
def test_what_models_of_each_skill_have_to_disagree(seen: noise.Evidence, enough: bool) -> None:
    assert corrections._disagrees_enough(seen) == enough


@pytest.mark.parametrize(
    ("seen", "odds"),
    [
        (_seen(), 3),
        (_seen(uniformity=0.5), 5),
        (_seen(kappa=0.2), 3),
        (_seen(kappa=0.2, uniformity=0.5), 1),
    ],
)
def test_how_much_likelier_a_suggestion_has_to_be(seen: noise.Evidence, odds: float) -> None:
    assert corrections._odds(seen) == odds
