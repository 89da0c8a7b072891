"""The rows most like a row, among some. Imports numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


def nearest_among(vectors: Vectors, row: int, among: Places, count: int) -> list[int]:
    """The places of up to `count` of `among`, the most alike to a row first.

    `vectors` (rows, dimensions) are of length 1, or 0 for what is like nothing. None of those that
    have nothing in common with the row.

    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [1, 0]], dtype=np.float32)
    >>> nearest_among(vectors, 0, np.array([1, 2, 3]), 3)
    [3, 1]
    """
    cosines = vectors[among] @ vectors[row]
    cosines[among == row] = 0
    order = np.argsort(-cosines, kind="stable")[:count]
    return [int(among[at]) for at in order if cosines[at] > 0]
