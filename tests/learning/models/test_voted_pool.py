from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.models.voted_pool import VotedPool

ROWS, WIDTH = 3000, 3


def _noisy(codes: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Other classes in a share of the rows."""
    moved = (codes + random.integers(1, WIDTH, len(codes))) % WIDTH
    return np.where(random.random(len(codes)) < share, moved, codes)


def _foretold(votes: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How often each class is given where a vote is said, in the other half: (rows, classes)."""
    probs = np.zeros((len(votes), WIDTH))
    half = np.arange(len(votes)) % 2
    for side in (0, 1):
        counts = np.ones((WIDTH, WIDTH))
        np.add.at(counts, (votes[half != side], given[half != side]), 1)
        probs[half == side] = (counts / counts.sum(axis=1, keepdims=True))[votes[half == side]]
    return probs


@pytest.fixture
def noisy() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    """True and given classes of some rows, and what a head that is often right says of these."""
    random = np.random.default_rng(0)
    true = random.integers(WIDTH, size=ROWS)
    given = _noisy(true, 0.3, random)
    return true, given, _foretold(_noisy(true, 0.25, random), given), random


def test_votes_of_their_own_multiply(
    noisy: tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator],
) -> None:
    true, given, head, random = noisy
    votes = _foretold(_noisy(true, 0.25, random), given)
    pool = VotedPool.learn([head, votes], given)
    assert pool.weight > 0.999
    voted, alone = pool([head, votes]), Pool.learn([head], given)([head])
    every = np.arange(ROWS)
    assert np.allclose(voted.sum(axis=1), 1)
    assert voted[every, true].mean() > alone[every, true].mean() + 0.05
    assert (voted.argmax(axis=1) == true).mean() > (alone.argmax(axis=1) == true).mean()


@pytest.mark.parametrize("of", ["the head", "chance"])
def test_votes_that_add_nothing_are_left_alone(
    noisy: tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], of: str
) -> None:
    _, given, head, random = noisy
    said = head.argmax(axis=1) if of == "the head" else random.integers(WIDTH, size=ROWS)
    votes = _foretold(said, given)
    pool = VotedPool.learn([head, votes], given)
    assert pool.weight < 0.3
    alone = Pool.learn([head], given)([head])
    assert np.abs(pool([head, votes]) - alone).max() < 0.05


def test_rows_without_a_label_teach_nothing(
    noisy: tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator],
) -> None:
    true, given, head, random = noisy
    votes = _foretold(_noisy(true, 0.25, random), given)
    more = [np.vstack([each, each[::-1]]) for each in (head, votes)]
    pool = VotedPool.learn(more, np.concatenate([given, np.full(ROWS, -1)]))
    expected = VotedPool.learn([head, votes], given)
    assert pool.weight == pytest.approx(expected.weight)
    assert pool(more)[:ROWS] == pytest.approx(expected([head, votes]))
    nobody = VotedPool.learn([head, votes], np.full(ROWS, -1))([head, votes])
    assert np.isfinite(nobody).all()


def test_what_rules_everything_out_is_the_heads() -> None:
    head, votes = np.array([[1.0, 0.0]] * 2), np.array([[0.0, 1.0]] * 2)
    pool = VotedPool(Pool.even(1), Pool.even(1), np.array([0.5, 0.5]), 1.0)
    assert pool([head, votes]).tolist() == head.tolist()
