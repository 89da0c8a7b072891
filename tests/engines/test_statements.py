"""Whatever moment Ctrl-C is pressed at, nothing goes on with the connection behind its back."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import interruptibly
from tests.waiting import patient

_PRESSED = """
import signal, sys, time
from functools import partial
import sqlfuncs
from sqlfuncs.engines.duckdb.statements import interruptibly
from sqlfuncs.engines.spark import running as on_spark
from sqlfuncs.errors import Cancelled

class Session:  # of Spark's classic kind, with what is asked of it while it works
    def __init__(self):
        self.sparkContext, self.cancelled = self, False
    def setJobGroup(self, name, description, interruptOnCancel):
        pass
    def cancelJobGroup(self, name):
        self.cancelled = True

def statement():
    running.append(1)
    time.sleep(0.004)
    running.pop()

def jobs(session):
    running.append(1)
    until = time.monotonic() + 60
    while not session.cancelled and time.monotonic() < until:
        time.sleep(0.0005)
    if session.cancelled:
        running.pop()

def press(number, frame):
    raise KeyboardInterrupt

def ended():  # soon, for a job of Spark's is asked to end in a thread of its own
    until = time.monotonic() + (60 if sys.argv[1] == "jobs of Spark" else 0)
    while running and time.monotonic() < until:
        time.sleep(0.001)
    return not running

running, pressed = [], 0
signal.signal(signal.SIGALRM, press)
with sqlfuncs.connect() as con:
    for step in range(1, 400):
        session = Session()
        try:
            signal.setitimer(signal.ITIMER_REAL, step * 5e-6)
            if sys.argv[1] == "statements":
                interruptibly(con, statement)
            else:
                on_spark.run(session, partial(jobs, session))  # which may begin late
            signal.setitimer(signal.ITIMER_REAL, 0)
        except (KeyboardInterrupt, Cancelled):
            pressed += 1
        time.sleep(0.001)  # what was left behind would run now
        assert ended(), f"pressed after {step * 5} us"
print(pressed)
"""


# 400 times, 5 us later each: 2 ms in all, in which a thread starts and ends even on a busy machine.
@pytest.mark.parametrize("what", ["statements", "jobs of Spark"])
def test_what_was_begun_has_ended_whenever_it_was_pressed(what: str) -> None:
    """In a process of its own: a signal that lands elsewhere would end the tests."""
    ran = subprocess.run(
        [sys.executable, "-c", _PRESSED, what], capture_output=True, text=True, timeout=patient(60)
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 200


def test_a_thing_that_fails_fails_here() -> None:
    with sqlfuncs.connect() as con, pytest.raises(ZeroDivisionError):
        interruptibly(con, lambda: 1 / 0)
