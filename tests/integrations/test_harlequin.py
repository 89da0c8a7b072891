"""Harlequin and its headless `hsql`, the real programs, with our adapter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest

from tests.conftest import ROOT, SAMPLE
from tests.integrations.tools import TOOLS, needs_tools
from tests.waiting import patient

pytestmark = [needs_tools, pytest.mark.slow]
Ran = subprocess.CompletedProcess[str]

CANCELLED = """
import threading, time
from sqlfuncs.integrations.harlequin import SqlfuncsAdapter
con = SqlfuncsAdapter((":memory:",), no_init=True).connect()
con.execute("CREATE TABLE t AS SELECT 'text ' || hash(i) AS text FROM range(60000) r(i)")
ended = []
def run():
    cursor = con.execute("SELECT count(*) FROM near_duplicates(t, text)")
    cursor.fetchall()
    ended.append(time.monotonic())
thread = threading.Thread(target=run)
thread.start()
time.sleep(2.5)
assert not ended
begun = time.monotonic()
con.cancel()
thread.join()
print(ended[0] - begun if ended else time.monotonic() - begun)
print(con.execute("SELECT count(*) FROM outliers(t, text)") is not None)
print(con.execute("SELECT 7 AS seven").fetchall().to_pylist())
"""
COMPLETED = """
import json
from sqlfuncs.integrations.harlequin import SqlfuncsAdapter
con = SqlfuncsAdapter((":memory:",), no_init=True).connect()
found = con.get_completions()
print(json.dumps([[c.label, c.value, c.type_label] for c in found]))
"""


def _hsql(*arguments: str | Path) -> Ran:
    return subprocess.run(
        [str(TOOLS / "hsql"), "-a", "sqlfuncs", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def _python(code: str) -> str:
    ran = subprocess.run(
        [str(TOOLS / "python"), "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with the sample, some of it."""
    file = tmp_path / "it's mine.duckdb"
    ran = _hsql(file, "-c", f"CREATE TABLE train AS FROM '{SAMPLE}' LIMIT 200")
    assert ran.returncode == 0, ran.stderr
    return file


def test_a_query_file_runs_as_it_is(db: Path) -> None:
    query = ROOT / "queries" / "detect.sql"
    ran = _hsql(db, "--json", "-f", query)
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout)
    assert sum(row["rows"] for row in shown) == 200
    assert {row["label"] for row in shown} == {"account", "billing", "delivery", "product"}
    ran = _hsql(db, "-t", "-A", "-c", "SELECT count(*) FROM issues WHERE is_label_issue")
    assert int(ran.stdout) == sum(row["flagged"] for row in shown)
    # A variable is a parameter.
    ran = _hsql(db, "-c", "SET VARIABLE param_table = 'no such'", "-f", query)
    assert ran.returncode == 1
    assert "no such does not exist" in ran.stderr


def test_mistakes_are_said_plainly(db: Path) -> None:
    ran = _hsql(db, "-c", "FROM label_issues(train, text, label, model := 'nix')")
    assert ran.returncode == 1
    assert ran.stderr.startswith("hsql: error: model := 'nix' is not known. It may be 'fast'")
    ran = _hsql(db, "-c", "FROM {{ table | ident }}")
    assert ran.returncode == 1
    assert "sqlfuncs run FILE" in ran.stderr


def test_our_functions_complete_with_what_they_take() -> None:
    found = json.loads(_python(COMPLETED))
    signature = (
        "label_issues(tbl, x, label, votes, annotator, key, log, model, cut, method, folds, seed, "
        "task, ordered, false_flags, risk, judge)"
    )
    assert [signature, "label_issues", "fn->T"] in found
    assert [label for label, value, _ in found if value == "label_issues"] == [signature]
    assert not [value for _, value, _ in found if value.startswith("_review")]
    assert "read_csv" in [value for _, value, _ in found]


def test_what_runs_can_be_cancelled() -> None:
    begun = time.monotonic()
    seconds, _, rows = _python(CANCELLED).splitlines()
    assert float(seconds) < patient(5)  # under one where nothing else runs
    assert rows == "[{'seven': 7}]"
    assert time.monotonic() - begun < patient(60)


def test_sqlfuncs_shell_opens_it(db: Path) -> None:
    running = pexpect.spawn(
        str(TOOLS / "sqlfuncs"), ["shell", str(db)], encoding="utf-8", timeout=300,
        dimensions=(40, 140), env={**os.environ, "PATH": str(TOOLS), "TERM": "xterm-256color"},
    )  # fmt: skip
    running.expect("Data Catalog")
    time.sleep(1)
    running.send("\x11")  # Ctrl-Q
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM near_duplicates(many, t)",
        "SELECT count(*) FROM range(20_000_000_000) r(i) WHERE hash(i) % 7 = 0",
        "CREATE TABLE never AS SELECT i FROM range(20_000_000_000) r(i) WHERE hash(i) = 7",
    ],
)
def test_ctrl_c_stops_hsql(db: Path, statement: str) -> None:
    made = "CREATE TABLE many AS SELECT 'x' || hash(i) AS t FROM range(60_000) r(i)"
    running = pexpect.spawn(
        str(TOOLS / "hsql"), ["-a", "sqlfuncs", str(db), "-c", made, "-c", statement],
        encoding="utf-8", timeout=300,
    )  # fmt: skip
    time.sleep(4)
    running.sendintr()
    begun = time.monotonic()
    running.expect("nothing half done was kept")
    running.expect(pexpect.EOF)
    assert time.monotonic() - begun < patient(5)  # what loads a library ends that first
    running.close()
    assert (running.exitstatus, running.signalstatus) == (1, None)


@pytest.mark.parametrize("seconds", [1.5, 2.0, 2.4, 2.7, 3.0, 3.3])
def test_ctrl_c_while_libraries_are_loaded_crashes_nothing(db: Path, seconds: float) -> None:
    made = "CREATE TABLE many AS SELECT 'x' || hash(i) AS t FROM range(60_000) r(i)"
    running = pexpect.spawn(
        str(TOOLS / "hsql"),
        ["-a", "sqlfuncs", str(db), "-c", made, "-c", "SELECT * FROM near_duplicates(many, t)"],
        encoding="utf-8", timeout=300,
    )  # fmt: skip
    time.sleep(seconds)
    running.sendintr()
    running.expect(pexpect.EOF)
    running.close()
    # 130, or the signal itself on a busy machine, where it is pressed before there is anything of
    # ours to stop. A crash is another signal.
    if running.signalstatus != signal.SIGINT:
        assert running.exitstatus in (1, 130), running.before
        assert running.signalstatus is None


def test_ctrl_c_again_ends_it_at_once(db: Path) -> None:
    made = "CREATE TABLE many AS SELECT 'x' || hash(i) AS t FROM range(60_000) r(i)"
    running = pexpect.spawn(
        str(TOOLS / "hsql"),
        ["-a", "sqlfuncs", str(db), "-c", made, "-c", "SELECT * FROM near_duplicates(many, t)"],
        encoding="utf-8", timeout=300,
    )  # fmt: skip
    time.sleep(2.5)
    for _ in range(10):
        running.sendintr()
        time.sleep(0.1)
    running.expect(pexpect.EOF)
    running.close()
    ends = running.exitstatus, running.signalstatus
    assert ends in [(1, None), (130, None), (None, signal.SIGINT)], running.before
