"""Labels judged by how far they are from what was foreseen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.detection import residuals

Seeds = st.integers(0, 2**32 - 1)


@given(Seeds, st.floats(0.01, 0.3), st.floats(1e-6, 1e6))
def test_wrong_ones_are_found_whatever_the_unit(seed: int, share: float, unit: float) -> None:
    random = np.random.default_rng(seed)
    wrong = random.random(1000) < share
    given_ = np.where(wrong, random.uniform(-50, 50, 1000), random.normal(size=1000))
    found = residuals.find(given_ * unit, np.zeros(1000), np.full(1000, unit))
    clear = np.abs(given_) > 6
    assert found.flagged[clear & wrong].all()
    assert (found.flagged & ~wrong).sum() <= 0.01 * 1000 + 5


@given(Seeds)
def test_the_order_is_that_of_the_distance(seed: int) -> None:
    random = np.random.default_rng(seed)
    given_, spread = random.standard_cauchy(200) * 10, random.uniform(0.5, 2, 200)
    found = residuals.find(given_, np.zeros(200), spread)
    far = np.abs(given_) / spread
    order = np.argsort(far)
    assert (np.diff(found.quality[order]) <= 0).all()
    assert (found.flagged == (far > found.reach)).all()
    outside = (given_ < found.low) | (given_ > found.high)
    assert (outside == found.flagged).all() or np.isclose(far, found.reach, rtol=1e-12).any()
    for each in (found.quality, found.confidence):
        assert ((each >= 0) & (each <= 1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_of_right_labels_one_in_a_hundred_is_outside(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = residuals.find(random.normal(size=5000), np.zeros(5000), np.ones(5000))
    assert found.flagged.mean() <= 0.0101
    assert (1 - found.quality).mean() < 0.01


@pytest.mark.parametrize(
    "given_",
    [[0.0] * 50, [0.0] * 49 + [1.0], [5.0, -5.0], [1e300] + [0.0] * 9, [1e-300] * 3 + [0.0] * 9],
)
def test_odd_ones_are_judged(given_: list[float]) -> None:
    rows = len(given_)
    found = residuals.find(np.array(given_), np.zeros(rows), np.ones(rows))
    for each in (found.quality, found.confidence, found.low, found.high):
        assert np.isfinite(each).all()


def test_few_labels_are_not_flagged_for_being_the_farthest() -> None:
    found = residuals.find(np.arange(20.0), np.full(20, 9.5), np.ones(20))
    assert not found.flagged.any()
