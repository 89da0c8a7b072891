"""Heads that predict numbers from tabular rows: a linear one, randomised and boosted trees.

They see the matrix that those of classes do (`tabular`). How much each weighs is found on rows that
it did not see, by least squares with weights of 0 or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlfuncs import work
from sqlfuncs.learning.features.heads import AnyHead, Floats
from sqlfuncs.learning.features.ridge import fit_line
from sqlfuncs.learning.features.tree_rows import (
    BOOSTED_ROUNDS,
    BOOSTED_ROWS,
    LEAF_ROWS,
    ROWS_A_STEP,
    ROWS_OF_A_TREE,
    TREES,
    WEIGHED_ROWS,
    WEIGHED_TREES,
    View,
    boosting,
    sample,
    set_aside,
)

_FEWEST_ASIDE = 10  # rows, before they say how much each head weighs


@dataclass(frozen=True)
class BlendedNumbers:
    """Several heads, each with a weight."""

    heads: tuple[AnyHead, ...]
    weights: tuple[float, ...]

    def predict(self, view: View) -> Floats:
        """The weighted sum of what the heads predict: (rows, width)."""
        parts = zip(self.weights, self.heads, strict=True)
        total: Floats = sum((w * head.predict(view) for w, head in parts if w > 0), np.zeros(()))
        return total


def fit_blended_numbers(view: View, scaled: int, values: Floats) -> BlendedNumbers:
    """Train heads on all rows to predict `values` (rows, width).

    The first `scaled` columns of the view are not for boosting, which learns one number only.
    """
    weights = _weights(view, scaled, values)
    return BlendedNumbers(_heads(view, scaled, values, TREES), weights)


def _heads(view: View, scaled: int, values: Floats, trees: int) -> tuple[AnyHead, ...]:
    heads: list[AnyHead] = [fit_line(view, values), NumberForest(view, values, trees)]
    if values.shape[1] == 1:
        heads.append(fit_boosted_numbers(view, scaled, values[:, 0]))
    return tuple(heads)


def _weights(view: View, scaled: int, values: Floats) -> tuple[float, ...]:
    from scipy.optimize import nnls

    count = 3 if values.shape[1] == 1 else 2
    even = (1 / count,) * count
    some = sample(len(values), WEIGHED_ROWS, seed=0)
    view, values = view[some], values[some]
    aside = set_aside(view)
    if min(aside.sum(), (~aside).sum()) < _FEWEST_ASIDE:
        return even
    trained = _heads(view[~aside], scaled, values[~aside], WEIGHED_TREES)
    mean = values[~aside].mean(axis=0)
    said = np.stack([(head.predict(view[aside]) - mean).ravel() for head in trained], axis=1)
    weights, _ = nnls(said, (values[aside] - mean).ravel())
    total = float(weights.sum())
    # They sum to 1, so that what all heads say is what the blend does.
    return tuple((weights / total).tolist()) if total > 0 else even


@dataclass(frozen=True)
class NumberForest:
    """Extremely randomised trees; see `tabular.Forest`, which they are grown as."""

    view: View
    values: Floats
    trees: int

    def predict(self, view: View) -> Floats:
        """The mean of the trees: (rows, width)."""
        from sklearn import config_context
        from sklearn.tree import ExtraTreeRegressor

        total = np.zeros((len(view), self.values.shape[1]))
        with config_context(skip_parameter_validation=True):
            for number in range(self.trees):
                work.check()
                some = sample(len(self.values), ROWS_OF_A_TREE, seed=number)
                tree = ExtraTreeRegressor(
                    min_samples_leaf=LEAF_ROWS, max_features=1 / 3, random_state=number
                ).fit(self.view[some], self.values[some], check_input=False)
                total += tree.predict(view, check_input=False).reshape(total.shape)
        mean: Floats = total / self.trees
        return mean


@dataclass(frozen=True)
class BoostedNumbers:
    """Gradient boosting on histograms, by scikit-learn."""

    scaled: int
    model: Any

    def predict(self, view: View) -> Floats:
        """Numbers: (rows, 1)."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "openmp"):
            predicted: Floats = self.model.predict(view[:, self.scaled :])
        return predicted[:, None]


def fit_boosted_numbers(view: View, scaled: int, values: Floats) -> BoostedNumbers:
    """As `tabular.fit_boosted`, in steps between which Ctrl-C is heard."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    some = sample(len(values), BOOSTED_ROWS, seed=0)
    fields, values = view[some, scaled:], values[some]
    model = HistGradientBoostingRegressor(
        max_leaf_nodes=8,
        l2_regularization=5,
        early_stopping=False,
        categorical_features=None,
        warm_start=True,
        random_state=0,
    )
    with threadpool_limits(1, "openmp"):
        step = max(1, ROWS_A_STEP // len(values))
        for rounds in (*range(step, BOOSTED_ROUNDS, step), BOOSTED_ROUNDS):
            work.check()
            with boosting:
                model.set_params(max_iter=rounds).fit(fields, values)
    return BoostedNumbers(scaled, model)
