"""Votes counted by annotator, label and consensus: all that annotators are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.statistics import intervals


@dataclass(frozen=True)
class Tally:
    """Each (kinds,): the `votes` of annotator `who` for a label where `truth` is the consensus.

    `shared` are those on items that somebody else labelled too; `alike` and `others` the sums, over
    the votes, of the other annotators of the item who said the same, and of all of them. Tallies of
    parts of a table add up to that of the whole.
    """

    who: Codes
    labels: Codes
    truth: Codes
    votes: Codes
    shared: Codes
    alike: Codes
    others: Codes

    @classmethod
    def of(cls, votes: Votes, consensus: Codes) -> Tally:
        """The votes of some items, of which `consensus` (items,) are the labels."""
        n = max(1, len(votes.classes))
        kind = (votes.annotators * n + votes.labels) * n + consensus[votes.items]
        kinds, place = np.unique(kind, return_inverse=True)
        others = votes.per_item[votes.items] - 1
        summed = (
            np.bincount(place, each, len(kinds)).astype(np.int64)
            for each in (np.ones(len(kind)), others > 0, votes.same - 1, others)
        )
        return cls(kinds // n // n, kinds // n % n, kinds % n, *summed)

    def by_annotator(self, values: Codes, count: int) -> Floats:
        """Sums of some of the counts for each of so many annotators: (annotators,)."""
        summed: Floats = np.bincount(self.who, values, count).astype(np.float64)
        return summed

    def agreement_with_others(self, count: int) -> Floats:
        """As `votes.agreement_with_others`: (annotators,), NaN where nobody else labelled."""
        return intervals.ratio(
            self.by_annotator(self.alike, count), self.by_annotator(self.others, count)
        )

    def worst_classes(self, count: int) -> Codes:
        """The class that each annotator misses most surely: (annotators,), -1 for none.

        Of two alike the one they miss more often, then the earlier.
        """
        n = int(self.truth.max(initial=0)) + 1
        cells, place = np.unique(self.who * n + self.truth, return_inverse=True)
        given = np.bincount(place, self.votes)
        misses = np.bincount(place, self.votes * (self.labels != self.truth))
        surely = intervals.wilson(misses, given, -1)
        who, label = cells // n, cells % n
        order = np.lexsort((-label, misses, surely, who))
        order = order[misses[order] > 0]
        worst = np.full(count, -1, dtype=np.int64)
        worst[who[order]] = label[order]  # the last one written is the worst
        return worst


def quality_columns(
    names: Sequence[str], classes: Sequence[str], tally: Tally, quality: Floats
) -> list[pa.Array]:
    """The columns of `annotator_quality`, the worst first. `quality` (annotators,).

    The annotators' `names` are in order, so that equals come by name.
    """
    count = len(names)
    hits = tally.by_annotator(tally.shared * (tally.labels == tally.truth), count)
    shared = tally.by_annotator(tally.shared, count)
    given = tally.by_annotator(tally.votes, count).astype(np.int64)
    worst = tally.worst_classes(count)
    order = np.argsort(quality, kind="stable")
    shown = [
        quality,
        intervals.ratio(hits, shared),
        intervals.wilson(hits, shared, -1),
        intervals.wilson(hits, shared, 1),
    ]
    ranked, agreement, low, high = (
        pa.array(values[order], mask=np.isnan(values[order])) for values in shown
    )
    named = np.array([*classes], dtype=object)
    return [
        pa.array(np.array([*names], dtype=object)[order], pa.string()),
        ranked,
        pa.array(given[order], pa.int64()),
        agreement,
        low,
        high,
        pa.array(named[worst[order]], pa.string(), mask=worst[order] < 0),
    ]
