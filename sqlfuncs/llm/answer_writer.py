"""What becomes of the questions of one call in the store: claimed, answered, kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from sqlfuncs.llm.unanswered import Again
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.store.base import Answers

_BLOCK = 256  # questions claimed at once


class AnswerWriter:
    """Questions by key, and the answers there are. Safe for threads.

    Many questions are claimed at once and many answers written at once, for a transaction of the
    store costs as much as a request.
    """

    def __init__(
        self,
        store: Answers,
        identity: str,
        labels: Sequence[str],
        keys: Sequence[bytes],
        finished: Callable[[], None],
        again: Again,
    ) -> None:
        """`identity` is the provider's, `labels` the task's.

        `finished` is called once every question has an answer; `again` says which kept answers
        are none.
        """
        self._again = again
        self._store = store
        self.answers: dict[bytes, Answer] = {}
        self._identity, self._labels = identity, labels
        self._count = len(keys)
        self._finished = finished
        self._unclaimed = deque(keys)
        self._offered: set[bytes] = set()
        self._claimed: set[bytes] = set()
        self._claiming = threading.Lock()
        self._is_released = False
        self._to_keep: dict[bytes, Answer] = {}
        self._kept: set[bytes] = set()
        self._lock = threading.Lock()
        self._was_written = threading.Condition(self._lock)
        self._is_writing = False
        self._next_write, self._last_write = 1, 0  # numbers of writes

    def share(self, keys: Sequence[bytes], *, again: bool) -> tuple[list[bytes], list[bytes]]:
        """Those to ask, and those that another process or query is asking; the rest is answered.

        `again`: another was asking these when it was last looked at.
        """
        with self._claiming:
            while self._unclaimed and not self._offered.issuperset(keys):
                block = min(_BLOCK, len(self._unclaimed))
                self._claim([self._unclaimed.popleft() for _ in range(block)])
            if again:
                self._claim(keys)
            # Read here: what another thread claims later is not for this one to ask.
            unanswered = [key for key in keys if key not in self.answers]
            ours = [key for key in unanswered if key in self._claimed]
        return ours, [key for key in unanswered if key not in ours]

    def _claim(self, keys: Sequence[bytes]) -> None:
        """Claim what nobody else has, and take what another answered in the meantime."""
        if self._is_released:  # the call has ended: nobody would give it up
            return
        self._offered.update(keys)
        self._claimed.update(self._store.claim([key for key in keys if key not in self.answers]))
        found = self._store.read(keys, self._labels)
        self.done({key: each for key, each in found.items() if self._stands(key, each)})

    def _stands(self, key: bytes, answer: Answer) -> bool:
        """Whether a kept answer is one; without a label it may be what another is asking about."""
        if answer.labels is not None:
            return True
        return key in self._claimed and not self._again.is_due(key, answer)

    def keep(self, answers: Mapping[bytes, Answer]) -> None:
        """Put answers on disk, then count them as done.

        Whoever finds nobody at it writes for all who have come. The others wait for that: a
        process that is killed has paid for nothing but what it was asking in that moment.
        """
        with self._lock:
            self._to_keep.update(answers)
            mine = self._next_write
            while self._is_writing and self._last_write < mine:
                self._was_written.wait()
            if self._last_write >= mine:
                return
            self._is_writing, self._next_write = True, mine + 1
            now, self._to_keep = self._to_keep, {}
        try:
            now = self._again.marked(now)
            self._store.write(self._identity, now)
            with self._lock:
                self._kept.update(now)
        finally:
            with self._lock:
                self._is_writing, self._last_write = False, mine
                self._was_written.notify_all()
        self.done(now)

    def done(self, answers: Mapping[bytes, Answer]) -> None:
        """Questions have an answer, which is on disk or need not be."""
        with self._lock:
            self.answers.update(answers)
            is_last = len(self.answers) == self._count
        if is_last:
            self._finished()

    def release(self) -> None:
        """Give up what was claimed and came to nothing that is kept."""
        with self._claiming, self._lock:
            self._is_released = True
            left = self._claimed - self._kept
        if left:
            self._store.release(left)
