"""Numbers as a target: strata, ranks, the pool, and what copies say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.models import number_copies
from sqlfuncs.learning.models.number_target import NumberTarget
from sqlfuncs.learning.models.target import Floats


def with_copies(keys: list[bytes], values: Floats, predicted: Floats) -> Floats:
    found: Floats = number_copies.with_copies(keys, values[:, None], predicted[:, None])[:, 0]
    return found


def test_strata_are_fifths_and_rows_without_a_number_are_none() -> None:
    target = NumberTarget(np.array([np.nan, *range(10)]))
    assert target.strata.tolist() == [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert target.ranks.tolist() == [-1, *range(10)]
    assert NumberTarget(np.array([np.nan, 1.0, 1.0])).ranks.tolist() == [-1, 0, 0]
    assert target.chosen(np.array([0, 3])).values.tolist()[1] == 2.0


def test_the_pool_leaves_out_what_says_nothing() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=400)
    good, noise = values + random.normal(size=400) / 2, random.normal(size=400)
    against = -values
    pool = NumberTarget(values).pool([each[:, None] for each in (good, noise, against)])
    weights = pool.weights  # type: ignore[attr-defined]
    assert weights[0] > 0.6 and weights[1] < 0.1 and weights[2] == 0


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_copies_pull_towards_each_other_and_never_to_their_own(seed: int, alike: bool) -> None:
    random = np.random.default_rng(seed)
    content = np.repeat(np.arange(100), 3)
    effect = random.normal(size=100) * (3 if alike else 0)
    values = effect[content] + random.normal(size=300)
    keys = [bytes([number]) for number in content.tolist()]
    found = with_copies(keys, values, np.zeros(300))
    others = np.array(
        [values[content == c].sum() - v for c, v in zip(content, values, strict=True)]
    )
    strength = np.polyfit(others, found, 1)[0]
    assert (strength > 0.35) if alike else (strength < 0.25)  # at most .153 in 3,000 draws
    moved = values.copy()
    moved[0] += 1  # of which its own prediction is not to know, but for the variances
    again = with_copies(keys, moved, np.zeros(300))
    assert abs(again[0] - found[0]) < 0.2
    assert again[1] > found[1] or not alike


def test_nothing_changes_without_copies() -> None:
    predicted = np.array([1.0, 2.0, 3.0])
    assert np.array_equal(with_copies([b"a", b"b", b"c"], np.ones(3), predicted), predicted)
    few = with_copies([b"a", b"a", b"c"], np.array([5.0, np.nan, 1.0]), predicted)
    assert np.array_equal(few, predicted)


def test_a_row_without_a_label_learns_from_its_copies() -> None:
    values = np.array([np.nan, 9.0, 9.0, 0.0])
    found = with_copies([b"a", b"a", b"a", b"b"], values, np.zeros(4))
    assert found[0] > found[1] > 0 and found[3] == 0
