"""Training jobs: a row each in one SQLite file, and a folder for what a job needs.

    SQLFUNCS_HOME/jobs/jobs.sqlite    what jobs() shows
    SQLFUNCS_HOME/jobs/<id>/lock      held by the process that trains for as long as it lives
    SQLFUNCS_HOME/jobs/<id>/...       rows and checkpoints; gone when the job has succeeded

Whatever kills a process takes its lock from it. So a row that says RUNNING is believed only
while somebody holds that lock.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import Timeout

from sqlfuncs import work
from sqlfuncs.errors import BadInput, Cancelled, CannotKeep, SqlfuncsError
from sqlfuncs.store import job_rows, stores
from sqlfuncs.store.formats import explained
from sqlfuncs.store.home import home, made
from sqlfuncs.store.job_rows import CANCELLED as CANCELLED
from sqlfuncs.store.job_rows import FAILED as FAILED
from sqlfuncs.store.job_rows import PENDING as PENDING
from sqlfuncs.store.job_rows import RUNNING as RUNNING
from sqlfuncs.store.job_rows import SUCCEEDED as SUCCEEDED
from sqlfuncs.store.job_rows import Job as Job
from sqlfuncs.store.locks import is_held, lock
from sqlfuncs.store.salvage import identity
from sqlfuncs.store.sqlite import opened

STARTING_SECONDS = 60.0  # a process of its own may take to begin
_REPORT_SECONDS = 0.5  # between two looks at the file
_LOCK_SECONDS = 5.0  # somebody who asks whether it is held, holds it for a moment
_KILLED = (
    "its process ended before it was done: it was killed, or the machine went down or ran out of "
    "memory. The same fine_tune with resume := true goes on where it stood"
)
_STOPPING = "it was asked to stop, which takes some seconds"
_FOLLOWING = "the same fine_tune does, to its end"


def folder(job: str) -> Path:
    """Where a job keeps what it needs."""
    return _root() / job


def create(job: Job) -> None:
    """Note a job that is to begin, in place of an earlier one of its id. Raises CannotKeep."""
    with opened(_file(), job_rows.FORMAT) as database:
        database.write(partial(job_rows.put, job=job))
        _made(job.id)


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
    if identity(_file()) is None:
        return []
    with opened(_file(), job_rows.FORMAT) as database:
        found, damaged = database.read(job_rows.read)
    if damaged:
        work.say_once(f"{damaged:,} rows of {_file()} are not what was noted, and are left out")
    return [_settled(job) for job in found]


def is_alive(job: str) -> bool:
    """Whether a process, this one perhaps, is at it."""
    return folder(job).is_dir() and is_held(_lock_file(job))


@contextmanager
def unattended(job: str) -> Iterator[bool]:
    """Whether nobody is at a job, nor about to be; nobody can begin until the end of the block."""
    with opened(_file(), job_rows.FORMAT) as database:
        database.check_room()
        _made(job)
    found = find(job)
    if found and found.status == PENDING and time.time() - found.created_at < STARTING_SECONDS:
        yield False
        return
    own = lock(_lock_file(job))
    try:
        own.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        own.release()


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
        with opened(_file(), job_rows.FORMAT) as database:
            found = database.read(partial(job_rows.find, job=self.id))
        return found is None or found.is_stopping

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
    own = lock(_lock_file(job))
    try:
        own.acquire(timeout=_LOCK_SECONDS)
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
        own.release()


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
    versions = [
        record.version
        for record in stores.models().records()
        if record.job_id == job.id and record.name == job.model
    ]
    change: dict[str, Any]
    if versions:
        change = {"status": SUCCEEDED, "progress": 1.0, "version": versions[-1]}
    else:
        change = {"status": FAILED, "error": _KILLED}
    settled = replace(job, ended_at=time.time(), **change)
    try:
        # Unless it has ended by itself in the meantime.
        with opened(_file(), job_rows.FORMAT) as database:
            return database.write(partial(job_rows.replace_if_same, job=job, by=settled)) or settled
    except CannotKeep:  # it is as it is, noted or not
        return settled


def _update(job: str, **values: object) -> None:
    with opened(_file(), job_rows.FORMAT) as database:
        database.write(partial(job_rows.update, job=job, values=values))


def _made(job: str) -> None:
    try:
        made(folder(job))
    except OSError as error:
        raise CannotKeep(explained(error, folder(job), job_rows.FORMAT)) from None


def _lock_file(job: str) -> Path:
    return folder(job) / "lock"


def _root() -> Path:
    return home() / "jobs"


def _file() -> Path:
    return _root() / "jobs.sqlite"
