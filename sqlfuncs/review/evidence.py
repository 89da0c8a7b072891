"""Evidence about a row: trusted rows most like it; what in it speaks for which label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.models.explaining import Explainer
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.similarity.neighbourhood import read
from sqlfuncs.review.labels.base import Codes, Mask
from sqlfuncs.review.queue import Queue

MOST_ROWS = 300_000  # beyond, their vectors would take more than half a gigabyte
MOST_EXPLAINED = 100_000  # beyond, all that the heads read would
_TERMS = 5


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


def confident(queue: Queue, among: Mask) -> Mask:
    """(rows,): which labels are right by a person's word, or by the better half of the model's."""
    decided: Mask = queue.is_decided & among
    unflagged = among & ~queue.scores.flagged & ~np.isnan(queue.scores.quality)
    if not unflagged.any():
        return decided
    better: Mask = queue.scores.quality >= np.median(queue.scores.quality[unflagged])
    trusted: Mask = decided | (unflagged & better)
    return trusted


@dataclass(frozen=True)
class Why:
    """Words or fields that speak for the label given and for the suggested one, and who says so.

    `votes` are labels by the name of what says so.
    """

    for_given: list[str]
    for_suggested: list[str]
    votes: dict[str, str]


class Reasons:
    """Why rows that the model flagged may have wrong labels, by the others."""

    def __init__(self, x: pa.Array, places: Codes, queue: Queue, model: str) -> None:
        """`x` is what the model reads, `places` (rows,) where the rows are in the queue.

        Raises BadOption for models that give no reasons, NoUsableRows for nothing to learn from.
        """
        rows = registry.read_column(x)
        usable = is_usable(rows.reasons)
        self._queue, self._at = queue, np.full(len(queue.keys), -1)
        self._at[places[usable]] = np.arange(int(usable.sum()))
        given, flagged = queue.given[places[usable]], queue.first_flagged[places[usable]]
        self._explainer = Explainer(
            rows.take(usable), given, len(queue.labels.texts), ~flagged, model
        )

    def of(self, place: int) -> Why | None:
        """Why one row's label may be wrong; None where nothing says so, or nothing may be said."""
        queue, at = self._queue, self._at[place]
        suggested = queue.scores.suggested[place]
        is_asked = queue.first_flagged[place] and queue.given[place] != suggested
        if at < 0 or suggested < 0 or not is_asked:
            return None
        [why] = self._explainer.explain(np.array([at]), np.array([suggested]))
        return Why(
            why.speaks_for(suggested=False, most=_TERMS),
            why.speaks_for(suggested=True, most=_TERMS),
            {head: queue.labels.texts[code] for head, code in why.votes.items()},
        )
