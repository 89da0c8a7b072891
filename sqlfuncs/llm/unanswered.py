"""Kept answers without a label: when they are asked for again. The one place with that rule.

An answer that was paid for is kept, labels or not, and one with a label is never asked for again.
One without is where a query says `retry := true`, once in that query, and of itself once the
server is another than the one that gave it, or our reading is: what it was kept with (`read_by`)
tells. Whoever keeps one marks it so (`marked`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from sqlfuncs import work
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.providers import Provider, Reading
from sqlfuncs.store.answer_rows import Answer

_FAILURE_LASTS = 10.0  # seconds in which a server that was not found is not looked for again
_QUERIES = 64  # whose texts are remembered; more do not run at once

_lock = threading.Lock()
_asked_in: OrderedDict[Hashable, set[bytes]] = OrderedDict()
# By reader, what this process has asked for again of itself: once is enough, wherever it is kept.
_asked_by: dict[str, set[bytes]] = {}


_not_found: dict[str, float] = {}  # by identity, until when


class Again:
    """Which kept answers are asked for again, in one call of one query. Safe for threads."""

    def __init__(self, provider: Provider, query: Hashable = None) -> None:
        """`query` is the one that says `retry := true`, if it does."""
        self._provider = provider
        self._query = query

    @property
    def _reader(self) -> str | None:
        """As far as it is known by now: a server is looked up before it is asked."""
        return self._provider.reader if isinstance(self._provider, Reading) else None

    def is_due(self, key: bytes, answer: Answer) -> bool:
        """Whether the question is to be asked again, though this answer is kept."""
        reader = self._reader
        if answer.labels is not None:
            return False
        with _lock:
            if self._query is not None:
                return key not in _asked_in.get(self._query, ())
            if reader is None or key in _asked_by.get(reader, ()):
                return False
        return _is_other(answer.read_by, reader)

    def note(self, keys: Iterable[bytes]) -> None:
        """These have been asked in this query: whatever came of it stands for all of it."""
        if self._query is None:
            return
        with _lock:
            _asked_in.setdefault(self._query, set()).update(keys)
            _asked_in.move_to_end(self._query)
            while len(_asked_in) > _QUERIES:
                _asked_in.popitem(last=False)

    def marked(self, answers: Mapping[bytes, Answer]) -> dict[bytes, Answer]:
        """Answers as they are kept: those without a label with who read them."""
        without = [key for key, answer in answers.items() if answer.labels is None]
        if not without:
            return dict(answers)
        reader = self._reader
        if reader is not None:
            with _lock:
                _asked_by.setdefault(reader, set()).update(without)
        self.note(without)
        return {**answers, **{key: replace(answers[key], read_by=reader) for key in without}}


def forget() -> None:
    """Nothing was asked again yet, as in a new process."""
    with _lock:
        _asked_in.clear()
        _asked_by.clear()
        _not_found.clear()


def look_up(provider: Provider) -> None:
    """Have a provider find out which server there is; whether one can be asked does not matter.

    Kept answers are read without a server, too.
    """
    identity, now = provider.identity, time.monotonic()
    if not isinstance(provider, Reading) or now < _not_found.get(identity, now):
        return
    try:
        work.interruptible(provider.check)
    except Unusable:
        _not_found[identity] = time.monotonic() + _FAILURE_LASTS


def _is_other(before: str | None, now: str) -> bool:
    """Whether a reader is another one. What a server did not tell is no difference."""
    version, _, server = (before or "").partition(":")
    our_version, _, our_server = now.partition(":")
    return version != our_version or (bool(server and our_server) and server != our_server)
