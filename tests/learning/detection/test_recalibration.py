"""Probabilities that fit a reviewed sample: what they learn, what they must not change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, log_loss

from sqlfuncs.learning.detection.recalibration import recalibrated
from sqlfuncs.learning.detection.sampling import Drawn
from sqlfuncs.learning.features.heads import one_thread
from sqlfuncs.learning.models.kernel import LinearKernel

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@pytest.fixture(autouse=True)
def _as_it_is_called() -> Iterator[None]:
    with one_thread():
        yield


def _made(rows: int, classes: int = 3, seed: int = 0) -> tuple[Codes, Codes, Floats]:
    """Given and true classes, and what a fair model says of the given ones."""
    random = np.random.default_rng(seed)
    probs = random.dirichlet(np.ones(classes), rows)
    true = (probs.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    given = np.where(random.random(rows) < 0.2, random.integers(0, classes, rows), true)
    return given, true, probs


def _drawn(given: Codes, true: Codes, places: Codes) -> Drawn:
    return Drawn(places, (given != true)[places], true[places])


def _of(probs: Floats, codes: Codes) -> Floats:
    found: Floats = probs[np.arange(len(codes)), codes]
    return found


@pytest.mark.parametrize("drawn", [1, 2, 9, 10, 11, 50])
def test_they_are_distributions(drawn: int) -> None:
    given, true, probs = _made(300)
    found = recalibrated(given, probs, probs, _drawn(given, true, np.arange(drawn)))
    assert found.shape == probs.shape
    assert np.allclose(found.sum(axis=1), 1)
    assert (found >= 0).all()


def test_a_model_that_is_right_keeps_its_order() -> None:
    """What is well calibrated already ranks as well as before, by whatever sample."""
    given, true, probs = _made(3000)
    wrong = given != true
    before = average_precision_score(wrong, -_of(probs, given))
    for seed in range(4):
        places = np.random.default_rng(seed).permutation(3000)[:60]
        found = recalibrated(given, probs, probs, _drawn(given, true, places))
        assert average_precision_score(wrong, -_of(found, given)) > before - 0.03


def test_one_that_is_too_sure_is_corrected() -> None:
    given, true, probs = _made(3000)
    sure = probs**4
    sure /= sure.sum(axis=1, keepdims=True)
    places = np.random.default_rng(0).permutation(3000)[:100]
    found = recalibrated(given, sure, sure, _drawn(given, true, places))
    assert log_loss(true, found) < log_loss(true, sure) - 0.2


def test_what_rows_are_is_learned() -> None:
    """The model knows nothing; half of the rows, which their features tell, are wrong."""
    rows = 600
    given, side = np.zeros(rows, dtype=np.int64), np.arange(rows) % 2
    probs = np.full((rows, 2), 0.5)
    views = (np.column_stack([2.0 * side - 1, np.ones(rows)]),)
    drawn = _drawn(given, side, np.arange(200))
    blind = recalibrated(given, probs, probs, drawn)[200:]
    seeing = recalibrated(
        given, probs, probs, drawn, LinearKernel.of_views(views, np.arange(rows))
    )[200:]
    assert abs(blind[:, 0] - 0.5).max() < 0.1
    assert (seeing.argmax(axis=1) == side[200:]).all()
    assert seeing.max(axis=1).min() > 0.9


def test_a_drawn_row_takes_no_part_in_its_own() -> None:
    """Row 7 and row 300 are alike and like no other: what 7 is found to be, 300 is told alone."""
    rows = 400
    given, true = np.arange(rows) % 2, np.arange(rows) % 2
    probs = np.full((rows, 2), 0.5)
    own = np.zeros((rows, 2))
    own[:, 0], own[[7, 300]] = 1, (0, 8)
    kernel = LinearKernel.of_views([own], np.arange(rows))
    other = true.copy()
    other[7] = 1 - true[7]
    before, after = (
        recalibrated(given, probs, probs, _drawn(given, found, np.arange(60)), kernel)
        for found in (true, other)
    )
    change = np.abs(after - before).max(axis=1)
    assert change[300] > 2 * change[7]


def test_wrong_without_a_better_class_is_learned_as_that() -> None:
    rows = 400
    given = np.arange(rows) % 2
    probs = np.full((rows, 3), 1 / 3)
    places = np.arange(100)
    drawn = Drawn(places, given[places] == 0, np.full(100, -1))
    found = recalibrated(given, probs, probs, drawn)[100:]
    assert found[given[100:] == 0, 0].max() < 0.1
    assert found[given[100:] == 1, 1].min() > 0.9


def test_of_very_many_classes_the_scale_alone_is_learned() -> None:
    given, true, probs = _made(500, classes=80)
    found = recalibrated(given, probs, probs, _drawn(given, true, np.arange(100)))
    order = np.argsort(_of(probs, given)[100:], kind="stable")
    assert (
        np.corrcoef(np.argsort(order), np.argsort(np.argsort(_of(found, given)[100:])))[0, 1] > 0.95
    )


def test_rows_beyond_the_most_change_nothing() -> None:
    given, true, probs = _made(1300)
    one, other = (
        recalibrated(given, probs, probs, _drawn(given, true, np.arange(count)))
        for count in (1000, 1200)
    )
    assert np.array_equal(one[1200:], other[1200:])
