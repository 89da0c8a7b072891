"""What runs on Spark from the driver: errors in our words, progress, and Ctrl-C."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import sqlfuncs
from sqlfuncs import errors, work
from sqlfuncs.engines.interrupting import Background
from sqlfuncs.errors import BadInput, Cancelled, CannotRegister, InternalError, SqlfuncsError

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_we_say: ContextVar[bool] = ContextVar("we_say", default=False)  # what is wrong, in this context
_OURS = re.compile(r"(?ms)^(?:.*: )?sqlfuncs\.errors\.(?P<kind>\w+): (?P<message>.*)")
_END = re.compile(r"(?m)^\s*(?:SQLSTATE: \w+|JVM stacktrace:|at .*)|\s*SQLSTATE: \w+.*")
_CONDITION = re.compile(r"^\[[A-Z0-9_.]+\]\s*")
_ASIDE = re.compile(r"\s*To tolerate the error on drop use [^.]*\.")  # nothing was dropped
_SECONDS = 0.1  # between looks for Ctrl-C
_ASKED_SECONDS = 60.0  # for which an action is asked to end


def collected(df: Any) -> pa.Table:
    """The rows of a DataFrame. Raises errors of ours, and Cancelled after Ctrl-C."""
    return run(df.sparkSession, df.toArrow)


def run(session: Any, action: Callable[[], T]) -> T:
    """What an action gives that starts jobs in a session; the jobs end with Ctrl-C.

    It has a thread of its own: classic Spark goes on with a job, and with its workers, where
    Ctrl-C interrupts the thread that waits for it.
    """
    named = f"sqlfuncs-{secrets.token_hex(8)}"

    def act() -> T:
        _name_jobs(session, named)
        return action()

    with _progress(session) as look:
        acting = Background(act, "sqlfuncs-spark")
        try:
            acting.begin()
            while not acting.has_ended(_SECONDS):
                work.check()
                look()
        except (KeyboardInterrupt, Cancelled):
            if acting.has_begun:
                acting.begin()  # again: it may have been broken off before it told anybody
                threading.Thread(
                    target=_interrupt, args=(session, named, acting), daemon=True
                ).start()
            raise Cancelled from None
    with in_our_words():
        return acting.result()


def _name_jobs(session: Any, named: str) -> None:
    """Give the jobs that this thread starts a name by which they alone are ended."""
    if is_connect(session):
        session.addTag(named)
    else:
        session.sparkContext.setJobGroup(named, "sqlfuncs", interruptOnCancel=True)


def _interrupt(session: Any, named: str, acting: Background[Any]) -> None:
    """Ask for the end of an action's jobs until it ends: it may be between two of them."""
    until = time.monotonic() + _ASKED_SECONDS
    while not acting.has_ended(0) and time.monotonic() < until:
        with suppress(Exception):
            if is_connect(session):
                session.interruptTag(named)
            else:
                session.sparkContext.cancelJobGroup(named)
        acting.has_ended(_SECONDS)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Errors of Spark's as ours: those that a worker raised, and what else Spark says.

    Spark's own account of them, with the way there in Java, is not logged beside.
    """
    with suppress(ImportError):  # before Spark 4
        from pyspark.logger import PySparkLogger

        # Of a class of its own, which takes more.
        PySparkLogger.getLogger("SQLQueryContextLogger").addFilter(_is_said_by_spark)
    before = _we_say.set(True)
    try:
        yield
    except SqlfuncsError:
        raise
    except Exception as error:
        raise as_ours(error) from None
    finally:
        _we_say.reset(before)


def _is_said_by_spark(record: object) -> bool:
    return not _we_say.get()


def as_ours(error: Exception) -> Exception:
    """An error of Spark's as the one of ours that it carries; one that is not Spark's as it is."""
    if not type(error).__module__.startswith(("pyspark", "py4j", "grpc")):
        return error
    message = str(error)
    found = _OURS.search(message)
    kind = getattr(errors, found["kind"], None) if found else None
    if found and isinstance(kind, type) and issubclass(kind, SqlfuncsError):
        return kind(_END.split(found["message"])[0].strip())
    if "Another instance of Derby" in message or "SessionHiveMetaStoreClient" in message:
        return BadInput(
            "another Spark that was started in this folder has its tables now, metastore_db: wait "
            "until it has ended, or start in another folder."
        )
    if "No module named 'sqlfuncs" in message:
        return CannotRegister(
            "the Python workers of this Spark have no package sqlfuncs, which computes there. "
            f"Install it where they run, in the driver's version: sqlfuncs=={sqlfuncs.__version__} "
            "(a library of the cluster, %pip install in a notebook, or an environment of the job)."
        )
    said = _ASIDE.sub("", _CONDITION.sub("", _END.split(message)[0].strip()))
    if "Traceback (most recent call last):" in said:
        said = said.splitlines()[-1]  # what was raised; the way there is in Spark's log
    is_asked = type(error).__name__.endswith(("AnalysisException", "ParseException"))
    return BadInput(said) if is_asked else InternalError(said)


@contextmanager
def _progress(session: Any) -> Iterator[Callable[[], None]]:
    """Report how many tasks are done; what comes is to be called now and then."""
    with work.share("tasks on Spark") as share:
        reached = 0.0

        def reach(done: int, total: int) -> None:
            nonlocal reached
            if total:
                reached = max(reached, min(1.0, done / total))

        def show() -> None:
            if reached * share.total > share.done:
                share.reach(reached)

        def heard(stages: Any, inflight_tasks: int, operation_id: str, done: bool) -> None:
            known = list(stages or [])
            reach(sum(s.num_completed_tasks for s in known), sum(s.num_tasks for s in known))

        if is_connect(session):
            session.registerProgressHandler(heard)
            try:
                yield show
            finally:
                session.removeProgressHandler(heard)
            return

        def polled() -> None:
            with suppress(Exception):  # a session that is gone has no stages
                tracker = session.sparkContext.statusTracker()
                known = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
                stages = [stage for stage in known if stage is not None]
                reach(sum(s.numCompletedTasks for s in stages), sum(s.numTasks for s in stages))
            show()

        yield polled


def is_on_this_machine(session: Any) -> bool:
    """Whether the workers run on the driver's machine, and have its home."""
    with suppress(Exception):  # a server may not say
        return str(session.conf.get("spark.master")).startswith("local")
    return False


def is_connect(session: Any) -> bool:
    """Whether a session is one of Spark Connect."""
    return ".connect." in type(session).__module__
