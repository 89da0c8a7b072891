"""Shares of groups: held by their intervals as often as said, narrower than by the sample alone."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.statistics.intervals import wilson
from sqlfuncs.statistics.prediction_powered import Codes, Floats, group_shares

DRAWS = 300
SHARES = np.array([0.1, 0.3, 0.7])


def _population(
    rows: int, skill: float, generator: np.random.Generator
) -> tuple[Codes, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    groups = generator.integers(0, 3, rows)
    true = generator.random(rows) < SHARES[groups]
    predicted = np.clip(0.4 + skill * (true - 0.5) + 0.15 * generator.normal(size=rows), 0, 1)
    return groups, predicted, true


@pytest.mark.parametrize("skill", [0.0, 0.3, 0.7, -0.5])
@pytest.mark.parametrize("drawn", [40, 100, 300])
def test_intervals_hold_the_share(skill: float, drawn: int) -> None:
    generator = np.random.default_rng(drawn)
    groups, predicted, true = _population(2000, skill, generator)
    actual = np.bincount(groups, true) / np.bincount(groups)
    held = []
    for _ in range(DRAWS):
        sampled = generator.choice(2000, drawn, replace=False)
        found = group_shares(groups, predicted, sampled, true[sampled], 3)
        held.append((found.low <= actual) & (actual <= found.high))
    assert np.mean(held) >= 0.93
    assert np.mean(held, axis=0).min() >= 0.9


def test_good_predictions_make_them_narrower() -> None:
    generator = np.random.default_rng(0)
    groups, predicted, true = _population(3000, 0.8, generator)
    sampled = generator.choice(3000, 150, replace=False)
    found = group_shares(groups, predicted, sampled, true[sampled], 3)
    hits = np.bincount(groups[sampled], true[sampled])
    n = np.bincount(groups[sampled])
    assert ((found.high - found.low) < 0.8 * (wilson(hits, n, 1) - wilson(hits, n, -1))).all()


def test_a_group_without_a_sampled_row_is_not_known() -> None:
    groups = np.array([0] * 50 + [1] * 50)
    found = group_shares(groups, np.full(100, 0.5), np.arange(30), np.arange(30) % 2 == 0, 2)
    assert np.isnan(found.share).tolist() == [False, True]
    assert np.isnan(found.low).tolist() == [False, True]


@pytest.mark.parametrize("seen", [True, False])
def test_a_sample_of_which_all_are_alike_is_not_certain(seen: bool) -> None:
    found = group_shares(
        np.zeros(500, dtype=int), np.full(500, 0.3), np.arange(20), np.full(20, seen), 1
    )
    assert found.high[0] - found.low[0] > 0.1
    assert (found.high[0] == 1) == seen


def test_where_all_were_looked_at_it_is_what_they_are() -> None:
    true = np.arange(100) < 30
    predicted = np.where(true, 0.9, 0.2)
    found = group_shares(np.zeros(100, dtype=int), predicted, np.arange(100), true, 1)
    assert found.low[0] == pytest.approx(found.high[0])
    assert found.share[0] == pytest.approx(0.3)
