"""A review as it goes on: a queue, the decisions about it, and what is learned from them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np

from sqlfuncs import work
from sqlfuncs.errors import BadInput, BadOption, Conflict, NoUsableRows, SqlfuncsError
from sqlfuncs.learning.rows import registry
from sqlfuncs.review.alike import Alike, found_alike
from sqlfuncs.review.decisions import ACTIONS, MACHINE, Decision, Decisions, applied, describe
from sqlfuncs.review.evidence import (
    MOST_EXPLAINED,
    MOST_ROWS,
    Likeness,
    Reasons,
    Why,
    confident,
)
from sqlfuncs.review.progress import Progress, progress
from sqlfuncs.review.queue import Filter, Queue
from sqlfuncs.review.source import Point, Source
from sqlfuncs.review.verifying import Evidence, Verification

LEARN_EVERY = 20  # decisions, after which the queue is made anew by itself
LEARN_SHARE = 0.2  # of the time, at most, that goes into that
_CLAIM_SECONDS = 60.0  # for which a row that one reviewer looks at is not shown to others
_EVIDENCE = 3  # rows of each class
BACKGROUND = "sqlfuncs-review"  # the name of threads that learn
MOST_AT_ONCE = 500  # rows that are cleaned in a step


class Review:
    """A table under review. Every method may be called from any thread."""

    def __init__(self, source: Source) -> None:
        """Judges the whole table, which may take minutes."""
        begun = time.monotonic()
        self.source = source
        self.decisions = Decisions(source.log())
        judged = source.judged()
        self.queue = Queue(
            source.rows(),
            judged,
            {each.new_label for each in self.decisions.all if each.new_label is not None},
            source.labels,
            source.parts,
        )
        self._verification = Verification(self.queue, judged)
        self.queue.is_candidate = self._verification.is_candidate
        self.learned_of = 0  # how many decisions the queue has been told of
        self.learned_rows = 0  # and of how many decided rows
        self.learning = False
        self.failure: str | None = None  # of what went on in the background
        self._alike: dict[int, Alike] = {}
        self._likeness: Likeness | None = None
        self._reasons: Reasons | None = None
        self._claims: dict[int, tuple[str, float]] = {}
        self._lock = threading.RLock()
        self._learned_at = time.monotonic()
        self._seconds_to_learn = self._learned_at - begun
        for key in {each.key for each in self.decisions.all}:
            self._note(key)
        if self.queue.is_decided.any():
            # What is decided may leave nothing to learn from; one can still go on, and undo.
            self._noting("learning", self.learn)

    # What is shown.

    def next(self, wanted: Filter, reviewer: str, after: int | None = None) -> int | None:
        """The row to show, claimed: the first that a filter wants, or the first after one."""
        with self._lock:  # two reviewers who ask at the same moment are shown different rows
            place = self._next(wanted, reviewer, after)
            if place is not None:
                self.claim(place, reviewer)
            return place

    def _next(self, wanted: Filter, reviewer: str, after: int | None) -> int | None:
        order = self.queue.select(wanted)
        if after is not None:
            at = np.flatnonzero(order == after)
            order = np.roll(order, -int(at[0]) - 1) if at.size else order
        now = time.monotonic()
        for place in map(int, order[: len(self._claims) + 1]):
            who, since = self._claims.get(place, (reviewer, 0.0))
            if who == reviewer or now - since > _CLAIM_SECONDS:
                return place
        return int(order[0]) if len(order) else None

    def claim(self, place: int, reviewer: str) -> None:
        """Note that somebody looks at a row: others are shown the next one."""
        with self._lock:
            now = time.monotonic()
            self._claims = {
                other: (who, since)
                for other, (who, since) in self._claims.items()
                if now - since < _CLAIM_SECONDS and who != reviewer
            }
            self._claims.setdefault(place, (reviewer, now))

    def neighbours(self, place: int) -> list[tuple[str, list[tuple[int, float]]]]:
        """Rows whose label can be trusted, the most alike first, by what they are evidence for."""
        queue, likeness = self.queue, self._likeness
        if likeness is None:
            return []
        given, suggested = int(queue.given[place]), int(queue.scores.suggested[place])
        return [
            (each.called, likeness.nearest(place, confident(queue, each.of), _EVIDENCE))
            for each in queue.labels.trusted(given, suggested, queue.in_force)
        ]

    def why(self, place: int) -> Why | None:
        """Why a row's label may be wrong; None where that is not known, or not yet."""
        return None if self._reasons is None else self._reasons.of(place)

    def alike(self, place: int) -> Alike | None:
        """What else is known of a row; None as long as it is not."""
        return self._alike.get(place)

    def progress(self) -> Progress:
        """Where the review stands."""
        return progress(self.queue)

    def curve(self) -> list[Point]:
        """How many wrong labels are left. Raises BadInput while no random row is decided."""
        return self.source.curve(self.queue.sample())

    def evidence(self) -> Evidence:
        """Whether corrections may be applied, by the candidates that are decided."""
        with self._lock:
            return self._verification.evidence()

    def proposed(self) -> list[Decision]:
        """The corrections that this evidence releases and that are not in force yet."""
        found = self.source.proposed()
        return [each for each in found if not self._is_in_force(each)]

    def _is_in_force(self, proposal: Decision) -> bool:
        now = self.decisions.in_force(proposal.key)
        return now is not None and (now.action, now.new_label) == (
            proposal.action,
            proposal.new_label,
        )

    # What is decided.

    def decide(
        self, key: str, action: str, new_label: str | None, reviewer: str, seen: str
    ) -> Decision:
        """Decide about a row. `seen` is its version as it was shown. Raises Conflict, BadInput."""
        with self._lock:
            draft = self._draft(key, action, new_label, reviewer, None)
            self._refuse_unseen(key, seen)
            return self._write([draft])[0]

    def clean(self, wanted: Filter, count: int) -> list[int]:
        """The rows that `clean` would give their suggested labels: the worst ones of a filter."""
        order = self.queue.select(wanted)
        ready = (self.queue.scores.suggested[order] >= 0) & (self.queue.action[order] < 0)
        return [int(place) for place in order[ready][: min(count, MOST_AT_ONCE)]]

    def accept(self, labels: Mapping[str, str], reviewer: str) -> list[Decision]:
        """Give rows, by their keys, labels that were previewed, in one step.

        Raises Conflict, BadInput.
        """
        with self._lock:
            reason = f"clean top {len(labels)}"
            drafts = [
                self._draft(key, "relabel", label, reviewer, reason)
                for key, label in labels.items()
            ]
            for key in labels:
                self._refuse_unseen(key, "")
            return self._write(drafts) if drafts else []

    def release(self, count: int, reviewer: str) -> list[Decision]:
        """Apply the corrections that the evidence releases, in one step.

        They are the machine's: none of them is a review. `count` is how many were shown. Raises
        Conflict if there are others now, or none.
        """
        with self._lock:
            if not len(self.evidence().verified.released):
                raise Conflict("nothing was written: the reviewed rows do not release corrections.")
            proposed = self.proposed()
            if len(proposed) != count:
                raise Conflict(
                    f"nothing was written: by what is decided now there are {len(proposed)} "
                    "corrections. Look at them again."
                )
            return self._write([applied(each, reviewer) for each in proposed])

    def undo(self, reviewer: str) -> list[Decision]:
        """Take back a reviewer's latest step. Raises Conflict."""
        with self._lock:
            return self._write(self.decisions.undoing(reviewer))

    def _draft(
        self, key: str, action: str, new_label: str | None, reviewer: str, reason: str | None
    ) -> Decision:
        place = self._place(key)
        if action not in ACTIONS:
            raise BadInput(f"{action!r} is no decision. There are {', '.join(ACTIONS)}.")
        old = self.queue.label(place)
        if action != "relabel":
            return Decision(key, action, old, None, reviewer, reason)
        new = self.queue.labels.check(new_label)
        if self.queue.labels.is_same(new, old):
            return Decision(key, "keep", old, None, reviewer, reason)
        return Decision(key, action, old, new, reviewer, reason)

    def _place(self, key: str) -> int:
        if key not in self.queue.place:
            raise BadInput(f"no row has the key {key!r}.")
        return self.queue.place[key]

    def _refuse_unseen(self, key: str, seen: str) -> None:
        now = self.decisions.in_force(key)
        if now is not None and self.decisions.version(key) != seen and now.decided_by != MACHINE:
            raise Conflict(f"nothing was written: meanwhile {describe(now)}.")

    def _write(self, drafts: Sequence[Decision]) -> list[Decision]:
        written = self.source.append(drafts)
        for decision in written:
            self.decisions.add(decision)
            self._note(decision.key)
        self._learn_by_itself()
        return written

    def _note(self, key: str) -> None:
        self.queue.decide(key, self.decisions.of_people(key))

    # What is learned.

    def _learn_by_itself(self) -> None:
        new = len(self.decisions.all) - self.learned_of
        since = time.monotonic() - self._learned_at
        if new >= LEARN_EVERY and self._seconds_to_learn < LEARN_SHARE * since:
            self.learn_soon()

    def learn_soon(self) -> None:
        """Make the queue anew in the background, unless that is going on."""
        with self._lock:
            if self.learning:
                return
            self.learning = True
        self._in_background("learning", self.learn)

    def learn(self) -> None:
        """Make the queue anew from what is decided."""
        begun, known = time.monotonic(), len(self.decisions.all)
        rows = int(self.queue.is_decided.sum())
        try:
            self.queue.take_in(self.source.learned())
            self.learned_of = known
            self.learned_rows = rows
        finally:
            self._learned_at = time.monotonic()
            self._seconds_to_learn = self._learned_at - begun
            self.learning = False

    def look_around(self) -> None:
        """Find out in the background which rows are alike, and why rows are flagged."""
        self._in_background("looking around", self._look_around)

    def _look_around(self) -> None:
        table = self.source.content()
        if table is None:
            return
        x, places = table["x"].combine_chunks(), self.queue.places(table)
        if registry.kind_of(x).is_compared:
            if len(x) <= MOST_ROWS:
                self._likeness = Likeness(x, places)
            self._alike = found_alike(self.source, self.queue)
        if len(x) <= MOST_EXPLAINED and self.queue.labels.explains:
            # Networks give no reasons, and where every row is flagged there is nothing to say.
            with suppress(BadOption, NoUsableRows):
                self._reasons = Reasons(x, places, self.queue, self.source.model)

    def _in_background(self, what: str, action: Callable[[], None]) -> None:
        threading.Thread(
            target=self._noting, args=(what, action), name=BACKGROUND, daemon=True
        ).start()

    def _noting(self, what: str, action: Callable[[], None]) -> None:
        """Do something, and keep what came in its way to be shown on the page."""
        try:
            action()
            if self.failure is not None and self.failure.startswith(what):
                self.failure = None
        except SqlfuncsError as error:
            self.failure = f"{what}: {error}"
            work.say(self.failure)
        except Exception as error:
            self.failure = f"{what}: {type(error).__name__}: {error}"
            raise
