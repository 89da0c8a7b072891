"""How many requests may run at once, and how many a minute: what the server bears.

A limiter starts at what the provider allows. When the server says that it is too much, half as
many may run and all wait as long as it asks; those that ran together count as one such reply.
Then the number grows: fast up to where it was too much last, slowly there, fast beyond (as in
CUBIC: Ha, Rhee, Xu, 2008). A server that asks for no wait at all gets none, and the number falls
only if it turns away more than a few: to as many as it took.
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
LONGEST_PAUSE = 60.0  # seconds that are waited for a server which answers nothing in between
_SMALLEST_ROUND = 10  # requests after which the number may change, or as many as run at once
_FEW = 0.1  # share of requests turned away, lately, that is no sign of too many
_MANY = 0.3  # share in one round that is
_WEIGHT = 1 / 8  # of a round, in the share lately
_NEAR = 0.8  # of the number that was too much last: from here on it grows slowly
_PATIENCE, _MOST_PATIENCE = 2, 32  # rounds that went well before it is tried again


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
        self._too_many = float(at_once + 1)
        self._requests_per_minute = requests_per_minute
        self._tokens_per_minute = tokens_per_minute
        self._clock = clock
        self._running = 0
        self._not_before = 0.0
        self._is_probing = False
        self._paused = 0.0  # seconds waited as asked since a request went well, and asked when
        self._asked_at = 0.0
        self._is_given_up = False
        self._decreased = -1.0  # when
        self._ended = self._turned_away = self._rounds = 0
        self._patience = _PATIENCE
        self._share = 0.0  # turned away, lately
        self._lately: deque[tuple[float, int]] = deque()  # when, and how many tokens
        self._changed = threading.Condition()

    @property
    def at_once(self) -> int:
        """How many may run now."""
        return int(self._allowed)

    def enter(self, tokens: int, stopped: Callable[[], bool], *, probes: bool = False) -> bool:
        """Wait until a request of about so many tokens may run.

        False if `stopped` says so, or if the server is not waited for. One that `probes` does not
        wait where the server has asked to be left alone, unless another runs: it may be well again.
        """
        with self._changed:
            while not stopped():
                wait = self._wait(tokens)
                if self._not_before > self._clock() and not self._is_probing:
                    if probes and self._running == 0:
                        wait, self._is_probing = 0.0, True
                    elif self._is_given_up and not probes:
                        return False
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
            self._ended += 1
            if went_well:
                self._paused = 0.0
                if self._is_probing:
                    self._not_before, self._is_given_up = 0.0, False
            self._is_probing = False
            if self._ended >= max(_SMALLEST_ROUND, int(self._allowed)):
                self._round()
            self._changed.notify()

    def slow_down(
        self, asked: float | None, begun: float | None = None, otherwise: float = 0.0
    ) -> bool:
        """A request that began then was turned away, and is asked to wait so many seconds.

        Where no wait was asked for, all wait `otherwise` if many are turned away. False if what
        is asked is more than anybody should wait.
        """
        with self._changed:
            now = self._clock()
            if not asked or asked < 0:
                self._turned_away += 1
                if self._turned_away > max(_SMALLEST_ROUND, self._ended) * _MANY:
                    self._not_before = max(self._not_before, now + otherwise)
                return True
            if (now if begun is None else begun) > self._decreased:  # of a round, one counts
                self._decrease(self._allowed / 2)
            if now > self._asked_at + 2 * LONGEST_PAUSE:
                self._paused = 0.0  # that was another time
            self._asked_at = now
            longer = max(0.0, asked - max(0.0, self._not_before - now))
            if self._is_probing:  # the latest word counts
                self._not_before, longer = now, asked
            self._not_before = max(self._not_before, now + asked)
            self._is_given_up = self._paused + longer > LONGEST_PAUSE
            if not self._is_given_up:
                self._paused += longer
            self._changed.notify_all()
            return not self._is_given_up

    def _round(self) -> None:
        """As many requests have ended as run at once: more may run, or fewer."""
        share = self._turned_away / self._ended
        self._share += _WEIGHT * (share - self._share)
        self._ended = self._turned_away = 0
        if share > _MANY or self._share > _FEW:
            self._decrease(self._allowed * (1 - share))
            return
        self._rounds += 1
        if self._allowed < _NEAR * self._too_many:
            self._allowed = min(2 * self._allowed, _NEAR * self._too_many)
        elif self._allowed >= self._too_many:
            self._allowed *= 1.25
            self._patience = _PATIENCE
        elif self._rounds >= self._patience:
            self._allowed += 1
        else:
            return
        self._rounds = 0
        self._allowed = min(self._most, self._allowed)

    def _decrease(self, allowed: float) -> None:
        self._too_many = self._allowed
        self._patience = min(_MOST_PATIENCE, 2 * self._patience)
        self._allowed = max(1.0, allowed)
        self._decreased = self._clock()
        self._share = 0.0
        self._ended = self._turned_away = self._rounds = 0

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
