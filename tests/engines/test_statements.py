"""Whatever moment Ctrl-C is pressed at, nothing goes on with the connection behind its back."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import interruptibly
from tests.waiting import patient

# 400 times, 5 us later each: 2 ms in all, in which a thread starts and ends even on a busy machine.
_PRESSED = """
import signal, time
import sqlfuncs
from sqlfuncs.engines.duckdb.statements import interruptibly
from sqlfuncs.errors import Cancelled

def press(number, frame):
    raise KeyboardInterrupt

def action():
    running.append(1)
    time.sleep(0.004)
    running.pop()

running, pressed = [], 0
signal.signal(signal.SIGALRM, press)
with sqlfuncs.connect() as con:
    for step in range(1, 400):
        try:
            signal.setitimer(signal.ITIMER_REAL, step * 5e-6)
            interruptibly(con, action)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except (KeyboardInterrupt, Cancelled):
            pressed += 1
        time.sleep(0.001)  # what was left behind would run now
        assert not running, f"pressed after {step * 5} us"
print(pressed)
"""


def test_what_was_begun_has_ended_whenever_it_was_pressed() -> None:
    """In a process of its own: a signal that lands elsewhere would end the tests."""
    ran = subprocess.run(
        [sys.executable, "-c", _PRESSED], capture_output=True, text=True, timeout=patient(60)
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 200


def test_a_thing_that_fails_fails_here() -> None:
    with sqlfuncs.connect() as con, pytest.raises(ZeroDivisionError):
        interruptibly(con, lambda: 1 / 0)
