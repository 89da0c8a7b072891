"""Linear heads for numbers: ridge regression on one kind of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights

Floats = npt.NDArray[np.float64]

# How firmly a head is held to the mean. That of words, for rows of a length of 1 and numbers of a
# variance of 1, is the best of three on politeness' scores; others are chosen for each head.
_PENALTY_OF_WORDS = 1.0
_PENALTIES = 10.0 ** np.arange(-2, 5, 0.5)
_TOLERANCE = 1e-3
_ROWS_AT_ONCE = 65_536  # in double precision


class Regressing(Protocol):
    """Features that know how a head for numbers is trained on each of their views."""

    def fit_regressor(
        self, place: int, view: Any, values: Floats, weights: RowWeights | None = None
    ) -> AnyHead:
        """Train a head on the view at `place`, which predicts `values` (rows,): (rows, 1)."""


@dataclass(frozen=True)
class Line:
    """A trained head: `slopes` (features,) and the number of a row that has none."""

    slopes: Floats
    intercept: float

    def predict(self, view: Any) -> Floats:
        """Numbers: (rows, 1)."""
        predicted: Floats = np.asarray(view @ self.slopes, dtype=np.float64) + self.intercept
        return predicted[:, None]


def fit_regressor(
    learned: Learned[AnyHead], place: int, view: Any, values: Floats, weights: RowWeights | None
) -> AnyHead:
    """Train a head for numbers on the view at `place` of some features.

    By `Regressing.fit_regressor` of those that have one, else by ridge regression on the view.
    Raises BadInput where the view is no matrix.
    """
    if hasattr(learned, "fit_regressor"):
        own = cast("Regressing", learned)
        return own.fit_regressor(place, view, values, weights)
    if not hasattr(view, "shape"):
        raise BadInput("numbers cannot be learned from such rows yet: labels have to be classes.")
    return fit_line(view, values, weights)


def fit_line(view: Any, values: Floats, weights: RowWeights | None = None) -> Line:
    """Ridge regression (Hoerl, Kennard: Technometrics 12, 1970). `view` (rows, features).

    Deterministic for rows in one order on one BLAS thread.
    """
    from scipy.sparse import issparse

    if issparse(view):
        return _fit_sparse(view, values, weights)
    return _fit_dense(view, values, weights)


def _fit_sparse(view: Any, values: Floats, weights: RowWeights | None) -> Line:
    work.ready("sklearn.linear_model")
    from sklearn.linear_model import Ridge

    ridge = Ridge(_PENALTY_OF_WORDS, solver="sparse_cg", tol=_TOLERANCE)
    ridge.fit(view, values, weights)
    return Line(np.asarray(ridge.coef_, dtype=np.float64), float(ridge.intercept_))


def _fit_dense(view: Any, values: Floats, weights: RowWeights | None) -> Line:
    """With the penalty of the least generalised cross-validation error.

    Golub, Heath, Wahba: Technometrics 21, 1979. One eigendecomposition serves all penalties.
    """
    counts = np.ones(len(values)) if weights is None else weights.astype(np.float64)
    total = counts.sum()
    centre = np.asarray(counts @ view, dtype=np.float64) / total
    mean = float(counts @ values / total)
    gram, moment = np.zeros((len(centre), len(centre))), np.zeros(len(centre))
    for at in range(0, len(values), _ROWS_AT_ONCE):
        some = slice(at, at + _ROWS_AT_ONCE)
        block = view[some].astype(np.float64) - centre
        weighted = block * counts[some, None]
        gram += weighted.T @ block
        moment += weighted.T @ (values[some] - mean)
    squares, axes = np.linalg.eigh(gram)
    squares = np.maximum(squares, 0)
    along = axes.T @ moment
    spread = float(counts @ (values - mean) ** 2)

    def error(penalty: float) -> float:
        shrunk = along / (squares + penalty)
        residual = spread - 2 * along @ shrunk + squares @ shrunk**2
        freedom = 1 - (1 + (squares / (squares + penalty)).sum()) / total
        return max(residual, 0) / freedom**2 if freedom > 0 else np.inf

    penalty = min(_PENALTIES, key=error)
    slopes = axes @ (along / (squares + penalty))
    return Line(slopes, mean - float(centre @ slopes))
