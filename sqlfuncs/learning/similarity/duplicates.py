"""Rows that say nearly the same, in groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.similarity.neighbourhood import Neighbourhood
from sqlfuncs.learning.similarity.neighbours import Places

ALMOST = 0.9999  # the most a row scores that has no identical one


def scores(near: Neighbourhood) -> Floats:
    """The cosine of the nearest other row, for each usable row: 0 .. 1, high is more severe.

    It is 1 if, and only if, another row is identical.
    """
    points = near.nearest.places.shape[0]
    cosines = near.nearest.cosines
    best = cosines[:, 0].astype(np.float64) if cosines.shape[1] else np.zeros(points)
    best[np.bincount(near.point, minlength=points) > 1] = ALMOST
    found = np.clip(best, 0, ALMOST)[near.point[near.content]]
    found[np.bincount(near.content)[near.content] > 1] = 1
    return found


def groups(near: Neighbourhood, threshold: float) -> tuple[Places, npt.NDArray[np.bool_]]:
    """The group of each usable row, numbered from 1 in order of the first rows, and if it has one.

    Rows are in one group if a chain of neighbours leads from one to the other, each at least
    `threshold` alike (cosine).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    points, k = near.nearest.places.shape
    alike = near.nearest.cosines >= threshold
    ends = (np.repeat(np.arange(points), k)[alike.ravel()], near.nearest.places[alike])
    links = coo_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(points, points))
    _, component = connected_components(links, directed=False)
    of_row = component[near.point[near.content]]
    _, first, inverse, counts = np.unique(
        of_row, return_index=True, return_inverse=True, return_counts=True
    )
    several = counts > 1
    number = np.zeros(len(counts), dtype=np.int64)
    number[np.argsort(np.where(several, first, len(of_row)), kind="stable")] = np.arange(
        1, len(counts) + 1
    )
    return number[inverse], several[inverse]
