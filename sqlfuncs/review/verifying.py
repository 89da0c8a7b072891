"""Whether corrections may be applied, by candidates that were reviewed at random. Imports numpy.

The same test as that of `auto_corrections` (`learning.detection.verification`), of the rows of a
queue; it is cheap enough to look after every decision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection.verification import Candidates, Reviews, Verified, verify
from sqlfuncs.review.labels.base import Mask
from sqlfuncs.review.queue import Queue
from sqlfuncs.statistics.intervals import wilson

RISK = 0.05


@dataclass(frozen=True)
class Evidence:
    """What the reviewed candidates say so far."""

    verified: Verified

    @property
    def is_decided(self) -> bool:
        """Whether the answer is in."""
        return bool(len(self.verified.released)) or self.verified.is_refuted

    @property
    def in_all(self) -> int | None:
        """About how many reviewed rows it takes, None if it would be in vain."""
        needed = self.verified.needed
        return None if needed is None else self.verified.reviewed + needed

    @property
    def right(self) -> tuple[float, float, float]:
        """The share of reviewed corrections that were right, with its 95 % interval."""
        hits, n = [self.verified.right], [max(1, self.verified.drawn)]
        return hits[0] / n[0], float(wilson(hits, n, -1)[0]), float(wilson(hits, n, 1)[0])


class Verification:
    """The candidates of a queue, by what the model says of the labels as given."""

    def __init__(self, queue: Queue, judged: pa.Table) -> None:
        """`judged` as for the queue."""
        self._queue = queue
        places = queue.places(judged)
        found = queue.labels.candidates([queue.label(int(at)) for at in places], judged)
        self._candidates = Candidates(places[found.places], found.right, found.harmful)
        self.is_candidate: Mask = np.zeros(len(queue.keys), dtype=bool)
        self.is_candidate[self._candidates.places] = True

    def evidence(self) -> Evidence:
        """As far as it is decided."""
        queue = self._queue
        reviews = Reviews(
            queue.random_ranks,
            queue.action >= 0,
            queue.is_wrong,
            queue.is_mended,
            ~queue.is_wrong | queue.is_worse,
        )
        return Evidence(
            verify(self._candidates, reviews, excludes=False, risk=RISK, precision=None)
        )
