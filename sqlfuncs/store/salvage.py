"""A damaged SQLite file is put aside, and what can be read of it goes into a new one.

    answers.sqlite.lock         held while that is done, and while a file is made or migrated
    answers.sqlite.new          the new one, until it is whole
    answers.sqlite.damaged      what was put aside; the next is called .damaged-2
    answers.sqlite.other        one that was no file of ours, or of a version nobody knows

Who finds no file waits for the lock; so nobody begins an empty one meanwhile, and what was being
written when the file was put aside is read with it. Where a process is killed at it, `.new` is
left, and the next process does it again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from sqlfuncs import work
from sqlfuncs.store import pages
from sqlfuncs.store.formats import (
    FAILURES,
    Damaged,
    Format,
    Misfit,
    Row,
    Table,
    check_pages,
    column_names,
    connected,
    in_memory,
    migrate,
    read_leniently,
    transaction,
)
from sqlfuncs.store.home import made_file
from sqlfuncs.store.locks import lock

_LOCK_SECONDS = 600.0  # a store of a million rows is read in a minute
_JOURNALS = ("-wal", "-journal", "-shm")
_ASIDE = ("damaged", "other")
Identity = tuple[int, int]


def identity(file: Path) -> Identity | None:
    """Which file stands there: another one of its name has another."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """No other process puts the file aside, makes or migrates it. Raises OSError."""
    own = lock(file.with_name(f"{file.name}.lock"))
    try:
        own.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise OSError(f"another process has been at {own.lock_file} for minutes") from None
    try:
        yield
    finally:
        own.release()


def set_aside(file: Path, form: Format, found: Identity | None, why: Exception) -> None:
    """Begin a new file in place of the one of that identity, if it is still there.

    Raises OSError, sqlite3.Error.
    """
    with locked(file):
        if found is None or identity(file) != found:
            return  # another process did
        made_file(_new(file))
        aside = _moved(file, _ASIDE[isinstance(why, Misfit)])
        saved = _begin(file, aside, form)
    what = "is not what this sqlfuncs keeps" if isinstance(why, Misfit) else "was damaged"
    work.say_once(
        f"{file} {what} ({why}) and is now called {aside.name}; a new one is begun with "
        f"{saved:,} {form.what} that could be read. What could not is {form.lost}."
    )


def finish(file: Path, form: Format) -> None:
    """Do again what a process was killed at; the file is locked, and not there."""
    left = [
        each
        for each in file.parent.glob(f"{file.name}.*")
        if each.name.removeprefix(f"{file.name}.").partition("-")[0] in _ASIDE
        and not each.name.endswith(_JOURNALS)
    ]
    if _new(file).exists() and left:
        _begin(file, max(left, key=lambda each: each.stat().st_ctime_ns), form)


def into_memory(file: Path, form: Format) -> sqlite3.Connection:
    """What can be read of a file that cannot be written."""
    connection = in_memory(form)
    _fill(connection, file, form)
    return connection


def _new(file: Path) -> Path:
    return file.with_name(f"{file.name}.new")


def _moved(file: Path, how: str) -> Path:
    """The file under a name that no other has had, with its journals, which hold its last rows."""
    names = (f"{file.name}.{how}" + (f"-{n}" if n > 1 else "") for n in range(1, 1_000_000))
    aside = next(
        each
        for each in map(file.with_name, names)
        if not any(each.with_name(f"{each.name}{end}").exists() for end in ("", *_JOURNALS))
    )
    for end in (*_JOURNALS, ""):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(f"{file.name}{end}").rename(aside.with_name(f"{aside.name}{end}"))
    return aside


def _begin(file: Path, aside: Path, form: Format) -> int:
    """Write what can be read of one file into another, which is whole when it gets its name."""
    new = _new(file)
    for end in ("", "-journal"):
        new.with_name(f"{new.name}{end}").unlink(missing_ok=True)
    with contextlib.closing(connected(made_file(new), "mode=rw")) as connection:
        migrate(connection, form)
        saved = _fill(connection, aside, form)
        connection.execute("PRAGMA journal_mode = WAL")
    for end in _JOURNALS:  # of whoever opened the file while it was moved
        file.with_name(f"{file.name}{end}").unlink(missing_ok=True)
    new.replace(file)
    return saved


def _fill(connection: sqlite3.Connection, file: Path, form: Format) -> int:
    """Take over what can be read. Returns how many rows of the first table there are then.

    First what SQLite reads and a checksum confirms, for it is of this moment: in the pages stands,
    too, what was replaced. Last, from a file that is sound but has other columns, what has no
    checksum for all of it.
    """
    with transaction(connection):
        for table in form.tables:
            for row in _read(file, table, is_whole=True):
                _insert(connection, table, row)
        with contextlib.suppress(OSError):
            for values in pages.rows(file):
                for table in form.tables:
                    if len(values) == table.at_first or len(values) >= len(table.columns):
                        row = dict(zip(table.columns, values, strict=False))
                        if _insert(connection, table, row):
                            break
        for table in form.tables if _is_sound(file) else ():
            for row in _read(file, table, is_whole=False):
                _insert(connection, table, row)
    ((saved,),) = connection.execute(f"SELECT count(*) FROM {form.tables[0].name}")
    return int(saved)


def _is_sound(file: Path) -> bool:
    try:
        with contextlib.closing(connected(file, "mode=ro")) as source:
            check_pages(source)
    except (Damaged, *FAILURES):
        return False
    return True


def _read(file: Path, table: Table, *, is_whole: bool) -> Iterator[Row]:
    """What SQLite reads, until it meets damage; with or without all of the columns."""
    with (
        contextlib.suppress(*FAILURES),
        contextlib.closing(connected(file, "mode=ro")) as source,
    ):
        read_leniently(source)
        names = [name for name in column_names(source, table.name) if name in table.columns]
        if names and is_whole == (len(names) == len(table.columns)):
            for values in source.execute(f"SELECT {','.join(names)} FROM {table.name}"):
                yield dict(zip(names, values, strict=True))


def _insert(connection: sqlite3.Connection, table: Table, found: Row) -> bool:
    row = table.keep(found)
    if row is None:
        return False
    marks = ",".join("?" * len(row))
    connection.execute(
        f"INSERT OR IGNORE INTO {table.name} ({','.join(row)}) VALUES ({marks})",
        list(row.values()),
    )
    return True
