"""Long work: how it reports progress, says something once, and is told to stop.

Engine-free and cheap to import. Functions wrap their loops in `task`; whoever runs them
(the command line, a notebook) may listen, and may call `stop` from any thread.
"""

from __future__ import annotations

import atexit
import math
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from importlib import import_module
from typing import Protocol, TypeVar

from sqlfuncs.errors import Cancelled
from sqlfuncs.visible import visible

_Result = TypeVar("_Result")


class Listener(Protocol):
    """Somebody who shows progress. Methods may be called from any thread."""

    def started(self, task: Task) -> None:
        """A task begins."""

    def advanced(self, task: Task) -> None:
        """A task's `done` has changed."""

    def finished(self, task: Task) -> None:
        """A task has ended, well or not."""

    def show(self, message: str) -> None:
        """A remark for the user."""


class Task:
    """One stretch of work of known length."""

    def __init__(self, title: str, total: int) -> None:
        """Nothing is done yet."""
        self.title = title
        self.total = total
        self.done = 0
        self.note = ""  # what else there is to say of how it goes
        self.begun = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        """Count steps as done; raises `Cancelled` if the user asked to stop."""
        check()
        self.done += steps
        _listener.advanced(self)


class Share(Task):
    """Work of which only the share that is done is known."""

    def __init__(self, title: str) -> None:
        """Nothing is done yet."""
        super().__init__(title, _SHARES)

    def reach(self, done: float) -> None:
        """So much is done, 0 to 1; raises `Cancelled` if the user asked to stop."""
        self.advance(math.floor(done * self.total) - self.done)


class Quiet:
    """The default listener: remarks as plain lines on stderr, and how long work goes on."""

    _next = 0.0  # when the next line may be said; of the class, for heirs with no __init__ of it

    def started(self, task: Task) -> None:
        """Nothing."""

    def advanced(self, task: Task) -> None:
        """A line now and then of work that takes long: its note, else the share that is done."""
        now = time.monotonic()
        if now >= max(self._next, task.begun + _NOTE_SECONDS):
            self.show(f"{task.title}: {task.note or f'{task.done / max(task.total, 1):.0%}'}")
            self._next = now + (_NOTE_SECONDS if task.note else _SHARE_SECONDS)

    def finished(self, task: Task) -> None:
        """Nothing."""

    def show(self, message: str) -> None:
        """One line on stderr, where it cannot mix with results."""
        print(f"sqlfuncs: {visible(message)}", file=sys.stderr, flush=True)


_CHECK_SECONDS = 0.1  # between looks for Ctrl-C
_CHECK_ITEMS = 500  # between looks, too: they take a tenth of a second at most
_NOTE_SECONDS = 10.0  # between two lines about work that has a note
_SHARE_SECONDS = 30.0  # and about work that has none
_SHARES = 1000  # of a work whose share alone is known
_listener: Listener = Quiet()
_stopping = threading.Event()
_stopped_by_signal = threading.Event()
_signals: tuple[socket.socket, socket.socket] | None = None
_calls = 0
_calls_lock = threading.Lock()
_of_callers: list[tuple[Hashable, threading.Event]] = []  # calls that run, of whom
_interrupted_call: ContextVar[threading.Event | None] = ContextVar("call", default=None)
_said: set[str] = set()
_said_lock = threading.Lock()


@contextmanager
def task(title: str, total: int) -> Iterator[Task]:
    """Work of `total` steps under a title.

    >>> with task("counting", total=2) as counting:
    ...     counting.advance()
    ...     counting.advance()
    >>> counting.done
    2
    """
    current = Task(title, total)
    with _heard(current):
        yield current


@contextmanager
def share(title: str) -> Iterator[Share]:
    """Work of which only the share that is done is known.

    >>> with share("growing") as growing:
    ...     growing.reach(0.25)
    >>> growing.done / growing.total
    0.25
    """
    current = Share(title)
    with _heard(current):
        yield current


@contextmanager
def _heard(current: Task) -> Iterator[None]:
    check()
    _listener.started(current)
    try:
        yield
    finally:
        _listener.finished(current)


def hear_interrupts() -> None:
    """Learn of Ctrl-C while the main thread is inside an engine that does not hear it.

    Python hands a signal to the main thread, once that runs Python again. Its wakeup pipe hears
    at once; `check` reads it. Nothing is done outside the main thread, or if somebody else (an
    event loop) has the pipe.
    """
    global _signals
    if _signals is not None or threading.current_thread() is not threading.main_thread():
        return
    taken = signal.set_wakeup_fd(-1)
    if taken != -1:
        signal.set_wakeup_fd(taken)
        return
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    _signals = (reader, writer)
    atexit.register(_stop_hearing)


def _stop_hearing() -> None:
    if _signals is not None:
        with suppress(ValueError):  # at exit another thread may be the last
            signal.set_wakeup_fd(-1)
        for end in _signals:
            end.close()


@contextmanager
def call(caller: Hashable = None) -> Iterator[None]:
    """Around each function that an engine calls: Ctrl-C pressed before it is not for it.

    `caller` is whose `interrupt` it is to hear, as a connection's.
    """
    global _calls
    own = caller, threading.Event()
    with _calls_lock:
        if _calls == 0:
            _interrupted()
            _stopped_by_signal.clear()
        _calls += 1
        _of_callers.append(own)
    before = _interrupted_call.set(own[1])
    try:
        yield
    finally:
        _interrupted_call.reset(before)
        with _calls_lock:
            _calls -= 1
            _of_callers.remove(own)


def interrupt(caller: Hashable) -> None:
    """Stop the calls of one caller that run now, at their next step; not those that follow."""
    with _calls_lock:
        for of, interrupted in _of_callers:
            if of == caller:
                interrupted.set()


def _interrupted() -> bool:
    """Whether Ctrl-C has been pressed since this was last asked."""
    if _signals is None:
        return False
    try:
        return signal.SIGINT in _signals[0].recv(4096)
    except BlockingIOError:
        return False


def check() -> None:
    """Raise `Cancelled` if the user asked to stop."""
    if _interrupted():
        _stopped_by_signal.set()
    of_caller = _interrupted_call.get()
    is_interrupted = of_caller is not None and of_caller.is_set()
    if is_interrupted or _stopping.is_set() or _stopped_by_signal.is_set():
        raise Cancelled


def checked(items: Iterable[_Result]) -> Iterator[_Result]:
    """The items, one by one, for a library that goes through many: it stops when the user asks.

    >>> list(checked("abc"))
    ['a', 'b', 'c']
    """
    for number, item in enumerate(items):
        if number % _CHECK_ITEMS == 0:
            check()
        yield item


def interruptible(call: Callable[[], _Result]) -> _Result:
    """What a call gives that may take long and does not look for Ctrl-C itself, as of a network.

    It has a thread of its own, which after Ctrl-C is left to end by itself. Raises Cancelled.
    """
    return _in_thread(call, daemon=True)


def _in_thread(call: Callable[[], _Result], daemon: bool) -> _Result:
    outcome: Future[_Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # the caller raises it
            outcome.set_exception(error)

    whole = partial(copy_context().run, run)  # of the same call
    threading.Thread(target=whole, name="sqlfuncs-call", daemon=daemon).start()
    while True:
        try:
            return outcome.result(timeout=_CHECK_SECONDS)
        except TimeoutError:
            if outcome.done():
                raise
            check()


def ready(module: str) -> None:
    """Import a module that takes seconds, while Ctrl-C is heard. Raises Cancelled.

    What was begun is left to end by itself; the next call waits for it, and so does the end of
    the process: compiled modules that are torn away half loaded crash it.
    """
    if module not in sys.modules:
        _in_thread(partial(import_module, module), daemon=False)


def stop() -> None:
    """Ask all running tasks of this process to stop at their next step."""
    _stopping.set()


def resume() -> None:
    """Let tasks run again after a `stop`."""
    _stopping.clear()


def say(message: str) -> None:
    """Tell the user something worth knowing that is not an error."""
    _listener.show(message)


def say_once(message: str) -> None:
    """`say`, unless this process has said exactly that before."""
    with _said_lock:
        if message in _said:
            return
        _said.add(message)
    say(message)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send progress and remarks to `listener` for a while."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
