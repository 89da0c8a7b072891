"""How many requests may run at once, and how many a minute: what the server bears.

A limiter starts at what the provider allows. When the server says that it is too much, half as
many may run and all wait as long as it asks; each success adds a little (additive increase,
multiplicative decrease: Chiu, Jain, 1989).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

from sqlfuncs.errors import BadOption

_MINUTE = 60.0
_POLL_SECONDS = 0.05


class Limiter:
    """Lets requests of one model through. Safe for threads."""

    def __init__(
        self,
        at_once: int,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`None` is no limit."""
        self._most = at_once
        self._allowed = float(at_once)
        self._requests_per_minute = requests_per_minute
        self._tokens_per_minute = tokens_per_minute
        self._clock = clock
        self._running = 0
        self._not_before = 0.0
        self._lately: deque[tuple[float, int]] = deque()  # when, and how many tokens
        self._changed = threading.Condition()

    def enter(self, tokens: int, stopped: Callable[[], bool]) -> bool:
        """Wait until a request of about so many tokens may run; False if `stopped` says so."""
        with self._changed:
            while not stopped():
                wait = self._wait(tokens)
                if wait <= 0:
                    self._running += 1
                    if self._requests_per_minute or self._tokens_per_minute:
                        self._lately.append((self._clock(), tokens))
                    return True
                self._changed.wait(min(wait, _POLL_SECONDS))
        return False

    def leave(self, *, went_well: bool = True) -> None:
        """A request has ended."""
        with self._changed:
            self._running -= 1
            if went_well:
                self._allowed = min(self._most, self._allowed + 1 / self._allowed)
            self._changed.notify()

    def slow_down(self, seconds: float) -> None:
        """The server had too much: wait so long, then with half as many at once."""
        with self._changed:
            now = self._clock()
            if now >= self._not_before:  # of those that ran together, one counts
                self._allowed = max(1.0, self._allowed / 2)
            self._not_before = max(self._not_before, now + seconds)

    def _wait(self, tokens: int) -> float:
        now = self._clock()
        if self._running >= int(self._allowed):
            return _MINUTE
        while self._lately and self._lately[0][0] <= now - _MINUTE:
            self._lately.popleft()
        wait = self._not_before - now
        if self._requests_per_minute and len(self._lately) >= self._requests_per_minute:
            wait = max(wait, self._lately[0][0] + _MINUTE - now)
        if self._tokens_per_minute and self._lately:
            spent = sum(each for _, each in self._lately)
            if spent + tokens > self._tokens_per_minute:
                wait = max(wait, self._lately[0][0] + _MINUTE - now)
        return wait


def from_environment(at_once: int) -> Limiter:
    """The limits that SQLFUNCS_REQUESTS_AT_ONCE, ..._PER_MINUTE and _TOKENS_PER_MINUTE set."""
    return Limiter(
        _number("SQLFUNCS_REQUESTS_AT_ONCE") or at_once,
        _number("SQLFUNCS_REQUESTS_PER_MINUTE"),
        _number("SQLFUNCS_TOKENS_PER_MINUTE"),
    )


def _number(name: str) -> int | None:
    given = os.environ.get(name, "")
    if not given:
        return None
    if not given.isdecimal() or int(given) == 0:
        raise BadOption(f"{name} is '{given}'; it has to be a whole number above 0.")
    return int(given)
