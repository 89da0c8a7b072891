"""Heads for numbers: ridge regression, and trees for tabular rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge, RidgeCV

from sqlfuncs.learning.features.heads import one_thread
from sqlfuncs.learning.features.ridge import fit_line
from sqlfuncs.learning.features.tabular_numbers import fit_blended_numbers


def _data(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    view = random.normal(size=(rows, columns)).astype(np.float32)
    return view, view[:, 0] * 2 - view[:, 1] + random.normal(size=rows)


@pytest.mark.parametrize(("rows", "columns"), [(200, 5), (60, 40), (30, 100)])
def test_the_penalty_is_that_of_cross_validation_without_one(rows: int, columns: int) -> None:
    view, values = _data(rows, columns)
    line = fit_line(view, values[:, None])
    alphas = 10.0 ** np.arange(-2, 5, 0.5)
    errors = []
    for alpha in alphas:
        ridge = Ridge(alpha).fit(view.astype(float), values)
        centred = view.astype(float) - view.mean(axis=0)
        hat = centred @ np.linalg.solve(centred.T @ centred + alpha * np.eye(columns), centred.T)
        freedom = 1 - (1 + np.trace(hat)) / rows
        squares = ((values - ridge.predict(view.astype(float))) ** 2).sum()
        errors.append(squares / freedom**2 if freedom > 0 else np.inf)
    best = Ridge(alphas[int(np.argmin(errors))]).fit(view.astype(float), values)
    assert np.allclose(line.predict(view)[:, 0], best.predict(view.astype(float)), atol=1e-4)


def test_what_is_learned_predicts_as_well_as_scikit_learn() -> None:
    view, values = _data(1000, 20)
    other, true = _data(1000, 20, seed=1)
    own = fit_line(view[:500], values[:500, None]).predict(view[500:])[:, 0]
    its = RidgeCV(10.0 ** np.arange(-2, 5, 0.5)).fit(view[:500], values[:500]).predict(view[500:])
    assert np.corrcoef(own, values[500:])[0, 1] > np.corrcoef(its, values[500:])[0, 1] - 0.005
    assert other.shape == view.shape and len(true) == 1000


def test_weights_are_rows_that_come_so_often() -> None:
    view, values = _data(90, 4)
    weights = np.tile([1, 2, 3], 30)
    often = np.repeat(np.arange(90), weights)
    one = fit_line(view, values[:, None], weights.astype(np.float32))
    other = fit_line(view[often], values[often, None])
    assert np.allclose(one.slopes, other.slopes, atol=1e-5)
    assert np.allclose(one.intercepts, other.intercepts, atol=1e-5)


def test_sparse_views_are_learned_as_they_are() -> None:
    view, values = _data(300, 10)
    line = fit_line(csr_matrix(view), values[:, None])
    assert np.corrcoef(line.predict(csr_matrix(view))[:, 0], values)[0, 1] > 0.85


def test_trees_learn_what_is_no_line() -> None:
    random = np.random.default_rng(0)
    view = random.normal(size=(900, 3)).astype(np.float32)
    values = np.where(view[:, 0] * view[:, 1] > 0, 1.0, -1.0) + random.normal(size=900) / 4
    with one_thread():
        blend = fit_blended_numbers(view[:600], 0, values[:600, None])
    predicted = blend.predict(view[600:])[:, 0]
    assert np.corrcoef(predicted, values[600:])[0, 1] > 0.8
    assert sum(blend.weights) == pytest.approx(1) and blend.weights[0] < 0.2


def test_columns_are_learned_each_by_itself() -> None:
    view, values = _data(120, 12)
    both = np.column_stack([values, view[:, 3] > 0.5, np.ones(120)])
    for matrix in (view, csr_matrix(view)):
        together = fit_line(matrix, both).predict(matrix)
        for at in range(3):
            alone = fit_line(matrix, both[:, [at]]).predict(matrix)
            assert np.allclose(together[:, [at]], alone, atol=2e-3)


def test_sparse_and_dense_agree_on_the_penalty_of_words() -> None:
    view, values = _data(80, 30)
    ridge = Ridge(1.0).fit(view, values)
    line = fit_line(csr_matrix(view), values[:, None])
    assert np.allclose(line.predict(csr_matrix(view))[:, 0], ridge.predict(view), atol=0.1)
