"""The one place that opens our SQLite files (`formats`), for several threads and processes.

A file that is damaged is put aside (`salvage`), and the work goes on in the new one. One that
cannot be written is read all the same.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlfuncs.errors import CannotKeep
from sqlfuncs.store import salvage
from sqlfuncs.store.formats import (
    FAILURES,
    Damaged,
    Format,
    Misfit,
    check_fit,
    check_pages,
    connected,
    empty,
    explained,
    in_memory,
    is_damage,
    is_outside,
    migrate,
    read_leniently,
    transaction,
    version,
)
from sqlfuncs.store.home import made, made_file

_Result = TypeVar("_Result")
_KEYS_AT_ONCE = 500  # SQLite takes a limited number of parameters
_TRIES = 5  # at what meets damage: each time a new file is begun
_LEAST_ROOM = 1 << 18  # bytes
_SMALL = 8 << 20  # bytes, which a tenth of a second is enough for
_looked_into: set[tuple[Path, salvage.Identity | None]] = set()  # by this process


class Database:
    """A file of a format, opened. Safe for threads.

    `why_not` is why nothing can be written, or None.
    """

    def __init__(self, file: Path, form: Format, *, reads_only: bool = False) -> None:
        """Opens or makes the file. Raises CannotKeep for one of a newer version only."""
        self.file = file
        self.why_not: CannotKeep | None = None
        self._form = form
        self._reads_only = reads_only
        self._lock = threading.RLock()
        self._identity: salvage.Identity | None = None  # of a file that can be written
        self._connection = self._opened()

    def read(self, task: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """What a task reads; after damage it is done again, in a new file. Raises CannotKeep."""
        with self._lock:
            for left in reversed(range(_TRIES)):
                if self._is_elsewhere():
                    self._reopen()
                try:
                    return task(self._connection)
                except FAILURES as error:
                    if left and self._is_elsewhere():
                        continue  # it was put aside meanwhile, whatever SQLite says of that
                    self._mend(error, is_last=not left)
        raise AssertionError

    def write(self, task: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """What a task does, in one transaction; it may be done again. Raises CannotKeep."""

        def whole(connection: sqlite3.Connection) -> _Result:
            if self.why_not is not None:
                raise self.why_not
            with transaction(connection):
                return task(connection)

        with self._lock:
            for _ in range(_TRIES):
                done = self.read(whole)
                if not self._is_elsewhere():  # else it may be in what is not read any more
                    break
            return done

    def _is_elsewhere(self) -> bool:
        """Whether another process has put the file aside, or somebody has removed it."""
        return self._identity is not None and salvage.identity(self.file) != self._identity

    def check_room(self) -> None:
        """Raise CannotKeep if the disk takes no more now; what has changed meanwhile counts."""
        with self._lock:
            if self.why_not is not None:
                self._reopen()
            if self.why_not is not None:
                raise self.why_not
            with contextlib.suppress(OSError):
                if shutil.disk_usage(self.file.parent).free < _LEAST_ROOM:
                    full = OSError(errno.ENOSPC, "there is no room")
                    raise CannotKeep(explained(full, self.file, self._form))

    def close(self) -> None:
        """Nothing is read or written after it."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _reopen(self) -> None:
        self.close()
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection:
        self.why_not = self._identity = None
        for left in reversed(range(_TRIES)):
            if self._reads_only:
                break
            try:
                return self._writable()
            except (Misfit, Damaged, OSError, *FAILURES) as error:
                if left and (self._is_elsewhere() or isinstance(error, FileNotFoundError)):
                    continue  # another process has put it aside meanwhile
                if not left or not is_damage(error, self.file, self._form):
                    return self._read_only(error)
                try:
                    salvage.set_aside(self.file, self._form, self._identity, error)
                except (OSError, *FAILURES) as reason:
                    return self._read_only(reason)
        return self._read_only(None)

    def _writable(self) -> sqlite3.Connection:
        file, form = self.file, self._form
        self._identity = None
        made(file.parent)
        if not file.exists():
            with salvage.locked(file):
                if not file.exists():
                    salvage.finish(file, form)
                made_file(file)
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "there is a folder of that name")
        self._identity = salvage.identity(made_file(file))
        if self._identity is None:
            raise FileNotFoundError(errno.ENOENT, "it is gone")
        if not (os.access(file.parent, os.W_OK) and os.access(file, os.W_OK)):
            raise PermissionError(errno.EACCES, "it may not be written")
        connection = connected(file, "mode=rw")
        try:
            if version(connection, file, form) < form.version:
                with salvage.locked(file):
                    with contextlib.suppress(sqlite3.OperationalError):  # another one reads it
                        connection.execute("PRAGMA journal_mode = WAL")
                    migrate(connection, form)
            check_fit(connection, form)
            self._check_pages(connection)
            # A killed process loses nothing; a power cut may lose the last rows.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_pages(self, connection: sqlite3.Connection) -> None:
        """Look once into each file that this takes no time for."""
        known = (self.file, self._identity)
        if known not in _looked_into and self.file.stat().st_size <= _SMALL:
            check_pages(connection)
            _looked_into.add(known)

    def _read_only(self, error: Exception | None) -> sqlite3.Connection:
        """What is kept, as far as it can be read. Raises CannotKeep for a newer version."""
        self._identity = None
        if error is not None:
            self.why_not = CannotKeep(explained(error, self.file, self._form))
        with contextlib.suppress(OSError):
            if self.file.is_file():
                return _read_only(self.file, self._form)
        return in_memory(self._form)

    def _mend(self, error: Exception, *, is_last: bool) -> None:
        """After damage, go on in a new file. Raises what has other causes."""
        if _is_no_utf8(error) and read_leniently(self._connection):
            return
        if is_last or not is_damage(error, self.file, self._form):
            if is_outside(error) or is_last:
                raise CannotKeep(explained(error, self.file, self._form)) from None
            raise error
        self.close()
        try:
            if self._identity is not None:
                salvage.set_aside(self.file, self._form, self._identity, error)
                self._connection = self._opened()
                return
        except (OSError, *FAILURES) as reason:
            self.why_not = CannotKeep(explained(reason, self.file, self._form))
            self._identity = None
        self._connection = salvage.into_memory(self.file, self._form)


def _is_no_utf8(error: Exception) -> bool:
    """Whether a text could not be read, which is no error of SQLite's and has no code."""
    return isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error)


def of_keys(
    connection: sqlite3.Connection, select: str, keys: Sequence[bytes], *before: object
) -> Iterator[tuple[Any, ...]]:
    """The rows of some keys. `select` ends in `IN`; what it asks for before that is `before`."""
    for at in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[at : at + _KEYS_AT_ONCE]
        yield from connection.execute(f"{select} ({','.join('?' * len(some))})", [*before, *some])


@contextmanager
def opened(file: Path, form: Format) -> Iterator[Database]:
    """A file for the length of a block. Raises CannotKeep for one of a newer version."""
    database = Database(file, form)
    try:
        yield database
    finally:
        database.close()


def _read_only(file: Path, form: Format) -> sqlite3.Connection:
    """A file that cannot be written; where it has to be changed to be read, a copy in memory."""
    try:
        connection = _as_it_is(file)
        try:
            if version(connection, file, form) == form.version:
                check_fit(connection, form)
                return connection
            copy = empty()
            connection.backup(copy)
        except BaseException:
            connection.close()
            raise
        connection.close()
        migrate(copy, form)
        check_fit(copy, form)
        return copy
    except (Misfit, Damaged, *FAILURES) as error:
        if is_outside(error):
            return in_memory(form)
        return salvage.into_memory(file, form)


def _as_it_is(file: Path) -> sqlite3.Connection:
    """Where SQLite may write nothing, it reads no write-ahead log that it has not begun."""
    connection = connected(file, "mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        return connection
    except sqlite3.OperationalError:
        connection.close()
    log = file.with_name(f"{file.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return connected(file, "mode=ro&immutable=1")
    with tempfile.TemporaryDirectory(prefix="sqlfuncs-") as aside:
        copied = Path(shutil.copy(file, aside))
        shutil.copy(log, aside)
        with contextlib.closing(connected(copied, "mode=rw")) as source:
            connection = empty()
            source.backup(connection)
    return connection
