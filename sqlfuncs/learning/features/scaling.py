"""Vectors put to one scale, so that one strength of regularization fits those of any encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features.heads import one_thread

Vectors = npt.NDArray[np.float32]
_ROWS_AT_ONCE = 8_192  # in double precision


@dataclass(frozen=True)
class Scaling:
    """Centres vectors, and scales each dimension so that their mean square length is 1."""

    centre: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]

    @classmethod
    def learn(cls, vectors: Vectors) -> Scaling:
        """From vectors (rows, dimensions); a dimension that never varies becomes 0."""
        deviation = vectors.std(axis=0, dtype=np.float64) * np.sqrt(vectors.shape[1])
        scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 1e-9)
        centre = vectors.mean(axis=0, dtype=np.float64)
        return cls(centre.astype(np.float32), scale.astype(np.float32))

    def __call__(self, vectors: Vectors) -> Vectors:
        """Vectors of the same dimensions, scaled."""
        if not len(vectors):
            return np.empty((0, len(self.centre)), dtype=np.float32)
        scaled: Vectors = (vectors - self.centre) * self.scale
        return scaled


@dataclass(frozen=True)
class VarianceWeighting:
    """Weighs each principal component of scaled vectors by its standard deviation.

    A linear head whose slopes are penalised goes by the directions then in which rows differ most.
    `matrix` (dimensions, dimensions) is the square root of their covariance, to the scale at which
    the mean square length is 1 again.

    >>> vectors = np.array([[2, 0], [-2, 0], [0, 1], [0, -1]], dtype=np.float32)
    >>> weighted = VarianceWeighting.learn(vectors)(vectors)
    >>> (weighted[0, 0] / weighted[2, 1]).round(3).item(), np.square(weighted).sum().round(3).item()
    (4.0, 4.0)
    """

    matrix: npt.NDArray[np.float32]

    @classmethod
    def learn(cls, vectors: Vectors) -> VarianceWeighting:
        """From vectors (rows, dimensions) whose mean is 0."""
        with one_thread():
            products = np.zeros((vectors.shape[1], vectors.shape[1]))
            for at in range(0, len(vectors), _ROWS_AT_ONCE):
                part = vectors[at : at + _ROWS_AT_ONCE].astype(np.float64)
                products += part.T @ part
            variances, components = np.linalg.eigh(products / max(1, len(vectors)))
            deviations = np.sqrt(np.maximum(variances, 0))
            # The mean square length of what it makes of them.
            square = float(np.square(deviations**2).sum()) or 1.0
            matrix = (components * (deviations / np.sqrt(square))) @ components.T
        return cls(matrix.astype(np.float32))

    def __call__(self, vectors: Vectors) -> Vectors:
        """Vectors of the same dimensions, weighed."""
        weighed: Vectors = vectors @ self.matrix
        return weighed
