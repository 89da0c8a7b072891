"""`sqlfuncs run --spark`: the program in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.cli.program import called, spawned
from tests.spark.sessions import CONNECT
from tests.waiting import patient

pytestmark = pytest.mark.skipif(CONNECT, reason="starts a Spark of its own")
_LONG = (
    "SELECT 'begun' AS said;\n"
    "SELECT sum(cardinality(embed(CAST(id AS STRING)))) FROM range(9999999)"
)


def test_show_needs_no_spark() -> None:
    ran = called("run", "detect", "--spark", "sc://nowhere", "--show", "table=main.labels.train")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "WITH input AS (FROM `main`.`labels`.`train`)" in ran.stdout
    ran = called("run", "detect", "--spark", "sc://nowhere", "--show", 'table=main."odd.name"')
    assert "WITH input AS (FROM `main`.`odd.name`)" in ran.stdout
    assert "count(*) AS `rows`" in ran.stdout


def test_mistakes_of_the_command_line() -> None:
    ran = called("run", "detect", "--spark", "local[2]", "--db", "mine.duckdb")
    assert (ran.returncode, "--spark goes with none of --db" in ran.stderr) == (2, True)
    ran = called("run", "load", "--spark", "local[2]", "file=x.csv")
    assert (ran.returncode, "load does not run on Spark: it reads a file" in ran.stderr) == (
        1,
        True,
    )
    ran = called("run", "detect", "--spark", "mine.duckdb")
    assert (ran.returncode, "is no address of a Spark" in ran.stderr) == (1, True)


@pytest.mark.slow
def test_results_and_errors(tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text(
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS a, CAST(NULL AS STRING) AS b;\n"
        "SELECT a, b, map('k', 0.5D) AS m FROM t;\n"
        "SELECT * FROM label_issues(t, b, nothing)"
    )
    for _ in range(2):  # tables stay, and are replaced
        ran = spawned("run", file, "--spark", "local[1]", "--format", "json", cwd=tmp_path)
        assert ran.returncode == 1
        assert json.loads(ran.stdout) == [{"a": 1, "b": None, "m": {"k": 0.5}}]
        assert "query 1/3: 1 row in" in ran.stderr
        failed = "statement 3 of 3 failed (statements 1 to 2 ran): the table has no column"
        assert failed in ran.stderr


def test_an_address_at_which_nothing_answers() -> None:
    ran = called("run", "detect", "--spark", "sc://127.0.0.1:9", "table=t", "text=a", "label=b")
    assert (ran.returncode, "no Spark answers at 127.0.0.1:9" in ran.stderr) == (1, True)


def _left(mark: str) -> list[str]:
    """The processes that have a mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode()[:80])
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("stopped", ["by Ctrl-C", "by its limit"])
def test_job_and_workers_end(tmp_path: Path, stopped: str) -> None:
    file, mark = tmp_path / "long.sql", f"SQLFUNCS_MARK={tmp_path}"
    file.write_text(_LONG)
    limit = ["--timeout", f"{patient(10):.0f}"] if stopped == "by its limit" else []
    running = pexpect.spawn(
        sys.executable,
        ["-m", "sqlfuncs.cli", "run", str(file), "--spark", "local[2]", *limit],
        env={**os.environ, "SQLFUNCS_MARK": str(tmp_path), "TERM": "xterm"},
        cwd=str(tmp_path),
        encoding="utf-8",
        codec_errors="replace",  # what two processes write at once may be cut within a letter
        timeout=patient(180),
        dimensions=(24, 200),
    )
    running.expect("begun")
    time.sleep(5)
    assert any("daemon" in each for each in _left(mark))
    if not limit:
        running.sendintr()
    begun = time.monotonic()
    running.expect(pexpect.EOF)
    running.wait()
    seconds = time.monotonic() - begun
    assert running.exitstatus == (124 if limit else 130), running.before
    assert "Traceback" not in str(running.before)
    print(f"{stopped}: ended after {seconds:.2f} s")
    if not limit:
        assert seconds < patient(2)
    until = time.monotonic() + patient(5)
    while _left(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert _left(mark) == []
