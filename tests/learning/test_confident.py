from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sqlfuncs.errors import BadOption
from sqlfuncs.learning import confident
from sqlfuncs.learning.confident import CLEANLAB_CUTS, METHODS


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities: imbalanced, with missing classes, ties, zeros and ones."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    classes = draw(st.integers(2, 12))
    rows = draw(st.integers(2, 250))
    weights = random.dirichlet(np.full(classes, draw(st.sampled_from([0.2, 1.0, 50.0]))))
    missing = draw(st.integers(0, max(0, classes - 2)))
    weights[random.permutation(classes)[:missing]] = 0
    weights /= weights.sum()
    codes = random.choice(classes, size=rows, p=weights)
    probs = random.dirichlet(np.full(classes, draw(st.sampled_from([0.1, 1.0]))), size=rows)
    probs[np.arange(rows), codes] += draw(st.sampled_from([0, 1, 5])) * random.random(rows)
    probs /= probs.sum(axis=1, keepdims=True)
    if draw(st.booleans()):
        probs = np.eye(classes)[probs.argmax(axis=1)] if draw(st.booleans()) else probs.round(1)
        totals = probs.sum(axis=1, keepdims=True)
        probs = np.where(totals > 0, probs / np.maximum(totals, 1e-9), 1 / classes)
    return codes, probs


@pytest.mark.parametrize("cut", CLEANLAB_CUTS)
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_every_cut_is_cleanlabs(cut: str, case: tuple[np.ndarray, np.ndarray]) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = find_label_issues(codes, probs, filter_by=cut, n_jobs=1)
    assert confident.label_issues(codes, probs, cut).tolist() == expected.tolist()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_every_method_is_cleanlabs(method: str, case: tuple[np.ndarray, np.ndarray]) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    probs = 0.99 * probs + 0.01 / probs.shape[1]  # cleanlab's entropy takes no zeros
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = get_label_quality_scores(codes, probs, method=method)
    assert confident.label_quality(codes, probs, method) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_scores_are_between_worst_and_best(case: tuple[np.ndarray, np.ndarray]) -> None:
    for method in METHODS:
        scores = confident.label_quality(*case, method)
        assert np.isfinite(scores).all()
        assert scores.min() >= -1e-12
        assert scores.max() <= 1 + 1e-12


@settings(max_examples=20, deadline=None)
@given(case=cases())
def test_auto_is_one_of_them_and_changes_nothing(case: tuple[np.ndarray, np.ndarray]) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    before = codes.copy(), probs.copy()
    flags = confident.label_issues(codes, probs)
    assert flags.dtype == bool
    assert flags.tolist() == confident.label_issues(codes, probs, "prune_by_class").tolist()
    assert (codes == before[0]).all()
    assert (probs == before[1]).all()


def test_what_is_flagged_is_not_what_is_predicted() -> None:
    random = np.random.default_rng(0)
    codes, probs = random.integers(3, size=200), random.dirichlet(np.ones(3), size=200)
    flags = confident.label_issues(codes, probs)
    assert flags.any()
    assert (probs.argmax(axis=1) != codes)[flags].all()


def test_names_that_do_not_exist() -> None:
    codes, probs = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])
    with pytest.raises(BadOption, match=r"cut := 'prune'.*'auto', 'prune_by_noise_rate'"):
        confident.label_issues(codes, probs, "prune")
    with pytest.raises(BadOption, match=r"method := 'best'.*'self_confidence'"):
        confident.label_quality(codes, probs, "best")


def test_threads_do_not_mix_their_work_up() -> None:
    random = np.random.default_rng(0)
    inputs = [
        (random.integers(k, size=300), random.dirichlet(np.ones(k), size=300)) for k in (2, 3, 5, 9)
    ]
    expected = [confident.label_issues(*given, "both").tolist() for given in inputs]
    got: dict[int, list[bool]] = {}

    def judge(at: int) -> None:
        got[at] = confident.label_issues(*inputs[at], "both").tolist()

    threads = [threading.Thread(target=judge, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[at] for at in range(4)] == expected
