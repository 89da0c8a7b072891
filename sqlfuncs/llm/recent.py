"""What is remembered for some seconds, by whichever thread. Imports nothing of ours."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(Generic[_Key, _Value]):
    """Values that are forgotten so many seconds after they were last noted. Safe for threads.

    >>> recent = Recent[str, int](seconds=2.0)
    >>> recent.note({"a": 1})
    >>> recent.find(["a", "b"])
    {'a': 1}
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known yet."""
        self._seconds, self._clock = seconds, clock
        self._known: OrderedDict[_Key, tuple[float, _Value]] = OrderedDict()  # the oldest first
        self._lock = threading.Lock()

    def note(self, values: Mapping[_Key, _Value]) -> None:
        """These are known from now on."""
        with self._lock:
            until = self._clock() + self._seconds
            self._forget_old()
            for key, value in values.items():
                self._known[key] = until, value
                self._known.move_to_end(key)

    def find(self, keys: Iterable[_Key]) -> dict[_Key, _Value]:
        """What is known of these."""
        with self._lock:
            self._forget_old()
            return {key: self._known[key][1] for key in keys if key in self._known}

    def clear(self) -> None:
        """Nothing is known."""
        with self._lock:
            self._known.clear()

    def _forget_old(self) -> None:
        now = self._clock()
        while self._known and next(iter(self._known.values()))[0] <= now:
            self._known.popitem(last=False)
