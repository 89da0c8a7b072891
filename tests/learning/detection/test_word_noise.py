"""What is wrong with labels of words: who forgets entities, and who finds too many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from sqlfuncs.learning.detection import noise, word_noise
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
OUTSIDE, LABELS, WORDS = 0, 4, 12_000
OVERUSED = LABELS - 1


def _drawn(seed: int, forgotten: float, overused: float) -> tuple[Codes, Codes, Floats]:
    """Right labels, those given, and how likely each is to be given, by one who knows it nearly.

    A tenth of the words outside look like the last label, which few merit, and have it so often.
    """
    random = np.random.default_rng(seed)
    true = random.choice(LABELS, WORDS, p=[0.8, 0.1, 0.09, 0.01])
    alike = (true == OUTSIDE) & (random.random(WORDS) < 0.1)
    likely = np.zeros((WORDS, LABELS))
    likely[np.arange(WORDS), true] = 1
    likely[true != OUTSIDE] *= 1 - forgotten
    likely[true != OUTSIDE, OUTSIDE] = forgotten
    likely[alike, OVERUSED], likely[alike, OUTSIDE] = overused, 1 - overused
    codes = (random.random((WORDS, 1)) > likely.cumsum(axis=1)).sum(axis=1).clip(0, LABELS - 1)
    logs = np.log(likely + 0.02) + 0.5 * random.standard_normal(likely.shape)
    probs = np.exp(logs)
    return true, codes, probs / probs.sum(axis=1, keepdims=True)


def _average_precision(true: Codes, codes: Codes, probs: Floats) -> float:
    given_ones = probs[np.arange(len(codes)), codes]
    return float(average_precision_score(true != codes, -given_ones))


@pytest.mark.parametrize("seed", range(3))
def test_a_label_that_is_used_too_often_is_not_taken_for_one_that_is_forgotten(seed: int) -> None:
    true, codes, probs = _drawn(seed, forgotten=0.02, overused=0.65)
    plain = noise.transition_matrix(codes, probs)
    rates = word_noise.transition(codes, probs)
    assert plain[OVERUSED, OUTSIDE] > 0.1 and plain[OUTSIDE, OVERUSED] < 0.001
    assert rates[OVERUSED, OUTSIDE] < 0.06 and rates[OUTSIDE, OVERUSED] > 0.01
    assert np.abs(rates[1:OVERUSED] - plain[1:OVERUSED]).max() < 0.02
    own = _average_precision(true, codes, word_noise.correction(codes, probs).apply(codes, probs))
    before = noise.careful_correction(codes, probs).apply(codes, probs)
    assert own > _average_precision(true, codes, probs) - 0.1
    assert own > _average_precision(true, codes, before) + 0.3


@pytest.mark.parametrize("seed", range(3))
def test_what_is_forgotten_of_all_labels_stays_so(seed: int) -> None:
    true, codes, probs = _drawn(seed, forgotten=0.3, overused=0)
    rates = word_noise.transition(codes, probs)
    assert rates == pytest.approx(noise.transition_matrix(codes, probs), abs=1e-12)
    assert rates[1:OVERUSED, OUTSIDE] == pytest.approx(0.3, abs=0.1)
    own = _average_precision(true, codes, word_noise.correction(codes, probs).apply(codes, probs))
    assert own > _average_precision(true, codes, probs) + 0.05


@pytest.mark.parametrize("kept", [[0, 3], [1, 2, 3]])
def test_nothing_is_said_without_other_labels_or_a_label_of_most_words(kept: list[int]) -> None:
    _, codes, probs = _drawn(0, forgotten=0.02, overused=0.65)
    some = np.isin(codes, kept)
    codes = np.searchsorted(kept, codes[some])
    probs = probs[some][:, kept]
    probs = probs / probs.sum(axis=1, keepdims=True)
    rates = word_noise.transition(codes, probs)
    assert rates == pytest.approx(noise.transition_matrix(codes, probs), abs=1e-12)


@given(st.integers(1, 60), st.integers(2, 80), st.floats(0.02, 5), st.integers(0, 2**32 - 1))
def test_rates_are_probabilities(words: int, labels: int, spread: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    probs = random.dirichlet([spread] * labels, words)
    codes = np.where(random.random(words) < 0.7, 0, random.integers(labels, size=words))
    rates = word_noise.transition(codes, probs)
    assert rates.sum(axis=1) == pytest.approx(np.ones(labels)) and rates.min() >= 0
    positions = np.cumsum(random.integers(1, 3, words))
    found = word_noise.find(codes, probs, positions, "noise_corrected", "auto")
    assert np.all((found.quality >= 0) & (found.quality <= 1 + 1e-9))


def test_words_of_one_entity_are_right_or_wrong_together() -> None:
    codes = np.array([OUTSIDE, 1, 1, OUTSIDE, 1, OUTSIDE, OUTSIDE, OUTSIDE])
    called = np.eye(LABELS)[[OUTSIDE, 1, 1, OUTSIDE, 2, 3, OUTSIDE, OUTSIDE]]
    quality = np.array([0.2, 0.9, 0.1, 0.3, 0.5, 0.05, 0.7, 0.0])
    # The second sentence begins at the fifth word, and its second one is called an entity.
    positions = np.array([0, 1, 2, 3, 5, 6, 7, 8])
    found = word_noise.shared(quality, codes, called, positions)
    alone = [0, 3, 6, 7]
    assert (found[alone] == quality[alone]).all()
    assert found[1] < 0.9 and found[2] > 0.1 and found[1] > found[2]
    assert found[4] < 0.5 and found[5] > 0.05
    other = word_noise.shared(quality, codes, called, positions * 2)
    assert other == pytest.approx(quality)
    apart = codes % 2  # no label is on more than half: nothing tells where entities end
    assert (
        word_noise.shared(quality[:4], apart[:4], called[:4], positions[:4]) == quality[:4]
    ).all()


@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
def test_cleanlabs_scores_are_of_each_word_alone(method: str) -> None:
    _, codes, probs = _drawn(0, forgotten=0.1, overused=0.1)
    beside, apart = np.arange(WORDS), np.arange(WORDS) * 2
    one, other = (word_noise.find(codes, probs, each, "auto", method) for each in (beside, apart))
    assert (one.quality == other.quality).all()
    own = word_noise.find(codes, probs, beside, "auto", "auto")
    alone = word_noise.find(codes, probs, apart, "auto", "auto")
    assert (own.quality != alone.quality).any() and (own.flagged == alone.flagged).all()
