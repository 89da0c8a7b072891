"""Linear heads for numbers: ridge regression on one kind of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights

Floats = npt.NDArray[np.float64]

# How firmly a head is held to the mean. That of words, for rows of a length of 1 and numbers of a
# variance of 1, is the best of three on politeness' scores; others are chosen for each head.
_PENALTY_OF_WORDS = 1.0
_PENALTIES = 10.0 ** np.arange(-2, 5, 0.5)
_TOLERANCE, _MOST_STEPS = 1e-2, 200
_ROWS_AT_ONCE = 65_536  # in double precision


class Regressing(Protocol):
    """Features that know how a head for numbers is trained on each of their views."""

    def fit_regressor(
        self, place: int, view: Any, values: Floats, weights: RowWeights | None = None
    ) -> AnyHead:
        """Train a head on the view at `place`: it predicts `values` (rows, width), as many."""


@dataclass(frozen=True)
class Line:
    """A trained head: `slopes` (features, width), and `intercepts` (width,) of a row of zeros."""

    slopes: npt.NDArray[np.floating[Any]]
    intercepts: npt.NDArray[np.floating[Any]]

    def predict(self, view: Any) -> Floats:
        """Numbers: (rows, width)."""
        predicted: Floats = np.asarray(view @ self.slopes, dtype=np.float64) + self.intercepts
        return predicted

    def state(self) -> dict[str, npt.NDArray[np.float32]]:
        """See `heads.StoredHead`."""
        return {
            "slopes": self.slopes.astype(np.float32),
            "intercepts": self.intercepts.astype(np.float32),
        }


def fit_regressor(
    learned: Learned[AnyHead], place: int, view: Any, values: Floats, weights: RowWeights | None
) -> AnyHead:
    """Train a head for numbers (rows, width) on the view at `place` of some features.

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
    """Ridge regression (Hoerl, Kennard: Technometrics 12, 1970).

    `view` (rows, features) may be sparse; `values` (rows, width) are learned each by itself, at
    hardly more cost than one. Deterministic for rows in one order on one BLAS thread.
    """
    from scipy.sparse import issparse

    counts = np.ones(len(values))
    if weights is not None and weights.any():  # where none counts, all do
        counts = weights.astype(np.float64)
    return (_fit_sparse if issparse(view) else _fit_dense)(view, values, counts)


def _fit_sparse(view: Any, values: Floats, counts: Floats) -> Line:
    """By conjugate gradients (Hestenes, Stiefel 1952), for all columns at once.

    The centre of the features is reckoned in and not taken away, so that they stay sparse.
    """
    total = counts.sum()
    centre = np.asarray(view.T @ counts) / total
    mean = counts @ values / total
    transposed = view.T.tocsr()

    def normal(slopes: Floats) -> Floats:
        weighted = (view @ slopes - centre @ slopes) * counts[:, None]
        found: Floats = transposed @ weighted - np.outer(centre, weighted.sum(axis=0))
        return found + slopes * penalty

    penalty = _PENALTY_OF_WORDS
    weighted = (values - mean) * counts[:, None]
    residual = transposed @ weighted - np.outer(centre, weighted.sum(axis=0))
    slopes, direction = np.zeros_like(residual), residual.copy()
    squares = (residual**2).sum(axis=0)
    enough = _TOLERANCE**2 * squares
    for _ in range(_MOST_STEPS):
        if (squares <= enough).all():
            break
        along = normal(direction)
        moving = squares > enough
        bent = (direction * along).sum(axis=0)
        step = np.where(moving, squares / np.where(bent > 0, bent, 1), 0)
        slopes += step * direction
        residual -= step * along
        before, squares = squares, (residual**2).sum(axis=0)
        direction = (
            residual + np.where(before > 0, squares / np.maximum(before, 1e-300), 0) * direction
        )
    return Line(slopes, mean - centre @ slopes)


def _fit_dense(view: Any, values: Floats, counts: Floats) -> Line:
    """With the penalty of the least generalised cross-validation error, for each column.

    Golub, Heath, Wahba: Technometrics 21, 1979. One eigendecomposition serves all penalties.
    """
    total = counts.sum()
    centre = np.asarray(counts @ view, dtype=np.float64) / total
    mean = counts @ values / total
    gram = np.zeros((len(centre), len(centre)))
    moment = np.zeros((len(centre), values.shape[1]))
    roots = None if (counts == 1).all() else np.sqrt(counts)[:, None]
    for at in range(0, len(values), _ROWS_AT_ONCE):
        some = slice(at, at + _ROWS_AT_ONCE)
        block, apart = view[some] - centre, values[some] - mean
        if roots is not None:
            block *= roots[some]
            apart *= roots[some]
        gram += block.T @ block  # which BLAS knows to be symmetric, at half the cost
        moment += block.T @ apart
    squares, axes = np.linalg.eigh(gram)
    squares = np.maximum(squares, 0)
    along = axes.T @ moment
    spread = counts @ (values - mean) ** 2
    errors = np.full((len(_PENALTIES), len(spread)), np.inf)
    for place, penalty in enumerate(_PENALTIES):
        shrunk = along / (squares + penalty)[:, None]
        residual = spread - 2 * (along * shrunk).sum(axis=0) + squares @ shrunk**2
        freedom = 1 - (1 + (squares / (squares + penalty)).sum()) / total
        if freedom > 0:
            errors[place] = np.maximum(residual, 0) / freedom**2
    penalties = _PENALTIES[errors.argmin(axis=0)]
    slopes = axes @ (along / (squares[:, None] + penalties))
    return Line(slopes, mean - centre @ slopes)
