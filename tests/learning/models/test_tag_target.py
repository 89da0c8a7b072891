"""Tags as a target: strata, ranks, and calibrated heads."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.errors import TooManyClasses
from sqlfuncs.learning.models.tag_target import TagTarget


def test_strata_are_the_rarest_tags() -> None:
    values = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1], [np.nan] * 3, [1, 1, 0]])
    target = TagTarget(values)
    assert target.strata.tolist() == [1, 0, 3, 2, -1, 1]
    ranks = target.ranks.tolist()
    assert ranks[4] == -1 and ranks[0] == ranks[5] and len(set(ranks)) == 5
    assert target.chosen(np.array([2])).values.tolist() == [[0, 0, 0]]
    assert target.width == 3


def test_what_heads_say_becomes_a_probability() -> None:
    random = np.random.default_rng(0)
    likely = random.beta(0.5, 4, (5000, 3))
    values = (random.random(likely.shape) < likely).astype(float)
    heads = [likely + random.normal(size=likely.shape) * 0.05, random.normal(size=likely.shape)]
    pool = TagTarget(values).pool(heads)
    probs = pool(heads)
    for low in (0.05, 0.2, 0.4):
        some = (probs >= low) & (probs < low + 0.15)
        assert values[some].mean() == pytest.approx(probs[some].mean(), abs=0.08)


def test_tags_of_hardly_any_row_stay_unlikely() -> None:
    random = np.random.default_rng(0)
    values = np.zeros((400, 2))
    values[:2, 0] = 1
    values[::3, 1] = 1
    heads = [random.normal(size=(400, 2))]
    probs = TagTarget(values).pool(heads)(heads)
    assert probs[:, 0].mean() == pytest.approx(2 / 400, abs=0.01)


def test_too_many_are_refused() -> None:
    with pytest.raises(TooManyClasses):
        TagTarget(np.zeros((2, 1001))).refuse_too_many()
