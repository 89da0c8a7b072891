"""What our SQLite files are like: their version, what they must have, what their errors mean.

A file says of which version it is (`PRAGMA user_version`; 0 in those of before there were any) and
that it is ours (`application_id`). An older one is migrated in one transaction; a newer one is
refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlfuncs.errors import CannotKeep
from sqlfuncs.store.home import of_newer

Row = Mapping[str, object]
Columns = dict[str, tuple[bool, int]]  # by name: whether it has to be given, its place in the key

_WAIT_SECONDS = 30.0  # for another process that writes
ELSEWHERE = "set the environment's SQLFUNCS_HOME to a folder that you may write to"

# What SQLite says (https://sqlite.org/rescode.html) of the file, and of what is around it.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}
# Whatever a statement raises: what SQLite says of a damaged schema may be no UTF-8 itself.
FAILURES = (sqlite3.Error, MemoryError, UnicodeDecodeError)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if os.name != "nt" else {errno.ENOSPC}


@dataclass(frozen=True)
class Table:
    """A table whose rows outlive damage, with its columns in their order, the checksum last.

    `keep` is given a row of a damaged file, or of another version: what it has of the columns,
    by name. It returns the row as it is to be kept, or None if it is not sound. The first
    version had the first `at_first` of the columns.
    """

    name: str
    columns: tuple[str, ...]
    at_first: int
    keep: Callable[[Row], Row | None]


@dataclass(frozen=True)
class Format:
    """What a store keeps, and how. `steps` lead from an empty file to the newest version.

    `what` is what it keeps, for messages; `lost` what becomes of that which cannot be read.
    """

    what: str
    lost: str
    application_id: int
    steps: tuple[Callable[[sqlite3.Connection], None], ...]
    tables: tuple[Table, ...]

    @property
    def version(self) -> int:
        """The newest that this sqlfuncs knows."""
        return len(self.steps)


class Misfit(Exception):
    """A file is not of the version that it says, or not ours."""


class Damaged(Exception):
    """SQLite reads a file without an error, but not all that is in it."""


def checksum(values: tuple[object, ...]) -> bytes:
    """Of values as they are stored: of 2^32 changes one stays unnoticed.

    It is a BLOB, as nothing beside it is: a row that damage has moved by a column shows it.

    >>> checksum(("a", 1)) == checksum(("a", 1)), checksum(("a", 1)) == checksum(("a", 2))
    (True, False)
    """
    return zlib.crc32(ascii(values).encode()).to_bytes(4, "big")


def connected(file: Path, how: str) -> sqlite3.Connection:
    """A connection; `how` is SQLite's `mode=...`."""
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{how}",
        uri=True,
        timeout=_WAIT_SECONDS,
        check_same_thread=False,
        isolation_level=None,
    )


def empty() -> sqlite3.Connection:
    """What lasts as long as its connection."""
    return sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)


def in_memory(form: Format) -> sqlite3.Connection:
    """A file of the format that lasts as long as its connection."""
    connection = empty()
    migrate(connection, form)
    return connection


def read_leniently(connection: sqlite3.Connection) -> bool:
    """Read text that is no UTF-8, too, from now on, which takes longer; False if it is so."""
    before, connection.text_factory = connection.text_factory, _text
    return before is not _text


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that a block does, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite may have done it
            connection.execute("ROLLBACK")
        raise


def version(connection: sqlite3.Connection, file: Path, form: Format) -> int:
    """Of which version a file is. Raises CannotKeep for a newer one, Misfit, Damaged."""
    ((found,),) = connection.execute("PRAGMA user_version")
    ((owner,),) = connection.execute("PRAGMA application_id")
    if owner not in (0, form.application_id) or found < 0:
        raise Misfit("it is no file of sqlfuncs")
    if found > form.version:
        _check_header(file)
        raise CannotKeep(of_newer(file, found, form.version))
    return int(found)


def _check_header(file: Path) -> None:
    """Raise Damaged where there is garbage around the version, which is none then either."""
    with contextlib.suppress(OSError), file.open("rb") as content:
        header = content.read(100)
        encoding, vacuum, unused = header[56:60], header[64:68], header[72:92]
        is_utf8 = int.from_bytes(encoding, "big") in (0, 1)  # 0: its first pages are in the log
        if not is_utf8 or any(vacuum) or any(unused):
            raise Damaged("its header is overwritten")


def migrate(connection: sqlite3.Connection, form: Format) -> None:
    """Take a file to the newest version, unless another process has."""
    before = connection.text_factory
    read_leniently(connection)
    with transaction(connection):
        ((found,),) = connection.execute("PRAGMA user_version")
        for step in form.steps[found:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {form.version}")
        connection.execute(f"PRAGMA application_id = {form.application_id}")
    connection.text_factory = before


def add_columns(connection: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> None:
    """Those that the table does not have yet, of types."""
    for name, kind in columns.items():
        if name not in _columns(connection, table):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def fill_checksums(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    keep: Callable[[Row], Row | None],
) -> None:
    """Of rows of before there were any; one that is not sound gets none that fits.

    The first of the columns is the key.
    """
    for missing in set(columns) - _columns(connection, table).keys():
        raise Misfit(f"its table '{table}' has no column '{missing}'")
    key, last = columns[0], float("-inf")  # before every text and blob
    select = f"SELECT {','.join(columns)} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT 1000"
    while rows := connection.execute(select, [last]).fetchall():
        found = ((row[0], keep(dict(zip(columns, row, strict=True)))) for row in rows)
        connection.executemany(
            f"UPDATE {table} SET checksum = ? WHERE {key} = ?",
            [(row["checksum"] if row else "", name) for name, row in found],
        )
        last = rows[-1][0]


def check_fit(connection: sqlite3.Connection, form: Format) -> None:
    """Raise Misfit if a file lacks something; columns that it has besides are let be."""
    for table, wanted in _wanted(form).items():
        found = _columns(connection, table)
        if not found:
            raise Misfit(f"it has no table '{table}'")
        for name, (_, place) in wanted.items():
            if name not in found:
                raise Misfit(f"its table '{table}' has no column '{name}'")
            if found[name][1] != place:
                raise Misfit(f"its table '{table}' has another key")
        for name, (is_needed, _) in found.items():
            if is_needed and name not in wanted:
                raise Misfit(f"its table '{table}' needs a column '{name}'")


@lru_cache(maxsize=8)
def _wanted(form: Format) -> dict[str, Columns]:
    with contextlib.closing(in_memory(form)) as example:
        names = example.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: _columns(example, name) for (name,) in names if not name.startswith("sqlite_")
        }


def check_pages(connection: sqlite3.Connection) -> None:
    """Raise Damaged if rows are not where SQLite looks for them: it would not say so itself."""
    ((said,),) = connection.execute("PRAGMA integrity_check(1)")
    if said != "ok":
        raise Damaged(" ".join(str(said).split()))


def _columns(connection: sqlite3.Connection, table: str) -> Columns:
    rows = connection.execute(f"PRAGMA table_info('{table}')").fetchall()
    return {
        name: (bool(not_null and default is None and not place), place)
        for _, name, _, not_null, default, place in rows
    }


def column_names(connection: sqlite3.Connection, table: str) -> list[str]:
    """What columns a table has, if it is there."""
    return list(_columns(connection, table))


def is_damage(error: BaseException, file: Path, form: Format) -> bool:
    """Whether an error of a file comes from what is in it, and not from what is around it."""
    if isinstance(error, Misfit | Damaged | UnicodeDecodeError):
        return True
    if not isinstance(error, FAILURES):
        return False
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in _DAMAGED or extended == sqlite3.SQLITE_IOERR_SHORT_READ:
        return True
    if code == sqlite3.SQLITE_READONLY and os.access(file, os.W_OK):
        return _says_read_only(file)
    return not is_outside(error) and not _is_sound(file, form)


def is_outside(error: BaseException) -> bool:
    """Whether an error has its cause in the disk, in rights or in other processes."""
    if isinstance(error, OSError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code in _FORBIDDEN | _BUSY | _DISK


def explained(error: BaseException, file: Path, form: Format) -> str:
    """What keeps a file from being written, and what to do about it."""
    said = f"{form.what} are not kept in {file}: "
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = error.errno if isinstance(error, OSError) else None
    if code == sqlite3.SQLITE_FULL or number in _NO_ROOM:
        return f"{said}there is no room on its disk. Make room there, or {ELSEWHERE}."
    if code in _BUSY:
        return f"{said}another process has kept it locked. Try again when that is done."
    if isinstance(error, OSError):
        return f"{said}{error.strerror or error}; {ELSEWHERE}."
    if code in _FORBIDDEN:
        return f"{said}it may not be written ({error}); {ELSEWHERE}."
    return f"{said}{error}. See to the disk, or {ELSEWHERE}."


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _says_read_only(file: Path) -> bool:
    """Whether a file forbids writing by itself, which none of ours does."""
    try:
        with file.open("rb") as content:
            return content.read(20)[18:] not in (b"\1\1", b"\2\2")
    except OSError:
        return False


def _is_sound(file: Path, form: Format) -> bool:
    try:
        with contextlib.closing(connected(file, "mode=ro")) as connection:
            check_fit(connection, form)
            check_pages(connection)
            return True
    except (Misfit, Damaged):
        return False
    except FAILURES as error:
        return is_outside(error)
