"""Which rows are candidates, what of the log is a sample, and what is released of whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sqlfuncs.learning.detection import confident, corrections, noise
from sqlfuncs.learning.detection.verification import (
    Candidates,
    Reviews,
    Verified,
    candidates,
    verify,
)
from tests.learning.detection.test_confident import sampled

ROWS = 200


def _found(rows: int = ROWS) -> Candidates:
    return Candidates(np.arange(rows), np.linspace(0.9, 0.6, rows), np.linspace(0.1, 0.3, rows))


def _reviews(known: int, wrong: float = 1.0, confirmed: float = 1.0, rows: int = ROWS) -> Reviews:
    """The first so many rows of a random order are known, and of these such shares are wrong."""
    order = np.random.default_rng(0).permutation(rows)
    at = order < known
    is_wrong = at & (order < round(wrong * known))
    return Reviews(order, at, is_wrong, is_wrong & (order < round(confirmed * known)))


def _verify(
    reviews: Reviews,
    *,
    excludes: bool = False,
    risk: float = 0.05,
    precision: float | None = None,
    found: Candidates | None = None,
) -> Verified:
    return verify(found or _found(), reviews, excludes=excludes, risk=risk, precision=precision)


def test_candidates_are_the_flagged_whose_suggestion_is_likelier_right() -> None:
    """The noise in the labels is reckoned in: the model's word alone is not enough."""
    probs = np.repeat(
        [[0.45, 0.55], [0.02, 0.98], [0.98, 0.02], [0.02, 0.98]], [20, 4, 300, 200], 0
    )
    given = np.repeat([0, 1], [324, 200])
    flagged, suggested = np.arange(524) < 24, np.ones(524, dtype=np.int64)
    found = candidates(given, probs, flagged, suggested)
    assert sorted(found.places) == [20, 21, 22, 23]
    assert (found.right > found.harmful).all()
    gain = found.right - found.harmful
    assert (np.diff(gain) <= 0).all()  # best first
    assert not len(candidates(given, probs, np.zeros(524, dtype=bool), suggested).places)
    assert not len(candidates(given, probs, flagged, given).places)


def test_all_are_released_but_those_that_were_reviewed() -> None:
    reviews = _reviews(40)
    found = _verify(reviews)
    assert sorted(found.released) == sorted(np.flatnonzero(~reviews.known))
    assert (found.drawn, found.right, found.harmful, found.is_refuted) == (40, 40, 0, False)


@pytest.mark.parametrize("known", [0, 1, 3])
def test_few_rows_release_nothing_and_it_says_how_many_more(known: int) -> None:
    found = _verify(_reviews(known))
    assert not len(found.released)
    assert found.needed is not None
    assert 5 < found.needed + known < 60


def test_corrections_that_do_harm_are_refuted() -> None:
    found = _verify(_reviews(40, wrong=0.1))
    assert not len(found.released)
    assert found.is_refuted
    assert found.needed is None


def test_another_label_than_the_suggested_one_is_neither_gain_nor_harm() -> None:
    found = _verify(_reviews(40, confirmed=0))
    assert (found.right, found.harmful, len(found.released)) == (0, 0, 0)
    assert not found.is_refuted
    excluded = _verify(_reviews(40, confirmed=0), excludes=True)
    assert (excluded.right, excluded.harmful) == (40, 0)
    assert len(excluded.released) == ROWS - 40


def test_a_sample_ends_where_nobody_has_looked() -> None:
    reviews = _reviews(40)
    gap = int(np.flatnonzero(reviews.ranks == 10)[0])
    known = reviews.known.copy()
    known[gap] = False
    assert _verify(replace(reviews, known=known)).drawn == 10


def test_rows_reviewed_out_of_order_are_no_sample() -> None:
    """The worst rows first, as one reviews with the queue: all are wrong, which says nothing."""
    reviews = _reviews(ROWS)
    found = _verify(replace(reviews, known=reviews.ranks >= 5))
    assert found.drawn == 0
    assert not len(found.released)


def test_precision_is_asked_of_the_best() -> None:
    """Nine in ten are right among the better half, half of them among the others."""
    generator = np.random.default_rng(1)
    rows = 1000
    right = generator.random(rows) < np.where(np.arange(rows) < rows / 2, 0.99, 0.5)
    order = generator.permutation(rows)
    known = order < 160
    reviews = Reviews(order, known, known & right, known & right)
    found = _verify(reviews, precision=0.8, found=_found(rows))
    assert 0 < len(found.released) < rows / 2
    assert right[found.released].mean() >= 0.8
    assert len(_verify(reviews, found=_found(rows)).released) == rows - 160


def test_what_may_be_proposed_is_a_candidate_also_where_people_err() -> None:
    given, probs, _ = sampled(np.eye(4), skill=3, hard=0.8)
    assert noise.evidence(given, probs).is_peoples
    found = confident.find(given, probs, "auto", "auto")
    flagged = np.flatnonzero(found.flagged)
    suggested = found.suggested[flagged]
    sure = flagged[corrections.are_surely_better(given, probs, flagged, suggested)]
    assert set(sure) <= set(candidates(given, probs, found.flagged, found.suggested).places)
    # Some of them not by the careful probability alone.
    careful = noise.careful_correction(given, probs).apply(given, probs)[sure]
    rows = np.arange(len(sure))
    assert (careful[rows, found.suggested[sure]] < careful[rows, given[sure]]).any()


def test_what_does_harm_beyond_the_best_is_left_out() -> None:
    """All together gain, and by the reviewed rows the worse half does not."""
    generator = np.random.default_rng(1)
    rows = 1000
    right = generator.random(rows) < np.where(np.arange(rows) < rows / 2, 0.99, 0.3)
    order = generator.permutation(rows)
    known = order < 300
    reviews = Reviews(order, known, known & right, known & right)
    found = _verify(reviews, found=_found(rows))
    assert found.size == rows / 2
    assert (found.reviewed, found.drawn) == (300, int((known & (np.arange(rows) < 500)).sum()))
    assert right[found.released].mean() > 0.95


def test_what_is_still_needed_shrinks_as_rows_speak_for_it() -> None:
    generator = np.random.default_rng(1)
    right = generator.random(1000) < 0.85
    order = generator.permutation(1000)
    asked = []
    for reviewed in (0, 3, 6):
        known = order < reviewed
        reviews = Reviews(order, known, known & right, known & right)
        asked.append(_verify(reviews, found=_found(1000)).needed)
    assert asked[0] > asked[1] > asked[2] > 0  # type: ignore[operator]


def test_rows_that_speak_against_it_ask_for_more() -> None:
    right, order = np.arange(1000) >= 12, np.arange(1000)
    known = order < 12
    started = _verify(
        Reviews(order, ~known & known, ~known & known, ~known & known), found=_found(1000)
    )
    after = _verify(Reviews(order, known, known & right, known & right), found=_found(1000))
    assert started.needed is not None
    assert after.needed is None or after.needed > started.needed


def test_more_risk_releases_sooner() -> None:
    counts = [len(_verify(_reviews(8), risk=risk).released) for risk in (0.001, 0.05, 0.4)]
    assert counts[0] == 0
    assert counts[2] == ROWS - 8
    assert counts == sorted(counts)


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_fewer_candidates_than_a_sample(rows: int) -> None:
    found = _verify(_reviews(rows, rows=rows), found=_found(rows))
    assert not len(found.released)
    assert found.needed is None


def test_more_rows_than_are_left_are_not_asked_for() -> None:
    """Of 60 candidates 56 are reviewed, and it would take 20 or more to decide it."""
    order = np.arange(60)
    known, right = order < 56, order % 7 > 0
    found = _verify(
        Reviews(order, known, known & right, known & right), found=_found(60), precision=0.5
    )
    assert (found.size, found.needed) == (0, None)
    known = order < 10
    found = _verify(
        Reviews(order, known, known & right, known & right), found=_found(60), precision=0.5
    )
    assert found.needed is not None
