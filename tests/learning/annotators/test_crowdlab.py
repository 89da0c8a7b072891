"""CROWDLAB and ActiveLab against cleanlab's, which needs a matrix of items by annotators."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from cleanlab.multiannotator import (
    get_active_learning_scores,
    get_label_quality_multiannotator,
    get_majority_vote_label,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sqlfuncs.learning.annotators import crowdlab
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.votes import Votes

Floats = npt.NDArray[np.float64]
CASES = {
    "seed": st.integers(0, 10**6),
    "items": st.integers(4, 40),
    "annotators": st.integers(2, 8),
    "classes": st.integers(2, 5),
    "density": st.floats(0.15, 1),
}


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Neither what cleanlab prints nor what it warns of."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def random_case(
    seed: int, items: int, annotators: int, classes: int, density: float
) -> tuple[Votes, Floats, pd.DataFrame]:
    """Votes, probabilities, and the same votes as cleanlab's matrix; no row or column is empty."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=items)
    skill = random.beta(3, 2, size=annotators)
    guesses = random.integers(classes, size=(items, annotators))
    wide = np.where(random.random((items, annotators)) < skill, truth[:, None], guesses)
    given = random.random((items, annotators)) < density
    given[np.arange(items), random.integers(annotators, size=items)] = True
    given[random.integers(items, size=annotators), np.arange(annotators)] = True
    at, who = np.nonzero(given)
    votes = counting.collect(
        [f"{item:03}" for item in at],
        [f"{annotator:03}" for annotator in who],
        [str(label) for label in wide[at, who]],
        [str(label) for label in range(classes)],
    )
    probs = random.dirichlet(np.ones(classes), size=items)
    probs[np.arange(items), truth] += random.random(items)
    probs /= probs.sum(axis=1, keepdims=True)
    return votes, probs, pd.DataFrame(np.where(given, wide, np.nan))


def counted(labels: Floats, *, num_classes: int) -> npt.NDArray[np.int64]:
    """What cleanlab's value_counts is meant to give: how often each class is there."""
    return np.bincount(labels.astype(int), minlength=num_classes)


@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_the_majority_is_cleanlabs(
    seed: int, items: int, annotators: int, classes: int, density: float
) -> None:
    votes, probs, wide = random_case(seed, items, annotators, classes, density)
    with silence():
        expected = get_majority_vote_label(wide, probs, verbose=False)
    assert counting.majority(votes, probs).tolist() == expected.tolist()


@settings(max_examples=80, deadline=None)
@given(**CASES)
def test_crowdlab_is_cleanlabs(
    seed: int, items: int, annotators: int, classes: int, density: float
) -> None:
    votes, probs, wide = random_case(seed, items, annotators, classes, density)
    assume((votes.per_item > 1).any())
    with silence():
        theirs = get_label_quality_multiannotator(wide, probs, return_weights=True, verbose=False)
    ours = crowdlab.fit(votes, probs)
    expected = theirs["label_quality"]
    assert ours.labels.tolist() == expected.consensus_label.tolist()
    np.testing.assert_allclose(ours.quality, expected.consensus_quality_score, atol=1e-6)
    agreement = counting.agreement(votes, ours.labels)
    np.testing.assert_allclose(agreement, expected.annotator_agreement, atol=1e-6)
    np.testing.assert_allclose(ours.annotators, theirs["annotator_weight"], atol=1e-6)
    assert ours.model == pytest.approx(theirs["model_weight"], abs=1e-6)
    by_annotator = theirs["annotator_stats"].sort_index().annotator_quality.to_numpy()
    quality = crowdlab.annotator_quality(votes, ours)
    known = ~np.isnan(by_annotator)
    np.testing.assert_allclose(quality[known], by_annotator[known], atol=1e-6)
    assert not np.isnan(quality).any()


@settings(max_examples=60, deadline=None)
@given(**CASES, unlabelled=st.integers(0, 6), single=st.booleans())
def test_active_learning_scores_are_cleanlabs_turned_round(
    seed: int,
    items: int,
    annotators: int,
    classes: int,
    density: float,
    unlabelled: int,
    single: bool,
) -> None:
    votes, probs, wide = random_case(seed, items, annotators, classes, density)
    if single:
        first = np.unique(votes.items, return_index=True)[1]
        votes = Votes(
            votes.item_names,
            votes.annotator_names,
            votes.classes,
            *(codes[first] for codes in (votes.items, votes.annotators, votes.labels)),
        )
        alone = np.full(wide.shape, np.nan)
        alone[votes.items, votes.annotators] = votes.labels
        wide = pd.DataFrame(alone)
        assume(not wide.isna().all().any())
    more = np.random.default_rng(seed).dirichlet(np.ones(classes), size=unlabelled)
    assume(single or crowdlab.best_temperature(votes, probs) < 8)  # cleanlab leaves 8 itself out
    with silence(), pytest.MonkeyPatch.context() as patch:
        # cleanlab 2.9.0 counts labels that are floats, as they always are there, in wrong places.
        patch.setattr("cleanlab.internal.multiannotator_utils.value_counts", counted)
        labelled, others = get_active_learning_scores(wide, probs, more if unlabelled else None)
    names = (*votes.item_names, *(f"x{at}" for at in range(unlabelled)))
    all_items = Votes(
        names,
        votes.annotator_names,
        votes.classes,
        votes.items,
        votes.annotators,
        votes.labels,
    )
    scores = crowdlab.active_learning_score(all_items, np.concatenate([probs, more]))
    np.testing.assert_allclose(scores, 1 - np.concatenate([labelled, others]), atol=1e-6)


def test_without_a_second_vote_the_model_alone_says_how_likely_a_label_is() -> None:
    votes = counting.collect(["a", "b"], ["ann", "bob"], ["x", "y"])
    probs = np.array([[0.3, 0.7], [0.1, 0.9]])
    weighed = crowdlab.fit(votes, probs)
    assert weighed.labels.tolist() == [0, 1]
    assert weighed.quality.tolist() == [0.3, 0.9]


def test_an_annotator_who_is_always_wrong_weighs_next_to_nothing() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(2, size=200)
    said = np.stack([truth, truth, truth, truth, 1 - truth])
    votes = counting.collect(
        [f"{item}" for _ in said for item in range(200)],
        [str(who) for who in range(5) for _ in range(200)],
        [str(label) for labels in said for label in labels],
    )
    weighed = crowdlab.fit(votes, np.full((200, 2), 0.5))
    assert weighed.annotators[4] < 1e-3 * weighed.annotators[0]
