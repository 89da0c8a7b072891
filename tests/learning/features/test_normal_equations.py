"""Sums over rows from which ridge regression is solved, and from which rows can be taken away."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sqlfuncs.learning.features import ridge
from sqlfuncs.learning.features.normal_equations import NormalEquations
from sqlfuncs.learning.models.number_target import NumberTarget
from sqlfuncs.learning.models.tag_target import TagTarget
from sqlfuncs.learning.models.target import Target


def _data(rows: int, columns: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    view = random.normal(size=(rows, columns)).astype(np.float32)
    return view, view[:, :1] * 2 + random.normal(size=(rows, width))


@pytest.mark.parametrize("penalty", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize(("rows", "columns", "width"), [(60, 4, 1), (30, 50, 3)])
@pytest.mark.parametrize("far", [0.0, 1e4])
def test_it_is_scikit_learns(
    penalty: float, rows: int, columns: int, width: int, far: float
) -> None:
    view, values = _data(rows, columns, width)
    x, y = view.astype(np.float64) + far, values + far
    counts = np.arange(rows) % 3 / 1.0
    slopes, intercepts = NormalEquations.of(x, y, counts).solve(np.full(width, penalty))
    own = Ridge(penalty).fit(x, y, counts)
    assert np.allclose(x @ slopes + intercepts, own.predict(x).reshape(y.shape), atol=1e-5)


def test_columns_have_penalties_of_their_own() -> None:
    view, values = _data(60, 5, 2)
    slopes, _ = NormalEquations.of(view, values, np.ones(60)).solve(np.array([1.0, 500.0]))
    for at, penalty in enumerate([1.0, 500.0]):
        assert np.allclose(slopes[:, at], Ridge(penalty).fit(view, values[:, at]).coef_, atol=1e-5)


@pytest.mark.parametrize("is_weighed", [False, True])
def test_rows_taken_away_were_never_there(is_weighed: bool) -> None:
    view, values = _data(200, 20, 2)
    counts = np.linspace(0, 2, 200) if is_weighed else np.ones(200)
    away = np.arange(200) % 5 == 1
    penalties = np.array([0.1, 10.0])
    whole = NormalEquations.of(view, values, counts)
    less = whole.without(view[away], values[away], counts[away])
    alone = NormalEquations.of(view[~away], values[~away], counts[~away])
    for one, other in zip(less.solve(penalties), alone.solve(penalties), strict=True):
        assert np.allclose(one, other, atol=1e-9)
    assert (less.penalties() == alone.penalties()).all()


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e6, 1e12])
def test_columns_that_say_the_same_on_any_scale(scale: float) -> None:
    view, values = _data(50, 3, 1)
    same = np.hstack([view, view, np.ones((50, 1))]) * scale
    equations = NormalEquations.of(same, values, np.ones(50))
    less = equations.without(same[:10], values[:10], np.ones(10))
    for each in (equations, less):
        slopes, intercepts = each.solve(each.penalties())
        assert np.isfinite(slopes).all() and np.isfinite(intercepts).all()
    if scale >= 1:
        predicted = same @ slopes + intercepts
        assert np.corrcoef(predicted[:, 0], values[:, 0])[0, 1] > 0.8


class Plain:
    """Features whose heads for numbers are ridge regressions."""

    def fit_head(self, *_: object) -> object:
        raise AssertionError


def _targets() -> list[Target]:
    values = _data(200, 20, 3)[1]
    values[::7] = np.nan
    return [NumberTarget(values[:, 0]), TagTarget(np.where(np.isnan(values), np.nan, values > 0.3))]


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("weighed", ["", "some", "none outside"])
def test_heads_left_out_are_those_of_the_others(at: int, weighed: str) -> None:
    target, view = _targets()[at], _data(200, 20, 1)[0]
    held_out = (np.arange(200) % 5 == 0) | (target.strata < 0)
    weights = None
    if weighed:
        weights = np.linspace(0, 2, 200).astype(np.float32)
    if weighed == "none outside":
        weights = held_out.astype(np.float32)
    values = target.as_values()
    assert values is not None
    fit = ridge.left_out(Plain(), 0, view, values, weights)  # type: ignore[arg-type]
    assert fit is not None
    short = target.left_out(Plain(), 0, view, weights)(held_out)  # type: ignore[arg-type]
    assert (short.predict(view) == fit(held_out).predict(view)).all()
    kept = ~held_out
    others = None if weights is None else weights[kept]
    long = target.chosen(kept).fit(Plain(), 0, view[kept], others)  # type: ignore[arg-type]
    for column in range(target.width):  # of which the penalty may be the next one
        one, other = (each.predict(view)[:, column] for each in (short, long))
        assert np.asarray(np.corrcoef(np.stack([one, other])))[0, 1] > 0.98
        assert np.abs(one - other).mean() < 0.05
    assert isinstance(short, ridge.Line)


def test_what_is_no_matrix_has_no_short_cut() -> None:
    class Own(Plain):
        fit_regressor = None

    values = np.arange(9.0)[:, None]
    assert ridge.left_out(Own(), 0, np.eye(9), values, None) is None  # type: ignore[arg-type]
    assert ridge.left_out(Plain(), 0, object(), values, None) is None  # type: ignore[arg-type]
    assert ridge.left_out(Plain(), 0, np.eye(9), values * np.nan, None) is None  # type: ignore[arg-type]
