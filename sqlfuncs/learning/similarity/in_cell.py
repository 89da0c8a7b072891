"""The neighbours of vectors among the members of one cell, all compared with all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.similarity.cells import Places, Vectors

BLOCK = 256  # queries at once


class Pairs(NamedTuple):
    """`best` (queries,): the cosine of each query's nearest member, -1 where there is none.

    Its neighbours are `query`, `member` and `cosine`: all (pairs,).
    """

    best: Vectors
    query: Places
    member: Places
    cosine: Vectors


def pairs(
    queries: Vectors, members: Vectors, k: int, threshold: float, first: int | None = None
) -> Pairs:
    """Up to `k` members nearest to each query whose cosines are `threshold` or more.

    Vectors are of length 1: (queries, d) and (members, d). `first`: the queries are the members
    from this place on, and none is a neighbour of itself.

    >>> pairs(np.eye(2, dtype="f4"), np.array([[0.6, 0.8]], dtype="f4"), 1, 0.7).query.tolist()
    [1]
    """
    cosines = _cosines(queries, members, first)
    best = np.maximum(cosines.max(axis=1, initial=-1), -1).astype(np.float32)
    is_near: npt.NDArray[np.bool_] = cosines >= threshold
    for row in np.flatnonzero(is_near.sum(axis=1) > k):
        nearest = np.argpartition(-cosines[row], k - 1)[:k]
        is_near[row] = False
        is_near[row, nearest] = True
    query, member = np.nonzero(is_near)
    return Pairs(best, query, member, cosines[query, member])


def nearest(queries: Vectors, members: Vectors, k: int, first: int | None = None) -> Vectors:
    """The cosines of up to `k` members nearest to each query, as `pairs` takes them: (queries, k).

    >>> nearest(np.eye(2, dtype="f4"), np.eye(2, dtype="f4"), 1, first=0).tolist()
    [[0.0], [0.0]]
    """
    cosines = _cosines(queries, members, first)
    others = cosines.shape[1] - (first is not None)
    if others > k:
        cosines = -np.partition(-cosines, k - 1, axis=1)[:, :k]
    found: Vectors = -np.sort(-cosines, axis=1)[:, : min(k, others)]
    return found


def _cosines(queries: Vectors, members: Vectors, first: int | None) -> Vectors:
    cosines: Vectors = np.clip(queries @ members.T, -1, 1)
    if first is not None:
        rows = np.arange(len(queries))
        cosines[rows, first + rows] = -np.inf
    return cosines
