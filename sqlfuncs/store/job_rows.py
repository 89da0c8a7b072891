"""A job as a row of a file: what it consists of, whether it is sound, how it is changed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from sqlfuncs.store.formats import Format, Row, Table, add_columns, checksum, fill_checksums

PENDING, RUNNING, SUCCEEDED = "PENDING", "RUNNING", "SUCCEEDED"
FAILED, CANCELLED = "FAILED", "CANCELLED"


@dataclass(frozen=True)
class Job:
    """What is known of a training. `progress` is 0 to 1; times are seconds since 1970.

    `remote` names it at the service that trains it, if it is not this machine.
    """

    id: str
    model: str
    base: str
    rows: int
    created_at: float
    status: str = PENDING
    progress: float = 0.0
    error: str | None = None
    version: int | None = None
    remote: str | None = None
    is_stopping: bool = False
    began_at: float | None = None
    began_with: float = 0.0
    ended_at: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        if self.began_at is None:
            return None
        return (self.ended_at or time.time()) - self.began_at

    @property
    def seconds_left(self) -> float | None:
        """How long it will take yet, if it goes on as it has; None if it does not run."""
        done = self.progress - self.began_with
        if self.status != RUNNING or self.began_at is None or done <= 0:
            return None
        return (time.time() - self.began_at) / done * (1 - self.progress)


COLUMNS = tuple(each.name for each in fields(Job))
_REALS = ("created_at", "progress", "began_at", "began_with", "ended_at")
_INTEGERS = ("rows", "version", "is_stopping")
_MAY_BE_NULL = ("error", "version", "remote", "began_at", "ended_at")
_SELECT = f"SELECT {','.join(COLUMNS)}, checksum FROM job"


def read(database: sqlite3.Connection) -> tuple[list[Job], int]:
    """All jobs, the newest first, and how many rows are not what was written."""
    rows = database.execute(f"{_SELECT} ORDER BY created_at DESC, id").fetchall()
    found = [job for job in map(_job, rows) if job is not None]
    return found, len(rows) - len(found)


def find(database: sqlite3.Connection, job: str) -> Job | None:
    """The job of an id."""
    row = database.execute(f"{_SELECT} WHERE id = ?", [job]).fetchone()
    return None if row is None else _job(row)


def put(database: sqlite3.Connection, job: Job) -> None:
    """Write a job, in place of an earlier one of its id."""
    values = _stored({name: getattr(job, name) for name in COLUMNS})
    names = (*COLUMNS, "checksum")
    database.execute(
        f"INSERT OR REPLACE INTO job ({','.join(names)}) VALUES ({','.join('?' * len(names))})",
        (*values, checksum(values)),
    )


def update(database: sqlite3.Connection, job: str, values: Mapping[str, object]) -> None:
    """Change fields of a job, if it is there."""
    found = find(database, job)
    if found is not None:
        put(database, replace(found, **values))  # type: ignore[arg-type]


def replace_if_same(database: sqlite3.Connection, job: Job, by: Job) -> Job | None:
    """Write a job in place of another, if its status is still that; else what it is now."""
    now = find(database, job.id)
    if now is not None and now.status == job.status:
        put(database, by)
        return by
    return now


def _stored(row: Mapping[str, object]) -> tuple[object, ...]:
    """The values as SQLite stores them. Raises TypeError, ValueError."""
    values = []
    for name in COLUMNS:
        value = row[name]
        if name in _REALS and isinstance(value, int | float):
            value = float(value)
        elif name in _INTEGERS and isinstance(value, int):
            value = int(value)
        elif isinstance(value, str) and name not in (*_REALS, *_INTEGERS):
            value = value.encode("utf-8", "replace").decode()
        elif value is not None or name not in _MAY_BE_NULL:
            raise TypeError(f"a job's {name} is {value!r}")
        values.append(value)
    return tuple(values)


def _job(row: Sequence[object]) -> Job | None:
    """The job in a row, or None if it is not what was written."""
    *values, given = row
    if checksum(tuple(values)) != given:
        return None
    found = dict(zip(COLUMNS, values, strict=True))
    return Job(**{**found, "is_stopping": bool(found["is_stopping"])})  # type: ignore[arg-type]


def _kept(found: Row) -> Row | None:
    """A row of another file: what it lacks is as in a new job, what it has is checked."""
    given = {
        "base": "fast",
        "rows": 0,
        "created_at": time.time(),
        **{each.name: each.default for each in fields(Job) if each.name in _LATER},
        **{name: found[name] for name in COLUMNS if name in found},
    }
    try:
        values = _stored(given)
    except (KeyError, TypeError):
        return None
    if {*COLUMNS, "checksum"} <= found.keys() and checksum(values) != found["checksum"]:
        return None
    if given["status"] not in (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED):
        return None
    stored = dict(zip(COLUMNS, values, strict=True))
    return {**stored, "checksum": checksum(values)}


_LATER = COLUMNS[COLUMNS.index("status") :]  # those that a job begins without


def _first(database: sqlite3.Connection) -> None:
    database.execute(
        "CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, model TEXT NOT NULL, "
        "base TEXT NOT NULL, rows INTEGER NOT NULL, created_at REAL NOT NULL, "
        "status TEXT NOT NULL, progress REAL NOT NULL, error TEXT, version INTEGER, remote TEXT, "
        "is_stopping INTEGER NOT NULL, began_at REAL, began_with REAL, ended_at REAL)"
    )


def _checked(database: sqlite3.Connection) -> None:
    add_columns(database, "job", {"checksum": "BLOB"})
    fill_checksums(database, "job", COLUMNS, _kept)


FORMAT = Format(
    what="jobs",
    lost="not listed any more; models that were trained are",
    application_id=0x53514603,
    steps=(_first, _checked),
    tables=(Table("job", (*COLUMNS, "checksum"), 14, _kept),),
)
