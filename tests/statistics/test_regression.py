"""Errors of predicted numbers, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from sqlfuncs.statistics import regression


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    true, count = random.normal(size=50), random.integers(1, 5, 50)
    said = true + random.normal(size=50) / 3
    found = regression.evaluate(true, said, count)
    a, b = np.repeat(true, count), np.repeat(said, count)
    assert found.n == len(a)
    assert found.mae == pytest.approx(mean_absolute_error(a, b))
    assert found.rmse == pytest.approx(root_mean_squared_error(a, b))
    assert found.r2 == pytest.approx(r2_score(a, b))


@pytest.mark.parametrize("figure", ["mae", "rmse", "r2"])
def test_intervals_hold_the_truth_nineteen_times_in_twenty(figure: str) -> None:
    random = np.random.default_rng(1)
    truth = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0, "r2": 0.8}[figure]
    held = 0
    for _ in range(400):
        true = random.normal(size=300) * np.sqrt(5)
        found = regression.evaluate(true, true + random.normal(size=300), np.ones(300, dtype=int))
        held += getattr(found, f"{figure}_low") <= truth <= getattr(found, f"{figure}_high")
    assert 0.91 <= held / 400 <= 0.98


def test_a_paired_comparison_is_the_paired_test() -> None:
    random = np.random.default_rng(2)
    true = random.normal(size=500)
    before, after = true + random.normal(size=500), true + random.normal(size=500) * 0.9
    found = regression.compare(true, before, after, np.ones(500, dtype=int))
    test = ttest_rel(np.abs(true - after), np.abs(true - before))
    assert found.p_value == pytest.approx(test.pvalue, rel=0.02)
    interval = test.confidence_interval()
    assert found.difference_low == pytest.approx(interval.low, abs=0.001)
    assert found.difference_high == pytest.approx(interval.high, abs=0.001)
    assert found.only_before_nearer + found.only_after_nearer == 500


def test_numbers_that_are_all_the_same() -> None:
    ones = np.ones(3, dtype=int)
    found = regression.evaluate(np.full(3, 2.0), np.full(3, 2.0), ones)
    assert (found.mae, found.rmse) == (0, 0) and np.isnan(found.r2)
    same = regression.compare(np.full(3, 2.0), np.full(3, 2.0), np.full(3, 2.0), ones)
    assert same.p_value == 1 and np.isnan(same.error_reduction)
