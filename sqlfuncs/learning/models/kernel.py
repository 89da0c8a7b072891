"""How alike rows are to linear models: inner products of their features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def is_matrix(view: Any) -> bool:
    """Whether features are numbers in a matrix, dense or sparse."""
    from scipy.sparse import issparse

    return isinstance(view, np.ndarray) or bool(issparse(view))


@dataclass(frozen=True)
class LinearKernel:
    """The mean over views of the inner products of rows, which have a mean square length of 1.

    `views` are matrices (any, features); `places` (rows,) say which row of these each row is.

    >>> kernel = LinearKernel((np.array([[1.0, 0.0], [0.0, 2.0]]),), np.array([1, 0, 1]))
    >>> kernel.gram(np.array([0, 1])).tolist()
    [[4.0, 0.0], [0.0, 1.0]]
    >>> kernel.apply(np.array([0]), np.array([[0.5]])).ravel().tolist()
    [2.0, 0.0, 2.0]
    """

    views: tuple[Any, ...]
    places: Places

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
        mean: Floats = np.mean(products, axis=0)
        return mean


def _dense(matrix: Any) -> Floats:
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return np.asarray(dense, dtype=np.float64)
