"""The parts of a call's work that wait to be asked. Imports nothing of ours."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_POLL_SECONDS = 0.02


@dataclass(order=True)
class Part:
    """Texts to be asked about in one request, not before `at` (a time of the monotonic clock)."""

    at: float
    number: int
    keys: Sequence[bytes] = field(compare=False)
    attempt: int = field(default=1, compare=False)
    is_last: bool = field(default=False, compare=False)  # an answer without a label stands
    is_held: bool = field(default=False, compare=False)  # another process was asking


class Parts:
    """Parts by when they may be asked. Safe for threads."""

    def __init__(self, parts: Iterable[Sequence[bytes]], *, is_last: bool = False) -> None:
        """These may be asked at once."""
        self._numbers = itertools.count()
        self._waiting = [Part(0.0, next(self._numbers), keys, is_last=is_last) for keys in parts]
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self,
        keys: Sequence[bytes],
        *,
        attempt: int = 1,
        after: float = 0.0,
        is_last: bool = False,
        is_held: bool = False,
    ) -> bool:
        """A part waits, so many seconds; False where none is taken any more."""
        with self._changed:
            if self._is_closed:
                return False
            at, number = time.monotonic() + after, next(self._numbers)
            heapq.heappush(self._waiting, Part(at, number, keys, attempt, is_last, is_held))
            self._changed.notify()
            return True

    def next(self) -> Part | None:
        """The first part, once its time has come; None when there will be no more."""
        with self._changed:
            while not self._is_closed:
                if self._waiting and self._waiting[0].at <= time.monotonic():
                    return heapq.heappop(self._waiting)
                self._changed.wait(_POLL_SECONDS)
        return None

    def close(self) -> list[Part]:
        """Nothing is to be asked any more; what was waiting."""
        with self._changed:
            self._is_closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
            return left
