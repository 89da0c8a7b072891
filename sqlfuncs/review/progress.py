"""How far a review is, how good the flags were, and how fast it goes. Imports numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlfuncs.review.decisions import ACTIONS, Decision, Decisions
from sqlfuncs.review.queue import Queue
from sqlfuncs.statistics.intervals import wilson

YIELD_STEP = 50  # decisions, of which it is said how many labels were wrong
_RECENT = 20  # decisions that tell the pace
_BREAK_SECONDS = 300.0  # a longer gap is a break, and says nothing of it
_AT_ONCE_SECONDS = 0.05  # a shorter one is no person's, but a clock's that was set back


@dataclass(frozen=True)
class Progress:
    """Counts of rows; `precision` of the flags that were reviewed, with its 95 % interval."""

    rows: int
    decided: int
    wrong: int
    needs_review: int
    flagged: int
    flags_reviewed: int
    flags_right: int

    @property
    def precision(self) -> tuple[float, float, float] | None:
        """The share of reviewed flags that were right, with its ends; None before the first."""
        if not self.flags_reviewed:
            return None
        hits, n = [self.flags_right], [self.flags_reviewed]
        return (
            self.flags_right / self.flags_reviewed,
            float(wilson(hits, n, -1)[0]),
            float(wilson(hits, n, 1)[0]),
        )


def progress(queue: Queue) -> Progress:
    """Where a review stands."""
    decided, flagged = queue.is_decided, queue.first_flagged
    return Progress(
        rows=len(queue.keys),
        decided=int(decided.sum()),
        wrong=int(queue.is_wrong.sum()),
        needs_review=int((queue.action == ACTIONS.index("needs_review")).sum()),
        flagged=int(flagged.sum()),
        flags_reviewed=int((decided & flagged).sum()),
        flags_right=int((queue.is_wrong & flagged).sum()),
    )


def pace(decisions: Sequence[Decision], reviewer: str) -> float | None:
    """Decisions a minute of a reviewer's latest, breaks left out; None for fewer than two."""
    moments = sorted(
        {each.decided_at for each in decisions[-50 * _RECENT :] if each.decided_by == reviewer}
    )[-_RECENT:]
    times = [datetime.fromisoformat(moment) for moment in moments]
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    gaps = [gap for gap in gaps if _AT_ONCE_SECONDS < gap < _BREAK_SECONDS]
    return 60 * len(gaps) / sum(gaps) if gaps else None


def wrong_by_steps(decisions: Decisions, step: int = YIELD_STEP) -> list[tuple[int, int]]:
    """For each `step` decisions that stand, in their order: how many, and of wrong labels.

    A row counts where it was first decided, with what is in force about it.
    """
    seen: dict[str, bool] = {}
    for each in decisions.all:
        standing = decisions.in_force(each.key)
        if each.decides and not each.is_undo and standing is not None and standing.decides:
            seen.setdefault(each.key, standing.is_wrong)
    verdicts = list(seen.values())
    return [
        (len(part), sum(part))
        for part in (verdicts[at : at + step] for at in range(0, len(verdicts), step))
    ]


def by_reviewer(decisions: Sequence[Decision]) -> list[tuple[str, Counter[str]]]:
    """How often each reviewer decided what, and took back, by their names."""
    counts: dict[str, Counter[str]] = {}
    for each in decisions:
        of_one = counts.setdefault(each.decided_by or "nobody", Counter())
        of_one["undone" if each.is_undo else each.action] += 1
    return sorted(counts.items())
