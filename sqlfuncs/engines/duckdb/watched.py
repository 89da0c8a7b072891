"""Whether the file that a connection writes to is still where it was opened.

A file that is removed, moved or replaced while it is open stays there for the process that has it
open: what is written to it is kept, until that process ends. Looked at are the file's identity
(device, inode), its size and its header; of the journal beside it, its identity.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from sqlfuncs.engines.duckdb.names import identifier
from sqlfuncs.errors import CannotKeep

_HEADER = 3 * 4096  # the file's own, and two of its latest states: what a checkpoint changes
_NEVER = "1TB"

_Identity = tuple[int, int]


class Watched:
    """The file of one of the databases of a connection. Nothing else in this process may write it.

    DuckDB writes to the file itself at a checkpoint only, else to the journal; so that the file
    stays the same in between, there are none by themselves.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, database: str) -> None:
        self._con, self._checkpoint = con, f"CHECKPOINT {identifier(database)}"
        self._journal_seen: _Identity | None = None
        self._journal_size = 0
        found = con.execute(
            "SELECT path FROM system.main.duckdb_databases() WHERE database_name = $1", [database]
        ).fetchone()
        self.path = Path(found[0]) if found and found[0] else None  # none in memory
        if self.path is None:
            return
        con.execute(f"SET GLOBAL checkpoint_threshold = '{_NEVER}'")
        self._journal = Path(f"{self.path}.wal")
        # Open as long as the process lives: to close it would take DuckDB's lock off the file, too.
        self._opened = os.open(self.path, os.O_RDONLY)
        # What was written until now, such as a new log, is put into the file that is watched.
        with suppress(duckdb.Error):
            con.execute(self._checkpoint)
        self._remember()

    def check(self) -> None:
        """Raise CannotKeep if the file is gone, or another one."""
        if self.path is None:
            return
        try:
            now = self.path.stat()
            is_same = _identity(now) == _identity(self._seen) and (
                (now.st_size, now.st_mtime_ns) == (self._seen.st_size, self._seen.st_mtime_ns)
                or (now.st_size >= self._seen.st_size and self._read_header() == self._header)
            )
        except OSError as error:
            raise CannotKeep(f"{self.path} is gone ({error.strerror}){_LOST}") from None
        if not is_same:
            raise CannotKeep(f"{self.path} is another file now{_LOST}")

    def settled(self) -> None:
        """After something was written: see to it that it is on disk where others find it.

        Raises CannotKeep, duckdb.Error.
        """
        if self.path is None:
            return
        self.check()
        try:
            now = self._journal.stat()
        except OSError:
            now = None
        if (
            now is None
            or now.st_size <= self._journal_size
            or self._journal_seen not in (None, _identity(now))
        ):
            self.checkpoint()  # the journal that was written to is not that one: into the file
            return
        self._journal_seen, self._journal_size = _identity(now), now.st_size

    def checkpoint(self) -> None:
        """Put what is in the journal into the file. Raises CannotKeep, duckdb.Error."""
        # It would remove the journal of another file that is in the place of this one.
        self.check()
        self._con.cursor().execute(self._checkpoint)
        if self.path is not None:
            self._remember()

    def _remember(self) -> None:
        assert self.path is not None
        self._seen, self._header = self.path.stat(), self._read_header()
        self._journal_seen, self._journal_size = None, 0  # which a checkpoint removes

    def _read_header(self) -> bytes:
        return os.pread(self._opened, _HEADER, 0)


_LOST = (
    ": it was removed, moved, replaced or overwritten meanwhile, and what is decided now would be "
    "lost with it. Put it back where it was, and go on; or save all decisions under Progress, end "
    "sqlfuncs review, and start it again with the file you mean."
)


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino
