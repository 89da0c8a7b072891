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
from sqlfuncs.learning.detection import confident, noise
from sqlfuncs.learning.detection.confident import CLEANLAB_CUTS, CLEANLAB_METHODS, CUTS, METHODS


@st.composite
def cases(draw: st.DrawFn, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities: imbalanced, with missing classes, zeros and ones, and `ties`."""
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
    if ties and draw(st.booleans()):
        probs = np.eye(classes)[probs.argmax(axis=1)] if draw(st.booleans()) else probs.round(1)
        totals = probs.sum(axis=1, keepdims=True)
        probs = np.where(totals > 0, probs / np.maximum(totals, 1e-9), 1 / classes)
    return codes, probs


@pytest.mark.parametrize("cut", CLEANLAB_CUTS)
@settings(max_examples=40, deadline=None)
@given(case=cases(ties=False))
def test_every_cut_is_cleanlabs(cut: str, case: tuple[np.ndarray, np.ndarray]) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = find_label_issues(codes, probs, filter_by=cut, n_jobs=1)
    assert confident.find(codes, probs, cut).flagged.tolist() == expected.tolist()


@pytest.mark.parametrize("difference", [1e-8, 5e-7, 2e-6, 1e-3])
def test_nearly_the_same_probability_is_the_same(difference: float) -> None:
    probs = np.array([[0.4 + difference, 0.4, 0.2 - difference]] + [[0.9, 0.05, 0.05]] * 5)
    codes = np.array([1, 0, 0, 0, 1, 2])
    expected = find_label_issues(codes, probs, filter_by="predicted_neq_given", n_jobs=1)
    found = confident.find(codes, probs, "predicted_neq_given").flagged
    assert found.tolist() == expected.tolist() and bool(found[0]) == (difference > 1e-6)


@pytest.mark.parametrize("cut", CUTS)
@settings(max_examples=40, deadline=None)
@given(case=cases(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_is_nothing_to_a_cut(
    cut: str, case: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    order = np.random.default_rng(seed).permutation(len(codes))
    flagged = confident.find(codes, probs, cut).flagged
    shuffled = confident.find(codes[order], probs[order], cut).flagged
    assert shuffled.tolist() == flagged[order].tolist()
    said = list(zip(codes.tolist(), probs.tolist(), strict=True))
    for row, flag in zip(said, flagged, strict=True):
        assert flagged[said.index(row)] == flag


@pytest.mark.parametrize("method", CLEANLAB_METHODS)
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
    assume(len(set(case[0])) > 1)
    for method in METHODS:
        scores = confident.find(*case, "both", method).quality
        assert np.isfinite(scores).all()
        assert scores.min() >= -1e-12
        assert scores.max() <= 1 + 1e-12


@pytest.mark.parametrize("cut", CUTS)
@settings(max_examples=20, deadline=None)
@given(case=cases())
def test_what_is_found(cut: str, case: tuple[np.ndarray, np.ndarray]) -> None:
    codes, probs = case
    assume(len(set(codes)) > 1)
    before = codes.copy(), probs.copy()
    found = confident.find(codes, probs, cut, "auto")
    assert found.flagged.dtype == bool
    if not cut.startswith("low_"):  # those flag rows by rank alone
        assert (found.suggested != codes)[found.flagged].all()
    assert ((found.quality >= -1e-12) & (found.quality <= 1 + 1e-12)).all()
    assert ((found.confidence > 0) & (found.confidence <= 1 + 1e-12)).all()
    assert (codes == before[0]).all()
    assert (probs == before[1]).all()
    shuffle = np.random.default_rng(0).permutation(len(codes))
    again = confident.find(codes[shuffle], probs[shuffle], cut, "auto")
    assert (found.quality[found.flagged] <= 0.5).all()
    same = again.flagged == found.flagged[shuffle]  # cleanlab's filters break ties by place
    assert again.quality[same] == pytest.approx(found.quality[shuffle][same], abs=1e-9)


def sampled(
    transition: np.ndarray, skill: float, hard: float, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """Given classes, probabilities of them and true classes; noise as a matrix, or on hard rows."""
    random = np.random.default_rng(seed)
    n_classes = len(transition)
    true = random.integers(n_classes, size=4000)
    sure = random.beta(skill, 1, size=4000)
    said = np.where(random.random(4000) < sure, true, random.integers(n_classes, size=4000))
    probs = np.full((4000, n_classes), 1.0) * ((1 - sure) / n_classes)[:, None]
    probs[np.arange(4000), said] += sure
    if hard:
        wrong = random.random(4000) < hard * (1 - sure)
        given = np.where(wrong, random.integers(n_classes, size=4000), true)
    else:
        given = np.array([random.choice(n_classes, p=transition[t]) for t in true])
        probs = probs @ transition
    return given, probs / probs.sum(axis=1, keepdims=True), true


def _f1(flags: np.ndarray, wrong: np.ndarray) -> float:
    return float(2 * (flags & wrong).sum() / (flags.sum() + wrong.sum()))


def test_noise_of_classes_is_reckoned_in() -> None:
    pairs = np.eye(4) * 0.6 + np.roll(np.eye(4), 1, axis=1) * 0.4
    given, probs, true = sampled(pairs, skill=4, hard=0)
    assert confident.choose_cut(noise.evidence(given, probs)) == "noise_corrected"
    ours = _f1(confident.find(given, probs).flagged, given != true)
    theirs = [
        _f1(confident.find(given, probs, cut).flagged, given != true) for cut in CLEANLAB_CUTS
    ]
    assert ours > max(theirs) - 0.01
    found = confident.find(given, probs, "auto", "auto")
    assert _f1(found.quality < 0.5, given != true) > 0.8


def test_where_people_err_on_hard_rows_a_strong_model_is_believed_more() -> None:
    given, probs, true = sampled(np.eye(4), skill=2, hard=0.8)
    seen = noise.evidence(given, probs)
    assert seen.is_peoples and confident.choose_cut(seen) == "noise_corrected"
    found = confident.find(given, probs, "auto", "auto")
    wrong = given != true
    theirs = [_f1(confident.find(given, probs, cut).flagged, wrong) for cut in CLEANLAB_CUTS]
    assert _f1(found.flagged, wrong) > max(theirs) - 0.01
    # Fewer flags than by the model's word alone.
    plain = confident.find(given, probs, "predicted_neq_given", "auto")
    assert found.flagged.sum() < plain.flagged.sum() and not (found.flagged & ~plain.flagged).any()
    # One score says both: none is halved.
    assert found.quality[found.flagged].max() < 0.5


def test_a_flag_of_another_judge_halves_the_score() -> None:
    pairs = np.eye(4) * 0.8 + np.roll(np.eye(4), 1, axis=1) * 0.2
    given, probs, _ = sampled(pairs, skill=1, hard=0)
    found = confident.find(given, probs, "predicted_neq_given", "auto")
    score = noise.corrected(given, probs)[np.arange(len(given)), given]
    assert (score[found.flagged] > 0.5).any()  # one that contradicts the flag
    assert (found.quality == np.where(found.flagged, score / 2, score)).all()


def test_rows_that_their_copies_outvote_are_flagged_however_weak_the_model() -> None:
    codes = np.array([0] * 19 + [1])
    probs = np.tile([0.95, 0.05], (20, 1))
    outvoted = codes == 1
    assert confident.choose_cut(noise.evidence(codes, probs)) == "prune_by_class"
    assert not confident.find(codes, probs, "auto", "auto").flagged.any()
    found = confident.find(codes, probs, "auto", "auto", outvoted)
    assert found.flagged.tolist() == outvoted.tolist()
    assert found.suggested[19] == 0
    assert found.quality[19] < 0.5 < found.quality[:19].min()
    assert not confident.find(codes, probs, "prune_by_class", "auto", outvoted).flagged.any()


def test_names_that_do_not_exist() -> None:
    codes, probs = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])
    with pytest.raises(
        BadOption, match=r"cut := 'prune'.*'auto', 'noise_corrected', 'prune_by_noise_rate'"
    ):
        confident.find(codes, probs, "prune")
    with pytest.raises(BadOption, match=r"method := 'best'.*'self_confidence'"):
        confident.label_quality(codes, probs, "best")


def test_threads_do_not_mix_their_work_up() -> None:
    random = np.random.default_rng(0)
    inputs = [
        (random.integers(k, size=300), random.dirichlet(np.ones(k), size=300)) for k in (2, 3, 5, 9)
    ]
    expected = [confident.find(*given, "both").flagged.tolist() for given in inputs]
    got: dict[int, list[bool]] = {}

    def judge(at: int) -> None:
        got[at] = confident.find(*inputs[at], "both").flagged.tolist()

    threads = [threading.Thread(target=judge, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[at] for at in range(4)] == expected
