"""Work in a thread of its own that Ctrl-C and a limit stop, whatever the engine."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlfuncs import work
from sqlfuncs.errors import Cancelled, StillRunning, TimedOut

T = TypeVar("T")
GRACE_SECONDS = 0.7


class Deadline:
    """When so many seconds from now are over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def check(self) -> None:
        """Raise TimedOut if they are."""
        if time.monotonic() > self._at:
            raise TimedOut(f"stopped after {self.seconds:g} s, as asked; {Cancelled.KEPT}")


def interruptibly(
    interrupt: Callable[[], object],
    action: Callable[[], T],
    ends: Deadline | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> T:
    """Do something in another thread; Ctrl-C here stops it there, by what `interrupt` does.

    `meanwhile` is called here now and then. Raises Cancelled, TimedOut, or StillRunning if it does
    not stop.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []
    begun, ended = _Once(), _Once()

    def act() -> None:
        begun.wait()
        try:
            outcome.append(action())
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    # Ctrl-C may come while it starts, and would leave it alone with a connection that goes away:
    # nothing is done before it is watched.
    try:
        threading.Thread(target=act, daemon=True, name="sqlfuncs-statement").start()
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # within a lock of `start`
            raise Cancelled from None
        raise
    try:
        begun.set()
        while not ended.wait(0.05):
            if ends is not None:
                ends.check()
            if meanwhile is not None:
                meanwhile()
    except (KeyboardInterrupt, TimedOut) as asked:
        reason = asked if isinstance(asked, TimedOut) else Cancelled()
        if not begun.is_set:
            raise reason from None
        begun.set()  # again: it may have been broken off before it told anybody
        work.stop()
        interrupt()
        if not _ends_in_time(ended):
            raise StillRunning(reason, ended.wait) from None
        work.resume()
        raise reason from None
    if failure:
        raise failure[0]
    return outcome[0]


class _Once:
    """An event that Ctrl-C leaves whole, at whatever moment a wait for it is broken off.

    `threading.Event` has locks that are taken and let go in Python: broken off between the two,
    they are held for ever, and whoever sets it waits. What waits here is one call in C.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Let go on who waits; once more does no harm."""
        self.is_set = True
        with contextlib.suppress(RuntimeError):  # it is let go already
            self._lock.release()

    def wait(self, seconds: float = -1) -> bool:
        """Whether it is set, at the latest after so many seconds."""
        if not self.is_set and self._lock.acquire(timeout=seconds):
            self.set()
        return self.is_set


def _ends_in_time(ended: _Once) -> bool:
    try:
        return ended.wait(GRACE_SECONDS)
    except KeyboardInterrupt:  # pressed again
        return False
