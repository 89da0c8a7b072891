"""Who is asking a question now: a token for each store that is open, alive while its lock is held.

    answers/processes/<token>.lock      held until the process ends, however it ends

Process ids would not do: containers that share a home each have their own, and a container that is
started again has the same as before.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from sqlfuncs.store.home import made
from sqlfuncs.store.locks import lock

SECONDS = 600.0  # longer than any request may take: what a claim counts at most
_CLOCKS_DIFFER = 60.0  # seconds, between machines
_LOCK_SECONDS = 5.0  # somebody who asks whether it is held, holds it for a moment
_TRIES = 3
_TOKEN = re.compile(r"-?[0-9a-f]{32}")
_UNLOCKED = "-"  # before the token of one that could have no lock: its claims end by their time

_of_process: dict[str, int] = {}  # tokens that are alive because this process is


class Claimant:
    """Somebody who claims questions. `token` names it for as long as its process lives."""

    def __init__(self, folder: Path) -> None:
        """Takes a lock in the folder, and removes those of the dead."""
        self.folder = folder
        self._lock: FileLock | None = None
        self.token = self._taken()
        _of_process[self.token] = os.getpid()

    def _taken(self) -> str:
        for _ in range(_TRIES):
            token = uuid.uuid4().hex
            try:
                self._lock = lock(_file(made(self.folder), token))
                self._lock.acquire(timeout=_LOCK_SECONDS)
            except (OSError, Timeout):
                break
            if _file(self.folder, token).exists():  # and was not taken for one of the dead
                self._remove_dead()
                return token
        return f"{_UNLOCKED}{uuid.uuid4().hex}"

    def _remove_dead(self) -> None:
        with contextlib.suppress(OSError):
            for file in self.folder.glob("*.lock"):
                is_alive(self.folder, file.stem)


def is_alive(folder: Path, token: object) -> bool:
    """Whether the process of a token is alive; if not, its lock is removed."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return False
    if token.startswith(_UNLOCKED) or _of_process.get(token) == os.getpid():
        return True
    if not _file(folder, token).exists():
        return False
    own = lock(_file(folder, token))
    try:
        own.acquire(timeout=0)
    except (OSError, Timeout):
        return True
    _file(folder, token).unlink(missing_ok=True)
    own.release()
    return False


def counts_until() -> float:
    """Until when what is claimed now counts."""
    return time.time() + SECONDS


def counting() -> tuple[float, float]:
    """Between which times the end of a claim lies that counts now: after both, clocks were set."""
    now = time.time()
    return now, now + SECONDS + _CLOCKS_DIFFER


def _file(folder: Path, token: str) -> Path:
    return folder / f"{token}.lock"
