"""Evidence about a row: the rows most like it whose labels can be trusted. Imports numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.similarity.neighbourhood import read
from sqlfuncs.review.queue import Codes, Mask, Queue

MOST_ROWS = 300_000  # beyond, their vectors would take more than half a gigabyte


class Likeness:
    """How alike rows are, by the cosine of their vectors."""

    def __init__(self, x: pa.Array, places: Codes) -> None:
        """`x` is what rows are compared by, `places` (rows,) where they are in the queue."""
        rows = read(x)
        usable = np.flatnonzero(is_usable(rows.reasons))
        found = rows.vectors(usable.tolist())
        self._vectors = np.zeros((len(x), found.shape[1]), np.float32)
        self._vectors[places[usable]] = found

    def nearest(self, place: int, among: Mask, count: int) -> list[tuple[int, float]]:
        """The rows most like one: their places and cosines, the most alike first.

        None of those that have nothing in common with it.
        """
        cosines: npt.NDArray[np.float32] = self._vectors @ self._vectors[place]
        cosines[~among] = -2
        cosines[place] = -2
        count = min(count, len(cosines))
        best = np.argpartition(-cosines, count - 1)[:count]
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(int(at), float(cosines[at])) for at in best if cosines[at] > 0]


def confident(queue: Queue, label: str) -> Mask:
    """(rows,): rows of a class by a person's word, or by the better half of the model's."""
    of_class = queue.in_force == queue.classes.index(label)
    decided: Mask = queue.is_decided & of_class
    unflagged = of_class & ~queue.scores.flagged & ~np.isnan(queue.scores.quality)
    if not unflagged.any():
        return decided
    better: Mask = queue.scores.quality >= np.median(queue.scores.quality[unflagged])
    trusted: Mask = decided | (unflagged & better)
    return trusted
