"""Heads for tabular rows: a linear one, randomised trees and boosted trees, weighed and averaged.

They see one matrix of the columns of `tabular_columns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning.features.attributions import Named, by_occlusion
from sqlfuncs.learning.features.heads import AnyHead, Floats, Head, RowWeights
from sqlfuncs.learning.features.tabular_columns import Categories, as_columns
from sqlfuncs.learning.features.tabular_numbers import fit_blended_numbers
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
from sqlfuncs.learning.labels.classes import Codes

TREE_CLASSES = 200  # a tree keeps every class's share in every leaf; beyond these it is too much
SHRINKAGE = 0.2
BOOSTED_CLASSES = 16  # a round of boosting grows a tree for each class
PRIOR_ROWS = 30
_FLOOR = 1e-3  # of a likelihood: one row alone cannot rule a head out


@dataclass(frozen=True)
class TabularFeatures:
    """What the heads see of a row. It is learned from rows without their labels.

    The view's first `scaled` columns are numbers to scale. Boosting does without these: to it
    they are the same as the ranks of the numbers, which follow.
    """

    scaled: int
    means: npt.NDArray[np.float32]
    columns: Mapping[int, Sequence[int]]  # of each field
    names: Sequence[str] = ()
    view_names = ("fields",)

    @classmethod
    def learn(
        cls, values: Floats, categories: Categories, names: Sequence[str] = ()
    ) -> tuple[TabularFeatures, list[View]]:
        """The features of some rows, and their view: (rows, columns), without NaN.

        `values` (rows, fields) are numbers, and of fields with `categories` places among these.
        """
        view, scaled, columns = as_columns(values, categories)
        means = view.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(scaled, means, columns, names), [view]

    def attributions(
        self, heads: Sequence[AnyHead], views: Sequence[View], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Which fields speak for a class, and which for another, by occlusion."""
        fields = {self.names[field]: at for field, at in self.columns.items()}
        return by_occlusion(heads[0].predict, views[0], self.means, fields, pro, contra)

    def fit_head(self, place: int, view: View, codes: Codes, n_classes: int) -> Blend:
        """Train the heads, and weigh them."""
        return fit_blend(self, view, codes, n_classes)

    def fit_regressor(
        self, place: int, view: View, values: Floats, weights: RowWeights | None = None
    ) -> AnyHead:
        """The same for numbers. All rows count alike."""
        return fit_blended_numbers(view, self.scaled, values)


@dataclass(frozen=True)
class Blend:
    """Several heads, each with a weight; the weights sum to 1."""

    heads: tuple[AnyHead, ...]
    weights: tuple[float, ...]

    def predict(self, view: View) -> Floats:
        """The weighted mean of the heads' class probabilities: (rows, classes)."""
        each = (w * h.predict(view) for h, w in zip(self.heads, self.weights, strict=True))
        total: Floats = sum(each, np.zeros(()))
        return total


def fit_blend(features: TabularFeatures, view: View, codes: Codes, n_classes: int) -> Blend:
    """Train the heads on all rows, weighed by how well they do on some that they did not see."""
    weights = _weights(features, view, codes, n_classes)
    return Blend(_heads(features, view, codes, n_classes, TREES), weights)


def _heads(
    features: TabularFeatures, view: View, codes: Codes, n_classes: int, trees: int
) -> tuple[AnyHead, ...]:
    heads: list[AnyHead] = [fit_linear(view, codes, n_classes)]
    if n_classes <= TREE_CLASSES:
        heads.append(Forest(view, codes, n_classes, trees))
    if n_classes <= BOOSTED_CLASSES:
        heads.append(fit_boosted(features, view, codes, n_classes))
    return tuple(heads)


def _weights(
    features: TabularFeatures, view: View, codes: Codes, n_classes: int
) -> tuple[float, ...]:
    """The mixture of heads under which labels of rows not seen are likeliest.

    By expectation maximisation, from equal weights, and drawn towards these as if by PRIOR_ROWS
    rows. These rows are set aside.
    """
    count = 1 + (n_classes <= TREE_CLASSES) + (n_classes <= BOOSTED_CLASSES)
    weights = np.full(count, 1 / count)
    some = sample(len(codes), WEIGHED_ROWS, seed=0)
    view, codes = view[some], codes[some]
    aside = set_aside(view)
    if count == 1 or aside.all() or not aside.any():
        return tuple(weights.tolist())
    trained = _heads(features, view[~aside], codes[~aside], n_classes, WEIGHED_TREES)
    own = np.arange(aside.sum())
    likelihood = np.column_stack(
        [head.predict(view[aside])[own, codes[aside]].clip(_FLOOR) for head in trained]
    )
    for _ in range(100):
        shares = likelihood * weights
        total = (shares / shares.sum(axis=1, keepdims=True)).sum(axis=0)
        weights = (total + PRIOR_ROWS / count) / (len(own) + PRIOR_ROWS)
    return tuple(weights.tolist())


@dataclass(frozen=True)
class Forest:
    """Extremely randomised trees (Geurts, Ernst, Wehenkel: Extremely randomized trees, 2006).

    Grown when probabilities are asked for, and each given up before the next: with many classes
    a forest is larger than its rows.
    """

    view: View
    codes: Codes
    n_classes: int
    trees: int

    def predict(self, view: View) -> Floats:
        """Class probabilities, the mean of the trees: (rows, classes)."""
        from sklearn import config_context
        from sklearn.tree import ExtraTreeClassifier

        present, codes = np.unique(self.codes, return_inverse=True)
        total = np.zeros((len(view), len(present)))
        # scikit-learn's own forest changes the process's warnings, which two threads must not.
        with config_context(skip_parameter_validation=True):
            for number in range(self.trees):
                work.check()
                some = sample(len(codes), ROWS_OF_A_TREE, seed=number)
                tree = ExtraTreeClassifier(
                    min_samples_leaf=LEAF_ROWS, max_features="sqrt", random_state=number
                ).fit(self.view[some], codes[some], check_input=False)
                # A class that a sample lacks has no column.
                total[:, tree.classes_] += tree.predict_proba(view, check_input=False)
        return _among(total / self.trees, present, self.n_classes)


@dataclass(frozen=True)
class Boosted:
    """Gradient boosting on histograms (Ke et al.: LightGBM, NeurIPS 2017), by scikit-learn."""

    features: TabularFeatures
    model: Any
    present: Codes
    n_classes: int

    def predict(self, view: View) -> Floats:
        """Class probabilities: (rows, classes)."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "openmp"):
            probs = self.model.predict_proba(view[:, self.features.scaled :])
        return _among(probs, self.present, self.n_classes)


def fit_boosted(features: TabularFeatures, view: View, codes: Codes, n_classes: int) -> AnyHead:
    """A few rounds of small trees: more of them learn the wrong labels.

    In steps, between which Ctrl-C is heard; the result is that of one go.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    present = np.unique(codes)
    if len(present) < 2:
        return fit_linear(view, codes, n_classes)
    some = sample(len(codes), BOOSTED_ROWS, seed=0)
    fields, codes = view[some, features.scaled :], codes[some]
    present = np.unique(codes)
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=8,
        l2_regularization=5,
        early_stopping=False,
        categorical_features=None,  # its way with them changes the process's warnings
        warm_start=True,
        random_state=0,
    )
    # A thread of ours has OpenMP threads of its own; with several, sums may differ.
    with threadpool_limits(1, "openmp"):
        step = max(1, ROWS_A_STEP // (len(codes) * len(present)))
        for rounds in (*range(step, BOOSTED_ROUNDS, step), BOOSTED_ROUNDS):
            work.check()
            with boosting:
                model.set_params(max_iter=rounds).fit(fields, codes)
    return Boosted(features, model, present, n_classes)


def _among(probs: Floats, present: Codes, n_classes: int) -> Floats:
    """Probabilities of the classes that are present, among all: (rows, n_classes)."""
    result = np.zeros((len(probs), n_classes))
    result[:, present] = probs
    return result


def fit_linear(view: View, codes: Codes, n_classes: int) -> Head:
    """Linear discriminant analysis in closed form: seconds for thousands of classes.

    The covariance within classes is drawn towards the variances over all rows (a regularised
    discriminant analysis, Friedman 1989), and the mean of a class towards that of all rows, as
    by one more row.
    """
    numbers = view.astype(np.float64)
    rows, columns = numbers.shape
    centre = numbers.mean(axis=0)
    numbers -= centre
    present, own = np.unique(codes, return_inverse=True)
    counts = np.bincount(own)
    sums = np.zeros((len(present), columns))
    np.add.at(sums, own, numbers)
    within = numbers - (sums / counts[:, None])[own]
    covariance = within.T @ within / max(rows - len(present), 1)
    variances = (numbers**2).mean(axis=0) + 1e-6
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(variances)
    means = sums / (counts[:, None] + 1)
    solved = np.linalg.solve(covariance, means.T)
    weights = np.zeros((columns, n_classes), dtype=np.float32)
    bias = np.full(n_classes, -np.inf, dtype=np.float32)
    weights[:, present] = solved
    bias[present] = np.log(counts / rows) - 0.5 * (means * solved.T).sum(axis=1) - centre @ solved
    return Head(weights, bias)
