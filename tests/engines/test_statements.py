"""Whatever moment Ctrl-C is pressed at, nothing goes on with the connection behind its back."""

from __future__ import annotations

import signal
import time
from types import FrameType

import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import interruptibly
from sqlfuncs.errors import Cancelled

_STEPS = 400
_STEP = 5e-6  # seconds: 2 ms in all, in which a thread starts and ends even on a busy machine


def _press(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


# Pressed within the callback of a weak reference, it is reported there, and nobody is stopped.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_was_begun_has_ended_whenever_it_was_pressed() -> None:
    running: list[int] = []
    pressed = 0

    def action() -> None:
        running.append(1)
        time.sleep(0.004)
        running.pop()

    before = signal.signal(signal.SIGALRM, _press)
    try:
        with sqlfuncs.connect() as con:
            for step in range(1, _STEPS):
                try:
                    signal.setitimer(signal.ITIMER_REAL, step * _STEP)
                    interruptibly(con, action)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except (KeyboardInterrupt, Cancelled):
                    pressed += 1
                time.sleep(0.001)  # what was left behind would run now
                assert not running, f"pressed after {step * _STEP * 1e6:.0f} us"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert pressed > _STEPS // 2


def test_a_thing_that_fails_fails_here() -> None:
    with sqlfuncs.connect() as con, pytest.raises(ZeroDivisionError):
        interruptibly(con, lambda: 1 / 0)
