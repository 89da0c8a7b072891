"""Linear heads for numbers: ridge regression on one kind of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.features.normal_equations import NormalEquations

Floats = npt.NDArray[np.float64]

Mask = npt.NDArray[np.bool_]
# A head on all rows but those of a mask (rows,), and but those without a label.
LeftOut = Callable[[Mask], AnyHead]

# How firmly a head is held to the mean. That of words, for rows of a length of 1 and numbers of a
# variance of 1, is the best of three on politeness' scores; others are chosen for each head.
_PENALTY_OF_WORDS = 1.0
_TOLERANCE, _MOST_STEPS = 1e-2, 200


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


def left_out(
    learned: Learned[AnyHead], place: int, view: Any, values: Floats, weights: RowWeights | None
) -> LeftOut | None:
    """What `fit_regressor` would train on all rows but some; None where that has no short cut.

    `values` (rows, width) are NaN for rows without a label. Where heads solve normal equations, the
    rows that are left out are taken away from these, and the penalty is chosen once, on all rows:
    like how heads are pooled, it is a number or two of the whole table, and not of a row.
    """
    if hasattr(learned, "left_out"):
        found: LeftOut | None = learned.left_out(place, view, values, weights)
        return found
    if hasattr(learned, "fit_regressor") or not isinstance(view, np.ndarray):
        return None
    known = ~np.isnan(values[:, 0])
    counts = known.astype(np.float64) if weights is None else np.where(known, weights, 0.0)
    if not counts.any():
        return None
    taught = np.where(known[:, None], values, 0.0)
    equations = NormalEquations.of(view, taught, counts)
    penalties = equations.penalties()

    def fit(held_out: Mask) -> Line:
        away = held_out & known
        if not counts[~away].any():  # where none counts, all do
            kept = known & ~away
            return fit_line(view[kept], values[kept])
        others = equations.without(view[away], taught[away], counts[away])
        return Line(*others.solve(penalties))

    return fit


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
    equations = NormalEquations.of(view, values, counts)
    return Line(*equations.solve(equations.penalties()))
