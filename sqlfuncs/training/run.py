"""A training as a job: begun here or in a process of its own, noted, finished, registered."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

from sqlfuncs import work
from sqlfuncs.errors import CannotKeep, DamagedModel
from sqlfuncs.store import jobs, stores
from sqlfuncs.store.home import made_file
from sqlfuncs.store.jobs import Job, Running
from sqlfuncs.store.models import ModelRecord
from sqlfuncs.training import checkpoint, trainers
from sqlfuncs.training.request import Request

CHECKPOINT_SECONDS = 30 * 86_400.0  # that what a job has left is kept for `resume`


def trained_before(request: Request) -> ModelRecord | None:
    """The model that these very rows gave: of this name, else another's under this name, too.

    None if there is none. Raises CannotKeep.
    """
    same = [each for each in stores.models().records() if each.fingerprint == request.fingerprint]
    own = [each for each in same if each.name == request.model]
    if own:
        message = f"version {own[-1].version} was trained on exactly these rows; it is reused"
        work.say(f"{request.model}: {message}")
        return own[-1]
    for other in same:
        try:
            _, files = stores.models().load(f"{other.name}@{other.version}")
        except DamagedModel:
            continue
        message = f"{other.name}@{other.version} was trained on exactly these rows; it is taken"
        work.say(f"{request.model}: {message}")
        taken = replace(other, name=request.model, created_at=time.time())
        return stores.models().save(taken, files)
    return None


def note(request: Request, *, resume: bool) -> bool:
    """Note a job for a request, unless somebody is at it; without `resume` it begins anew.

    Returns whether it is noted. Raises CannotKeep.
    """
    _clear_old()
    with jobs.unattended(request.job) as nobody_is_at_it:
        if nobody_is_at_it:
            _note(request, resume)
    return nobody_is_at_it


def _note(request: Request, resume: bool) -> None:
    earlier = jobs.find(request.job)
    at_a_service = earlier is not None and earlier.remote and earlier.status == jobs.RUNNING
    if not (resume or at_a_service):
        earlier = None
        jobs.clear(request.job)
    goes_on = at_a_service or checkpoint.is_kept(jobs.folder(request.job))
    jobs.create(
        Job(
            request.job,
            request.model,
            request.base,
            len(request.labels),
            time.time(),
            progress=earlier.progress if earlier and goes_on else 0.0,
            remote=earlier.remote if earlier and at_a_service else None,
        )
    )


def _clear_old() -> None:
    """Remove the checkpoints of jobs that ended long ago without a model."""
    for job in jobs.listed():
        if job.ended_at is not None and time.time() - job.ended_at > CHECKPOINT_SECONDS:
            jobs.clear(job.id)


def run_inline(request: Request) -> ModelRecord:
    """Train in this process until the model is registered. Raises what ends it."""
    with jobs.running(request.job) as job:
        return _train(request, job)


def spawn(request: Request) -> None:
    """Train in a process of its own, which lives on when this one ends. Raises CannotKeep."""
    folder = jobs.folder(request.job)
    try:
        request.save(folder)
        with made_file(folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sqlfuncs.training", request.job],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the shell is not meant for it
            )
        # Whoever lives longer: a process that has ended is to be taken note of by its parent.
        threading.Thread(target=process.wait, daemon=True).start()
    except OSError as error:
        raise CannotKeep(f"the job cannot be started in {folder}: {error}") from None


def run_saved(job: str) -> ModelRecord:
    """Train what `apart` was asked to. Raises what ends it."""
    with jobs.running(job) as running:
        return _train(Request.load(jobs.folder(job)), running)


def _train(request: Request, job: Running) -> ModelRecord:
    begun = time.perf_counter()
    outcome = trainers.of(request.base).train(request, job)
    work.check()
    record = stores.models().save(
        ModelRecord(
            name=request.model,
            base=request.base,
            job_id=request.job,
            kind=request.kind,
            classes=request.classes,
            rows=len(request.labels),
            cv_accuracy=outcome.accuracy,
            seconds=time.perf_counter() - begun,
            fingerprint=request.fingerprint,
            created_at=time.time(),
            task=request.task,
        ),
        outcome.files,
    )
    job.succeeded(record.version)
    return record
