from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from sqlfuncs import work
from sqlfuncs.errors import Cancelled
from sqlfuncs.learning.features import tabular, tabular_columns
from sqlfuncs.learning.features.tabular import TabularFeatures
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.rows.fields import Fields
from tests.waiting import patient

NAN = float("nan")


def _none(count: int) -> np.ndarray:
    return np.full(count, None, dtype=object)


def _rows(values: Floats, categories: tuple[tuple[str, ...] | None, ...] | None = None) -> Fields:
    fields = values.shape[1]
    names = tuple(f"f{at}" for at in range(fields))
    return Fields(names, categories or (None,) * fields, values, _none(len(values)))


def _blobs(count: int, fields: int, classes: int, spread: float = 2.0) -> tuple[Fields, np.ndarray]:
    """Rows around a centre for each class."""
    random = np.random.default_rng(0)
    codes = np.arange(count) % classes
    centres = random.normal(size=(classes, fields)) * spread
    return _rows(centres[codes] + random.normal(size=(count, fields))), codes


def _view(rows: Fields) -> np.ndarray:
    _, (view,) = TabularFeatures.learn(rows.values, rows.categories)
    return np.asarray(view)


def test_the_view_is_finite_whatever_the_numbers() -> None:
    values = np.array([[1e308, 1, 0, NAN], [-1e308, 1, 1e-300, 2], [NAN, 1, NAN, 1], [1, 1, 5, 0]])
    view = _view(_rows(values, (None, None, None, ("a", "b", "c"))))
    assert np.isfinite(view).all()
    assert np.abs(view).max() < 10
    assert view.shape == (4, 2 * 3 + 3 + 3)  # numbers twice, categories, where one is missing


def test_an_outlier_hides_no_difference_between_the_others() -> None:
    view = _view(_rows(np.append(np.arange(200.0), 1e300)[:, None]))
    ranks = view[:, 1]
    assert len(np.unique(ranks)) == 201
    assert ranks[:200].std() == pytest.approx(1, abs=0.02)


def test_only_common_categories_get_a_column() -> None:
    names = tuple(str(code) for code in range(300))
    codes = np.concatenate([np.arange(300), np.repeat(np.arange(290, 300), 5)])
    view = _view(_rows(codes[:, None].astype(float), (names,)))
    assert view.shape[1] == tabular_columns.CATEGORY_COLUMNS
    assert view[-50:].sum() == 50


@pytest.mark.parametrize("classes", [2, 3, 30, 300])
def test_heads_learn_and_probabilities_sum_to_1(classes: int) -> None:
    rows, codes = _blobs(max(600, classes * 4), 6, classes)
    probs, reasons, _ = out_of_sample(prepare(rows, ClassTarget(codes, classes)), folds=5, seed=0)
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(codes)))
    assert all(reason is None for reason in reasons)
    # No better than 10 times chance would be a head that learns nothing.
    assert (probs.argmax(axis=1) == codes).mean() > min(0.75, 10 / classes)


def test_a_rule_of_two_fields_is_learned_that_no_line_can_follow() -> None:
    values = np.random.default_rng(0).normal(size=(600, 4))
    codes = (values[:, 0] * values[:, 1] > 0).astype(np.int64)
    probs, _, _ = out_of_sample(prepare(_rows(values), ClassTarget(codes, 2)), folds=5, seed=0)
    assert (probs.argmax(axis=1) == codes).mean() > 0.85


def test_missing_values_and_categories_are_evidence() -> None:
    random = np.random.default_rng(0)
    codes = np.arange(300) % 3
    values = np.column_stack([random.normal(size=300), codes == 2, random.normal(size=300)])
    values[codes == 1, 0] = NAN
    rows = _rows(values.astype(float), (None, ("no", "yes"), None))
    probs, _, _ = out_of_sample(prepare(rows, ClassTarget(codes, 3)), folds=5, seed=0)
    assert (probs.argmax(axis=1) == codes).mean() > 0.98


@pytest.mark.parametrize("counts", [(1, 50), (2, 50), (3, 50), (1, 1), (2, 2), (3, 200, 1)])
def test_classes_of_a_few_rows_break_nothing(counts: tuple[int, ...]) -> None:
    codes = np.repeat(np.arange(len(counts)), counts)
    values = np.random.default_rng(0).normal(size=(len(codes), 3)) + codes[:, None]
    probs, _, _ = out_of_sample(
        prepare(_rows(values), ClassTarget(codes, len(counts))), folds=5, seed=0
    )
    assert np.isfinite(probs).all()


def test_the_order_of_rows_does_not_change_a_bit() -> None:
    rows, codes = _blobs(120, 4, 3)
    shuffled = np.random.default_rng(1).permutation(120)
    expected, _, _ = out_of_sample(prepare(rows, ClassTarget(codes, 3)), folds=3, seed=0)
    found, _, _ = out_of_sample(
        prepare(rows.take(shuffled), ClassTarget(codes[shuffled], 3)), folds=3, seed=0
    )
    assert found.tobytes() == expected[shuffled].tobytes()


def test_the_number_of_threads_does_not_change_a_bit() -> None:
    script = (
        "from tests.learning.features.test_tabular import _blobs\n"
        "from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare\n"
        "from sqlfuncs.learning.models.class_target import ClassTarget\n"
        "rows, codes = _blobs(600, 5, 3)\n"
        "probs, _, _ = out_of_sample(prepare(rows, ClassTarget(codes, 3)), folds=2, seed=0)\n"
        "print(probs.tobytes().hex())\n"
    )
    printed = set()
    for threads in ("1", "4"):
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        ran = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        printed.add(ran.stdout)
    assert len(printed) == 1


def test_heads_are_weighed_by_what_they_know() -> None:
    values = np.random.default_rng(0).normal(size=(900, 4))
    codes = (values[:, 0] * values[:, 1] > 0).astype(np.int64)
    learned, (view,) = TabularFeatures.learn(values, [None] * 4)
    blend = learned.fit_head(0, view, codes, 2)
    linear, *others = blend.weights
    assert sum(blend.weights) == pytest.approx(1)
    assert linear < min(others)


def test_with_very_many_classes_only_the_linear_head_is_left() -> None:
    rows, codes = _blobs(1200, 4, tabular.TREE_CLASSES + 1)
    learned, (view,) = TabularFeatures.learn(rows.values, rows.categories)
    assert learned.fit_head(0, view, codes, tabular.TREE_CLASSES + 1).weights == (1.0,)


@pytest.mark.slow
def test_it_stops_soon_when_asked() -> None:
    rows, codes = _blobs(20_000, 20, 10)
    prepared = prepare(rows, ClassTarget(codes, 10))
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.perf_counter())
        work.stop()

    timer = threading.Timer(4, stop)
    timer.start()
    with pytest.raises(Cancelled):
        out_of_sample(prepared, folds=5, seed=0)
    assert time.perf_counter() - asked[0] < patient(2)  # about one


def test_a_discriminant_analysis_by_hand() -> None:
    """The covariance within classes is drawn by a fifth towards the variances of all rows."""
    random = np.random.default_rng(3)
    codes = np.arange(60) % 2
    view = (random.normal(size=(60, 3)) @ random.normal(size=(3, 3)) + codes[:, None]).astype(
        np.float32
    )
    centred = view - view.mean(axis=0, dtype=np.float64)
    sums = np.array([centred[codes == code].sum(axis=0) for code in (0, 1)])
    within = centred - (sums / 30)[codes]
    covariance = 0.8 * within.T @ within / 58 + 0.2 * np.diag((centred**2).mean(axis=0))
    expected = np.linalg.solve(covariance, (sums / 31).T)
    assert tabular.fit_linear(view, codes, 2).weights == pytest.approx(expected, rel=1e-3)
