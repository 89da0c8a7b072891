"""Numbers of several annotators: the consensus, biases and spreads."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.annotators.number_votes import fit
from sqlfuncs.learning.annotators.votes import Floats, Votes, collect


def _drawn(
    seed: int, items: int = 300, people: int = 8, each: int = 4
) -> tuple[Votes, Floats, Floats, Floats, Floats]:
    """Votes, their values, the true numbers, and the annotators' biases and spreads."""
    random = np.random.default_rng(seed)
    true = random.normal(50, 10, items)
    bias, noise = random.normal(0, 4, people), random.uniform(1, 8, people)
    who = np.stack([random.permutation(people)[:each] for _ in range(items)])
    said = true[:, None] + bias[who] + random.standard_t(4, who.shape) * noise[who]
    names = [f"i{row:04}" for row in range(items) for _ in range(each)]
    votes = collect(names, [f"p{p}" for p in who.ravel()], [f"{at:06}" for at in range(said.size)])
    values = said.ravel()[np.array([int(name) for name in votes.classes])][votes.labels]
    return votes, values, true, bias, noise


@pytest.mark.parametrize("seed", range(3))
def test_the_consensus_is_nearer_than_the_mean_and_the_median(seed: int) -> None:
    votes, values, true, bias, noise = _drawn(seed)
    found = fit(votes, values)
    off = np.sqrt(np.mean((found.numbers - true - (found.numbers - true).mean()) ** 2))
    for plain in (np.mean, np.median):
        its = np.array([plain(values[votes.items == item]) for item in range(len(true))])
        assert off < 0.9 * np.sqrt(np.mean((its - true - (its - true).mean()) ** 2))
    assert np.corrcoef(found.bias, bias)[0, 1] > 0.95
    assert np.corrcoef(found.noise, noise)[0, 1] > 0.9
    assert np.corrcoef(found.quality, noise)[0, 1] < -0.8
    shift = (found.numbers - true).mean()
    held = (found.low <= true + shift) & (true + shift <= found.high)
    assert 0.88 <= held.mean() <= 0.99


def test_a_slip_hardly_counts() -> None:
    votes, values, *_ = _drawn(0)
    before = fit(votes, values).numbers
    values = values.copy()
    values[0] *= 1000
    after = fit(votes, values).numbers
    assert np.abs(after - before).max() < 8


def test_the_order_and_the_unit_are_nothing_to_it() -> None:
    votes, values, *_ = _drawn(1)
    one, other = fit(votes, values), fit(votes, values * 1e6 - 7)
    assert np.allclose(other.numbers, one.numbers * 1e6 - 7, rtol=1e-6)
    assert np.allclose(other.noise, one.noise * 1e6, rtol=1e-5)
    assert np.allclose(other.reliability, one.reliability, atol=1e-6)


@pytest.mark.parametrize(
    "values", [[5.0, 5.0, 5.0, 5.0], [1.0, 1.0, 2.0, 2.0], [0.0, 1e300, 1.0, 2.0]]
)
def test_odd_votes(values: list[float]) -> None:
    votes = collect(["i", "i", "j", "j"], ["ann", "bob"] * 2, list("abcd"))
    found = fit(votes, np.array(values))
    for each in (found.numbers, found.bias, found.noise, found.quality, found.reliability):
        assert np.isfinite(each).all()


def test_where_nobody_shares_an_item_nothing_tells_them_apart() -> None:
    votes = collect(["i", "j"], ["ann", "bob"], ["a", "b"])
    found = fit(votes, np.array([1.0, 2.0]))
    assert found.numbers.tolist() == [1.0, 2.0]
    assert np.isnan(found.bias).all() and np.isnan(found.reliability).all()


def test_votes_that_stand_alone_say_nothing_of_a_bias() -> None:
    """The third one is 2 too high on the 30 shared items, and gave 300 other numbers alone."""
    random = np.random.default_rng(0)
    true = random.normal(size=330) * 10
    items = [*np.repeat(range(30), 3), *range(30, 330)]
    people = [*list("abc") * 30, *"c" * 300]
    off = np.array([2.0 if name == "c" else 0.0 for name in people])
    values = true[items] + off + random.normal(size=len(items)) / 10
    votes = collect(
        [f"i{item:03}" for item in items], people, [f"{at:03}" for at in range(len(items))]
    )
    given = np.array([values[int(votes.classes[code])] for code in votes.labels])
    found = fit(votes, given)
    bias = dict(zip(votes.annotator_names, found.bias, strict=True))
    assert bias["c"] - bias["a"] == pytest.approx(2, abs=0.2)
    assert np.average(found.bias, weights=votes.per_annotator) == pytest.approx(0, abs=1e-9)
