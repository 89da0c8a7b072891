from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.annotators import dawid_skene
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.votes import Votes
from tests.learning.annotators.test_crowdlab import CASES, random_case

Floats = npt.NDArray[np.float64]


def by_hand(votes: Votes, pooled_votes: float) -> tuple[Floats, Floats]:
    """The same model in loops over items, annotators and classes, not in logarithms."""
    items, people, classes = (
        len(names) for names in (votes.item_names, votes.annotator_names, votes.classes)
    )
    cast = list(zip(votes.items, votes.annotators, votes.labels, strict=True))
    probs = np.full((items, classes), 1 / classes)
    for item, _, label in cast:
        probs[item, label] += 1
    probs /= probs.sum(axis=1, keepdims=True)
    for _ in range(dawid_skene.MAX_STEPS):
        before = probs
        prior = probs.sum(axis=0) + 1 / classes
        prior /= prior.sum()
        counts = np.zeros((people, classes, classes))
        for item, who, label in cast:
            counts[who, :, label] += probs[item]
        pooled = counts.sum(axis=0) + np.eye(classes) + 1 / classes
        pooled /= pooled.sum(axis=1, keepdims=True)
        rates = counts + pooled_votes * pooled
        rates /= rates.sum(axis=2, keepdims=True)
        probs = np.tile(prior, (items, 1))
        for item, who, label in cast:
            probs[item] *= rates[who, :, label]
        probs /= probs.sum(axis=1, keepdims=True)
        if np.abs(probs - before).sum(axis=1).mean() < dawid_skene.PRECISION:
            break
    return probs, np.array([prior @ rates[who].diagonal() for who in range(people)])


@settings(max_examples=40, deadline=None)
@given(**CASES)
def test_it_is_the_model_written_out(
    seed: int, items: int, annotators: int, classes: int, density: float
) -> None:
    votes, _, _ = random_case(seed, items, annotators, classes, density)
    fitted = dawid_skene.fit(votes)
    probs, accuracy = by_hand(votes, dawid_skene.POOLED_VOTES)
    np.testing.assert_allclose(fitted.probs, probs, atol=1e-6)
    np.testing.assert_allclose(fitted.accuracy, accuracy, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_good_annotators_are_told_from_bad_ones(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(3, size=400)
    skill = np.array([0.95, 0.9, 0.4, 0.35, 0.3])
    guesses = random.integers(3, size=(400, 5))
    said = np.where(random.random((400, 5)) < skill, truth[:, None], guesses)
    votes = counting.collect(
        [f"{item:03}" for item in range(400) for _ in range(5)],
        [str(who) for _ in range(400) for who in range(5)],
        [str(label) for label in said.ravel()],
    )
    fitted = dawid_skene.fit(votes)
    right = (fitted.probs.argmax(axis=1) == truth).mean()
    assert right > (counting.majority(votes) == truth).mean()
    assert set(np.argsort(-fitted.accuracy)[:2]) == {0, 1}
    np.testing.assert_allclose(fitted.accuracy, skill + (1 - skill) / 3, atol=0.15)


def test_an_annotator_of_one_label_is_thought_to_be_like_the_others() -> None:
    votes = counting.collect(
        [*("i" * 3), *(f"j{at}" for at in range(30) for _ in range(2))],
        ["new", "ann", "bob", *("ann", "bob") * 30],
        ["y", "x", "x", *(label for at in range(30) for label in ("xy"[at % 2],) * 2)],
    )
    fitted = dawid_skene.fit(votes)
    new = votes.annotator_names.index("new")
    assert 0.8 < fitted.accuracy[new] < min(np.delete(fitted.accuracy, new))


def test_too_many_classes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dawid_skene, "MAX_CELLS", 3)
    with pytest.raises(BadInput, match="'majority'"):
        dawid_skene.fit(counting.collect(["i", "i"], ["ann", "bob"], ["x", "y"]))
