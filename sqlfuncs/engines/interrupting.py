"""Work in a thread of its own that Ctrl-C and a limit stop, whatever the engine."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

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
    acting = Background(action, "sqlfuncs-statement")
    try:
        acting.begin()
        while not acting.has_ended(0.05):
            if ends is not None:
                ends.check()
            if meanwhile is not None:
                meanwhile()
    except (KeyboardInterrupt, TimedOut) as asked:
        reason = asked if isinstance(asked, TimedOut) else Cancelled()
        if not acting.has_begun:
            raise reason from None
        acting.begin()  # again: it may have been broken off before it told anybody
        work.stop()
        interrupt()
        if not _ends_in_time(acting):
            raise StillRunning(reason, acting.has_ended) from None
        work.resume()
        raise reason from None
    return acting.result()


class Background(Generic[T]):
    """An action in a thread of its own, which does nothing until `begin`.

    Ctrl-C may come while the thread starts, which then starts all the same: what began at once
    would go on with nobody to stop it.
    """

    def __init__(self, action: Callable[[], T], name: str) -> None:
        """Start the thread. Raises Cancelled after Ctrl-C."""
        self._outcome: list[T] = []
        self._failure: list[BaseException] = []
        self._begun, self._ended = _Once(), _Once()
        self._action = action
        try:
            threading.Thread(target=self._act, daemon=True, name=name).start()
        except RuntimeError as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # within a lock of `start`
                raise Cancelled from None
            raise

    def _act(self) -> None:
        self._begun.wait()
        try:
            self._outcome.append(self._action())
        except BaseException as error:  # whoever asks for the result raises it
            self._failure.append(error)
        finally:
            self._ended.set()

    def begin(self) -> None:
        """Let it begin; once more does no harm."""
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        """Whether it was let begin, if only half: `begin` may be broken off."""
        return self._begun.is_set

    def has_ended(self, seconds: float = -1) -> bool:
        """Whether it ends within so many seconds; without a number, wait for it."""
        return self._ended.wait(seconds)

    def result(self) -> T:
        """What it gave. Raises what it raised."""
        if self._failure:
            raise self._failure[0]
        return self._outcome[0]


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


def _ends_in_time(acting: Background[T]) -> bool:
    try:
        return acting.has_ended(GRACE_SECONDS)
    except KeyboardInterrupt:  # pressed again
        return False
