"""Whether corrections may be applied, by candidates that were reviewed at random. Imports numpy.

The same test as that of `auto_corrections` (`learning.detection.verification`), of the rows of a
queue; it is cheap enough to look after every decision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection.verification import (
    Candidates,
    Reviews,
    Verified,
    candidates,
    verify,
)
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.review.decisions import ACTIONS
from sqlfuncs.review.queue import Codes, Mask, Queue
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
        self._candidates, self._suggested = _candidates(queue, judged)
        self.is_candidate: Mask = np.zeros(len(queue.keys), dtype=bool)
        self.is_candidate[self._candidates.places] = True

    def evidence(self) -> Evidence:
        """As far as it is decided."""
        queue = self._queue
        relabelled = queue.action == ACTIONS.index("relabel")
        reviews = Reviews(
            queue.random_ranks,
            queue.action >= 0,
            queue.is_wrong,
            queue.is_wrong & relabelled & (queue.in_force == self._suggested),
        )
        return Evidence(
            verify(self._candidates, reviews, excludes=False, risk=RISK, precision=None)
        )


def _candidates(queue: Queue, judged: pa.Table) -> tuple[Candidates, Codes]:
    """The candidates, by their places in the queue, and what is suggested for each row."""
    probs = Probabilities.read(judged["class_probs"].combine_chunks())
    places = queue.places(judged)
    labels = [queue.label(int(place)) for place in places]
    given = classes.codes(labels, probs.classes)
    named = judged["suggested_label"].to_pylist()
    suggested = classes.codes(named, probs.classes)
    flagged = np.asarray(judged["is_label_issue"].combine_chunks().fill_null(False))
    usable = (given >= 0) & np.asarray(judged["not_judged"].combine_chunks().is_null())
    found = candidates(
        given[usable],
        probs.values[usable],
        flagged[usable] & (suggested[usable] >= 0),
        suggested[usable],
    )
    in_queue = np.full(len(queue.keys), -1)
    in_queue[places] = classes.codes(named, queue.classes)
    return Candidates(places[usable][found.places], found.right, found.harmful), in_queue
