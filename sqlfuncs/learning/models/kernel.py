"""How alike rows are to linear models: inner products of their features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
_ROWS_AT_ONCE = 8_192  # in double precision


def is_matrix(view: Any) -> bool:
    """Whether features are numbers in a matrix, dense or sparse."""
    from scipy.sparse import issparse

    return isinstance(view, np.ndarray) or bool(issparse(view))


@dataclass(frozen=True)
class LinearKernel:
    """The mean over views of the inner products of rows, scaled to a mean square length of 1.

    `views` are matrices (any, features); `places` (rows,) say which row of these each row is.

    >>> kernel = LinearKernel.of_views([np.array([[1.0, 0.0], [0.0, 2.0]])], np.array([1, 0, 1]))
    >>> kernel.gram(np.array([0, 1])).round(2).tolist()
    [[1.6, 0.0], [0.0, 0.4]]
    >>> kernel.apply(np.array([0]), np.array([[0.5]])).ravel().round(2).tolist()
    [0.8, 0.0, 0.8]
    """

    views: tuple[Any, ...]
    mean_squares: tuple[float, ...]
    places: Places

    @classmethod
    def of_views(cls, views: Sequence[Any], places: Places) -> LinearKernel:
        """With the scale of each view, by all of its rows."""
        return cls(tuple(views), tuple(map(_mean_square, views)), places)

    def of(self, rows: npt.NDArray[np.bool_]) -> LinearKernel:
        """Of some of the rows."""
        return replace(self, places=self.places[rows])

    def gram(self, rows: Places) -> Floats:
        """Of some rows with each other: (chosen, chosen)."""
        at = self.places[rows]
        return self._mean([_dense(view[at] @ view[at].T) for view in self.views])

    def apply(self, rows: Places, dual: Floats) -> Floats:
        """Of all rows with some, times `dual` (chosen, columns): (rows, columns)."""
        at = self.places[rows]
        found = self._mean([_dense(view @ _dense(view[at].T @ dual)) for view in self.views])
        return found[self.places]

    def _mean(self, products: list[Floats]) -> Floats:
        scaled = (each / square for each, square in zip(products, self.mean_squares, strict=True))
        total: Floats = sum(scaled, np.zeros(()))
        return total / len(self.views)


def _mean_square(view: Any) -> float:
    """The mean over rows of their squared lengths, 1 for rows that are all zero."""
    values = view if isinstance(view, np.ndarray) else view.data
    blocks = (values[at : at + _ROWS_AT_ONCE] for at in range(0, len(values), _ROWS_AT_ONCE))
    squares = sum(float(np.square(block, dtype=np.float64).sum()) for block in blocks)
    return squares / max(1, view.shape[0]) or 1.0


def _dense(matrix: Any) -> Floats:
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return np.asarray(dense, dtype=np.float64)
