"""Files that a process holds a lock on: whatever kills it takes the lock from it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from sqlfuncs.store.home import file_mode


def lock(file: Path) -> FileLock:
    """A lock on a file, for whichever thread; the file is its owner's alone."""
    return FileLock(file, mode=file_mode(), thread_local=False)


def is_held(file: Path) -> bool:
    """Whether a process, this one perhaps, holds the lock on a file."""
    own = lock(file)
    try:
        own.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return _is_held_unwritable(file)
    own.release()
    return False


def _is_held_unwritable(file: Path) -> bool:
    """The same on a disk that is read only, as another container may have it."""
    try:
        import fcntl
    except ImportError:
        return False
    with contextlib.suppress(OSError):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
