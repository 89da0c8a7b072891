"""Flags within a share of false ones: that the promise holds, over many samples."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.detection.false_flags import flags_surely_within, flags_within
from sqlfuncs.learning.detection.sampling import Drawn


@pytest.mark.parametrize("wrong_share", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_promise_holds_on_average(wrong_share: float, share: float) -> None:
    random = np.random.default_rng(0)
    false, found = [], []
    for _ in range(300):
        wrong = random.random(1500) < wrong_share
        quality = random.normal(np.where(wrong, -1.5, 1.0))
        places = random.permutation(1500)[:100]
        flagged = flags_within(share, quality, Drawn(places, wrong[places], np.full(100, -1)))
        flagged[places] = False
        false.append((flagged & ~wrong).sum() / max(1, flagged.sum()))
        found.append((flagged & wrong).sum() / wrong.sum())
    assert np.mean(false) < share
    if wrong_share * share > 0.02:  # else 100 rows hardly tell
        assert np.mean(found) > 0.25


def test_with_a_risk_more_are_false_that_often_at_most() -> None:
    random = np.random.default_rng(0)
    false, flags = [], []
    for _ in range(300):
        wrong = random.random(2500) < 0.3
        quality = 1 / (1 + np.exp(-random.normal(np.where(wrong, -1.5, 1.0))))
        places = random.permutation(2500)[:400]
        drawn = Drawn(places, wrong[places], np.full(400, -1))
        flagged = flags_surely_within(0.25, 0.1, quality, quality < 0.5, drawn)
        flagged[places] = False
        flags.append(flagged.sum())
        false.append((flagged & ~wrong).sum() / max(1, flagged.sum()))
    assert np.mean(np.array(false) > 0.25) <= 0.1
    assert np.mean(np.array(flags) > 0) > 0.5


def test_scores_that_tell_nothing_flag_nothing_much() -> None:
    random = np.random.default_rng(0)
    flags = []
    for _ in range(100):
        wrong = random.random(1000) < 0.1
        places = random.permutation(1000)[:100]
        drawn = Drawn(places, wrong[places], np.full(100, -1))
        flags.append(flags_within(0.1, random.random(1000), drawn).any())
    assert np.mean(flags) < 0.2


def test_where_all_are_wrong_all_are_flagged() -> None:
    quality, places = np.arange(50) / 50, np.arange(30)
    drawn = Drawn(places, np.ones(30, dtype=bool), np.full(30, -1))
    assert flags_within(0.1, quality, drawn).all()


def test_where_all_are_right_none_is() -> None:
    quality, places = np.arange(500) / 500, np.arange(0, 500, 5)
    drawn = Drawn(places, np.zeros(100, dtype=bool), np.full(100, -1))
    assert not flags_within(0.1, quality, drawn).any()


def test_where_every_row_is_drawn_none_is() -> None:
    quality, places = np.arange(30) / 30, np.arange(30)
    drawn = Drawn(places, quality < 0.5, np.full(30, -1))
    assert not flags_within(0.1, quality, drawn).any()
