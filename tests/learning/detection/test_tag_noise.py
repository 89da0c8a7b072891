"""How likely tags are right, with what people add and forget."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from cleanlab.multilabel_classification import get_label_quality_scores
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from sqlfuncs.learning.detection import tag_noise
from sqlfuncs.learning.detection.tag_noise import TagNoise

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def _drawn(seed: int, rows: int = 3000, tags: int = 6) -> tuple[Mask, Mask, Floats]:
    """Tags that are right, those given, and how likely a fair model finds them to be given."""
    random = np.random.default_rng(seed)
    common = random.uniform(0.03, 0.3, tags)
    sure = random.beta(0.3, 0.3 * (1 - common) / common, (rows, tags))
    true = random.random((rows, tags)) < sure
    dropped, spurious = 0.2, common * 0.1
    has = np.where(true, random.random(true.shape) > dropped, random.random(true.shape) < spurious)
    return true, has, sure * (1 - dropped) + (1 - sure) * spurious


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_told_and_qualities_are_probabilities(seed: int) -> None:
    true, has, probs = _drawn(seed)
    noise = TagNoise.learn(has, probs)
    assert noise.dropped == pytest.approx(np.full(6, 0.2), abs=0.08)
    spurious = (has & ~true).sum(axis=0) / (~true).sum(axis=0)
    assert np.all((noise.spurious < 2 * spurious + 0.005) & (noise.spurious > spurious / 2 - 0.005))
    quality = noise.quality(has, probs)
    wrong = has != true
    for low in np.arange(0.1, 0.9, 0.2):
        bin_ = (quality >= low) & (quality < low + 0.2)
        if bin_.sum() > 100:
            assert wrong[bin_].mean() == pytest.approx(1 - quality[bin_].mean(), abs=0.15)
    plain = np.where(has, probs, 1 - probs)
    own, its = (average_precision_score(wrong.ravel(), -q.ravel()) for q in (quality, plain))
    assert own > its


@pytest.mark.parametrize("tags", [1, 2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_a_tag_that_alone_is_forgotten_is_told_by_sure_probabilities(seed: int, tags: int) -> None:
    """Those of a model that never saw the labels: it does not expect them to lack the tag."""
    random = np.random.default_rng(seed)
    true = random.random((200, tags)) < 0.5
    given, probs = true.copy(), np.where(true, 0.97, 0.02)
    forgotten = random.choice(np.flatnonzero(true[:, 0]), 12, replace=False)
    given[forgotten, 0] = False
    quality = TagNoise.learn(given, probs).quality(given, probs)
    assert np.array_equal(quality < 0.5, given != true)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 8))
def test_odd_tables_have_qualities(seed: int, rows: int, tags: int) -> None:
    random = np.random.default_rng(seed)
    given_ = random.random((rows, tags)) < random.random()
    probs = random.choice([0.0, 1.0, 0.5, 1e-12], (rows, tags))
    quality = TagNoise.learn(given_, probs).quality(given_, probs)
    assert ((quality >= 0) & (quality <= 1)).all()
    scores = tag_noise.of_rows(quality)
    assert ((scores >= 0) & (scores <= 1)).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(3, 9))
def test_the_moving_average_is_cleanlabs(seed: int, rows: int, tags: int) -> None:
    random = np.random.default_rng(seed)
    given_, probs = random.random((rows, tags)) < 0.4, random.random((rows, tags))
    given_[0], given_[1] = True, False  # cleanlab takes the tags that there are from the rows
    lists = [np.flatnonzero(row).tolist() for row in given_]
    its = get_label_quality_scores(lists, probs)
    own = tag_noise.moving_average(np.where(given_, probs, 1 - probs))
    assert np.abs(own - its).max() < 1e-9
