from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlfuncs.learning.models.pooling import Pool


def _said(
    rows: int, skills: tuple[float, ...], seed: int = 0
) -> tuple[list[np.ndarray], np.ndarray]:
    """What models of some skills say of rows of three classes, and the classes."""
    random = np.random.default_rng(seed)
    codes = random.integers(3, size=rows)
    each = []
    for skill in skills:
        scores = random.normal(size=(rows, 3)) + skill * np.eye(3)[codes]
        # The probabilities that these scores really mean: N(skill, 1) for the class, else N(0, 1).
        odds = np.exp(skill * scores)
        each.append(odds / odds.sum(axis=1, keepdims=True))
    return each, codes


def _surprise(probs: np.ndarray, codes: np.ndarray) -> float:
    return float(-np.log(probs[np.arange(len(codes)), codes]).mean())


@pytest.mark.parametrize("power", [0.6, 1.0, 2.0, 3.0])
def test_one_that_says_too_little_or_too_much_is_set_right(power: float) -> None:
    (probs,), codes = _said(4000, (1.5,))
    blurred = probs ** (1 / power)
    blurred /= blurred.sum(axis=1, keepdims=True)
    pool = Pool.learn([blurred], codes)
    assert pool.weights == (1.0,)
    assert pool.inverse_temperature[0] == pytest.approx(power, rel=0.1)
    assert pool([blurred]) == pytest.approx(probs, abs=0.03)


def test_the_better_model_weighs_more_and_the_pool_beats_both() -> None:
    each, codes = _said(4000, (1.6, 1.0))
    pool = Pool.learn(each, codes)
    assert pool.weights[0] > pool.weights[1] > 0.05
    unseen, others = _said(4000, (1.6, 1.0), seed=1)
    assert _surprise(pool(unseen), others) < min(_surprise(one, others) for one in unseen)


def test_one_that_knows_nothing_is_left_out() -> None:
    each, codes = _said(4000, (1.5, 0.0))
    assert Pool.learn(each, codes).weights[1] < 0.05


def test_rows_without_a_label_teach_nothing() -> None:
    each, codes = _said(300, (1.5, 1.0))
    some = np.where(np.arange(300) < 200, codes, -1)
    expected = Pool.learn([one[:200] for one in each], codes[:200])
    assert Pool.learn(each, some) == expected
    assert Pool.learn(each, np.full(300, -1)) == Pool.even(2)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 4), st.integers(2, 5), st.integers(1, 30), st.integers(0, 1000), st.booleans()
)
def test_whatever_is_said_stays_probabilities(
    models: int, classes: int, rows: int, seed: int, certain: bool
) -> None:
    random = np.random.default_rng(seed)
    each = [random.dirichlet(np.full(classes, 0.1), rows) for _ in range(models)]
    if certain:
        each = [np.eye(classes)[one.argmax(axis=1)] for one in each]
    pool = Pool.learn(each, random.integers(classes, size=rows))
    assert sum(pool.weights) == pytest.approx(1)
    pooled = pool(each)
    assert (pooled >= 0).all()
    assert pooled.sum(axis=1) == pytest.approx(np.ones(rows))


def test_among_thousands_of_classes_powers_do_not_vanish() -> None:
    """A model that is nearly even over 5,000 classes, but right, is sharpened as far as it goes."""
    probs = np.full((50, 5000), 1 / 5000)
    codes = np.arange(50)
    probs[codes, codes] *= 3
    probs /= probs.sum(axis=1, keepdims=True)
    pool = Pool.learn([probs], codes)
    assert pool.inverse_temperature[0] > 5
    assert pool([probs]).sum(axis=1) == pytest.approx(np.ones(50))
    assert (pool([probs]).argmax(axis=1) == codes).all()


def test_rows_that_nothing_is_said_of_stay_empty() -> None:
    predictions = np.array([[0.7, 0.3], [0.0, 0.0]])
    assert Pool((2.0,), (1.0,))([predictions])[1].tolist() == [0, 0]


def test_rows_that_count_twice_are_as_two_rows() -> None:
    each, codes = _said(200, (1.5, 1.0))
    counts = np.where(np.arange(200) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(200), counts.astype(int))
    expected = Pool.learn([one[twice] for one in each], codes[twice])
    found = Pool.learn(each, codes, counts)
    assert found.weights == pytest.approx(expected.weights, abs=1e-3)
    assert found.inverse_temperature == pytest.approx(expected.inverse_temperature, abs=0.02)
    assert found != Pool.learn(each, codes)
