"""Ctrl-C while a job runs, on a classic session and through Connect: it and its workers end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.spark.sessions import CONNECT
from tests.waiting import patient

_SCRIPT = """
import sys, time
from pathlib import Path
from sqlfuncs import errors
from sqlfuncs.engines.spark import running
from tests.spark import sessions

spark = sessions.session(Path(sys.argv[1]))
slow = spark.range(0, 10_000_000, 1, 2).mapInArrow(sessions.slowly, "id bigint")
print("begun", flush=True)
try:
    running.collected(slow)
except (KeyboardInterrupt, errors.Cancelled):
    print("ended", time.time(), flush=True)
time.sleep(600)
"""


def _workers(mark: str) -> dict[int, float]:
    """The Python workers of a session, and the seconds of a processor that each has used."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"pyspark.daemon" not in (process / "cmdline").read_bytes():
                continue
            if mark.encode() in (process / "environ").read_bytes():
                used = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
                found[int(process.name)] = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return found


def _work(mark: str) -> float:
    """What the workers use of a processor within a second."""
    before = _workers(mark)
    time.sleep(1)
    return sum(used - before[each] for each, used in _workers(mark).items() if each in before)


@pytest.mark.slow
@pytest.mark.skipif(CONNECT, reason="starts a Spark of its own")
@pytest.mark.parametrize("pause", [0.0, 0.2, 4.0])  # while it is planned, too
@pytest.mark.parametrize("mode", ["classic", "connect"])
def test_job_and_workers_end(tmp_path: Path, mode: str, pause: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "SQLFUNCS_TEST_SPARK": mode, "SQLFUNCS_MARK": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(pause)
        pressed = time.time()
        process.send_signal(signal.SIGINT)
        word, at = process.stdout.readline().split()
        assert word == "ended"
        assert float(at) - pressed < patient(2)
        until = pressed + patient(10)  # Spark itself looks every two, and gives workers two
        while _work(str(tmp_path)) > 0.2:
            assert time.time() < until
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
