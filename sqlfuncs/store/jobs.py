"""Training jobs: a row each in one SQLite file, and a folder for what a job needs.

    SQLFUNCS_HOME/jobs/jobs.sqlite    what jobs() shows
    SQLFUNCS_HOME/jobs/<id>/lock      held by the process that trains for as long as it lives
    SQLFUNCS_HOME/jobs/<id>/...       rows and checkpoints; gone when the job has succeeded

Whatever kills a process takes its lock from it. So a row that says RUNNING is believed only
while somebody holds that lock.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from filelock import FileLock, Timeout

from sqlfuncs import work
from sqlfuncs.errors import BadInput, Cancelled, CannotKeep, SqlfuncsError
from sqlfuncs.store import models
from sqlfuncs.store.home import home

PENDING, RUNNING, SUCCEEDED = "PENDING", "RUNNING", "SUCCEEDED"
FAILED, CANCELLED = "FAILED", "CANCELLED"
STARTING_SECONDS = 60.0  # a process of its own may take to begin
_REPORT_SECONDS = 0.5  # between two looks at the file
_LOCK_SECONDS = 5.0  # somebody who asks whether it is held, holds it for a moment
_KILLED = (
    "its process ended before it was done: it was killed, or the machine went down or ran out of "
    "memory. The same fine_tune with resume := true goes on where it stood"
)
_STOPPING = "it was asked to stop, which takes some seconds"
_FOLLOWING = "the same fine_tune does, to its end"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, base TEXT NOT NULL, rows INTEGER NOT NULL,
    created_at REAL NOT NULL, status TEXT NOT NULL, progress REAL NOT NULL, error TEXT,
    version INTEGER, remote TEXT, is_stopping INTEGER NOT NULL, began_at REAL, began_with REAL,
    ended_at REAL
)"""


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


_COLUMNS = tuple(each.name for each in fields(Job))


def folder(job: str) -> Path:
    """Where a job keeps what it needs."""
    return _root() / job


def create(job: Job) -> None:
    """Note a job that is to begin, in place of an earlier one of its id. Raises CannotKeep."""
    with _database() as database:
        folder(job.id).mkdir(parents=True, exist_ok=True)
        marks = ",".join("?" * len(_COLUMNS))
        database.execute(
            f"INSERT OR REPLACE INTO job ({','.join(_COLUMNS)}) VALUES ({marks})",
            [getattr(job, name) for name in _COLUMNS],
        )


def clear(job: str) -> None:
    """Forget what an earlier attempt left in a job's folder."""
    for entry in folder(job).glob("*"):
        if entry.name != "lock":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)


def find(job: str) -> Job | None:
    """The job of an id, as it is now."""
    return next((each for each in listed() if each.id == job), None)


def listed() -> list[Job]:
    """All jobs as they are now, the newest first: one whose process has died says so."""
    if not _file().exists():
        return []
    with _database() as database:
        rows = database.execute(
            f"SELECT {','.join(_COLUMNS)} FROM job ORDER BY created_at DESC, id"
        ).fetchall()
    return [_settled(Job(*row)) for row in rows]


def is_alive(job: str) -> bool:
    """Whether a process, this one perhaps, is at it."""
    if not folder(job).is_dir():
        return False
    lock = _lock(job)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


@contextmanager
def unattended(job: str) -> Iterator[bool]:
    """Whether nobody is at a job, nor about to be; nobody can begin until the end of the block."""
    with _database():
        folder(job).mkdir(parents=True, exist_ok=True)
    found = find(job)
    if found and found.status == PENDING and time.time() - found.created_at < STARTING_SECONDS:
        yield False
        return
    lock = _lock(job)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def stop(job: str) -> Job:
    """Ask whoever is at a job to stop. Raises BadInput for one that is not or has ended."""
    found = find(job)
    if found is None:
        known = ", ".join(each.id for each in listed()[:10])
        raise BadInput(
            f"there is no job '{job}'. "
            + (f"There are: {known}." if known else "No job has been started yet.")
        )
    if found.status not in (PENDING, RUNNING):
        raise BadInput(f"the job '{job}' has ended already: it is {found.status}.")
    if found.status == PENDING or not is_alive(job):
        _update(job, status=CANCELLED, ended_at=time.time(), is_stopping=1)
    else:
        _update(job, is_stopping=1)
    after = find(job)
    assert after is not None
    return after


class LeftAlone(SqlfuncsError):
    """A service goes on with a job, but this process does not wait for it any longer."""


class Running:
    """A job that this process is at. `remote` is what a service calls it, if one is at it, too."""

    def __init__(self, job: str, remote: str | None = None) -> None:
        self.id = job
        self.remote = remote
        self.folder = folder(job)
        self._next = 0.0
        self._lock = threading.Lock()

    def report(self, progress: float) -> None:
        """Note how much of all is done. Raises Cancelled once somebody asks to stop."""
        work.check()
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                return
            self._next = now + _REPORT_SECONDS
        _update(self.id, progress=progress)
        if self.is_stopping:
            raise Cancelled

    @property
    def is_stopping(self) -> bool:
        """Whether somebody has asked for it to stop."""
        with _database() as database:
            row = database.execute("SELECT is_stopping FROM job WHERE id = ?", [self.id]).fetchone()
        return row is None or bool(row[0])

    def is_at(self, remote: str) -> None:
        """Note what a service calls it."""
        self.remote = remote
        _update(self.id, remote=remote)

    def succeeded(self, version: int) -> None:
        """The model is in the registry."""
        _update(self.id, status=SUCCEEDED, progress=1.0, version=version, ended_at=time.time())
        clear(self.id)


@contextmanager
def running(job: str) -> Iterator[Running]:
    """Be at a job until the end of the block, which it fails or is cancelled with.

    Raises BadInput if another process is at it.
    """
    lock = _lock(job)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise BadInput(f"another process is at the job '{job}'. FROM jobs() shows it.") from None
    try:
        found = find(job)
        if found is not None and found.is_stopping:
            raise Cancelled
        began_with = found.progress if found else 0.0
        _update(job, status=RUNNING, began_at=time.time(), began_with=began_with, ended_at=None)
        yield Running(job, found.remote if found else None)
    except LeftAlone:
        raise
    except (Cancelled, KeyboardInterrupt):
        _update(job, status=CANCELLED, ended_at=time.time(), error=None)
        raise
    except BaseException as error:
        _update(job, status=FAILED, ended_at=time.time(), error=_reason(error))
        raise
    finally:
        lock.release()


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, SqlfuncsError) else f"{type(error).__name__}: {error}"


def _settled(job: Job) -> Job:
    """A job as it is, whatever its row says."""
    if job.status not in (PENDING, RUNNING) or is_alive(job.id):
        is_asked = job.status == RUNNING and job.is_stopping
        return replace(job, error=_STOPPING) if is_asked else job
    if job.remote is not None:
        return replace(job, error=f"nobody follows {job.remote} at the service; {_FOLLOWING}")
    if job.status == PENDING and time.time() - job.created_at < STARTING_SECONDS:
        return job
    made = [
        record.version
        for record in models.records()
        if record.job_id == job.id and record.name == job.model
    ]
    if made:
        change = {"status": SUCCEEDED, "progress": 1.0, "version": made[-1]}
    else:
        change = {"status": FAILED, "error": _KILLED}
    with _database() as database:
        # Unless it has ended by itself in the meantime.
        names = ",".join(f"{name} = ?" for name in (*change, "ended_at"))
        database.execute(
            f"UPDATE job SET {names} WHERE id = ? AND status = ?",
            [*change.values(), time.time(), job.id, job.status],
        )
        row = database.execute(
            f"SELECT {','.join(_COLUMNS)} FROM job WHERE id = ?", [job.id]
        ).fetchone()
    return Job(*row)


def _update(job: str, **values: object) -> None:
    with _database() as database:
        names = ",".join(f"{name} = ?" for name in values)
        database.execute(f"UPDATE job SET {names} WHERE id = ?", [*values.values(), job])


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    try:
        _root().mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(_file(), timeout=30, isolation_level=None)) as own:
            own.execute(_SCHEMA)
            yield own
    except (sqlite3.Error, OSError) as error:
        raise CannotKeep(
            f"jobs cannot be noted in {_file()}: {error}. Make room, or set the environment's "
            "SQLFUNCS_HOME to a folder that you may write to."
        ) from None


def _lock(job: str) -> FileLock:
    return FileLock(folder(job) / "lock", thread_local=False)


def _root() -> Path:
    return home() / "jobs"


def _file() -> Path:
    return _root() / "jobs.sqlite"
