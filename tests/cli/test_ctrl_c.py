from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pexpect
import pytest

from sqlfuncs.store import models
from tests.conftest import needs_local
from tests.waiting import patient

SECONDS = 1.5  # a second, and the end of the process, where nothing else runs


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without embeddings, so that every text has to be embedded."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.setenv("SQLFUNCS_HOME", str(folder))
    return folder


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A table of long texts, whose embedding takes minutes, and of many points."""
    file = tmp_path / "mine.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("""
            CREATE TABLE train AS
            SELECT i AS id, 'c' || (i % 3) AS label,
                (SELECT string_agg(hash(i * 99 + w) % 997, ' ') FROM range(99) w(w)) AS text
            FROM range(3000) r(i)
        """)
        con.execute("""
            CREATE TABLE points AS SELECT i AS id, 'c' || (hash(i) % 40) AS label,
                [hash(i * 512 + d) % 1000 / 1000 FOR d IN range(512)]::FLOAT[] AS text
            FROM range(8000) r(i)
        """)
    return file


def _interrupt(db: Path, during: str, *arguments: str, after: float = 1.0) -> tuple[float, str]:
    """Press Ctrl-C while something runs: the seconds until all has ended, and what was shown."""
    running = pexpect.spawn(
        sys.executable,
        ["-m", "sqlfuncs.cli", "run", *arguments, "--db", str(db)],
        env={**os.environ, "TERM": "xterm"},
        encoding="utf-8",
        timeout=300,
        dimensions=(24, 200),
    )
    running.expect(during)
    time.sleep(after)
    assert running.isalive()
    running.sendintr()
    begun = time.perf_counter()
    running.expect(pexpect.EOF)
    running.wait()
    seconds = time.perf_counter() - begun
    running.close()
    print(f"{arguments[0]}, during {during!r}: {seconds:.2f} s, exit code {running.exitstatus}")
    assert (running.exitstatus, running.signalstatus) == (130, None), running.before
    return seconds, str(running.before)


def _unharmed(db: Path, home: Path) -> None:
    """The file opens and holds what it held; nothing half made is there, and no model."""
    with duckdb.connect(str(db)) as con:
        tables = con.execute("SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY 1")
        assert tables.fetchall() == [("points", 8000), ("train", 3000)]
        assert con.execute("SELECT count(DISTINCT text) FROM train").fetchall() == [(3000,)]
        con.execute("CREATE TABLE writable (a INTEGER)")
    assert models.records() == []
    assert list(home.glob("models/*")) == []


@needs_local
@pytest.mark.parametrize("query", ["detect", "fine_tune"])
def test_while_texts_are_embedded(empty_home: Path, db: Path, query: str) -> None:
    seconds, shown = _interrupt(db, "reading texts", query)
    assert "stopped; nothing half done was kept" in shown
    assert "Traceback" not in shown
    _unharmed(db, empty_home)
    assert seconds < patient(SECONDS)


@pytest.mark.parametrize("query", ["detect", "fine_tune"])
def test_while_labels_are_judged(empty_home: Path, db: Path, query: str) -> None:
    seconds, shown = _interrupt(db, "judging labels", query, "table=points")
    assert "stopped; nothing half done was kept" in shown
    assert "Traceback" not in shown
    _unharmed(db, empty_home)
    assert seconds < patient(SECONDS)


def test_while_plain_sql_runs(empty_home: Path, db: Path, tmp_path: Path) -> None:
    query = tmp_path / "long.sql"
    query.write_text(
        "SELECT 'begun';\n"
        "CREATE TABLE issues AS SELECT sum(a.id * b.id * c.id) FROM train a, train b, train c;"
    )
    seconds, shown = _interrupt(db, "begun", str(query))
    assert "Traceback" not in shown
    _unharmed(db, empty_home)
    assert seconds < patient(SECONDS)


def test_while_the_program_starts(empty_home: Path, db: Path) -> None:
    for after in (0.05, 0.2, 0.4, 0.8):
        running = pexpect.spawn(
            sys.executable,
            ["-m", "sqlfuncs.cli", "run", "detect", "table=points", "--db", str(db)],
            encoding="utf-8",
            timeout=300,
        )
        time.sleep(after)
        running.sendintr()
        running.expect(pexpect.EOF)
        running.close()
        # Until `main` is reached, the exit code and a traceback are those of Python itself.
        assert running.exitstatus in (1, 130) or running.signalstatus is not None
        assert ", in main" not in str(running.before)
    _unharmed(db, empty_home)


@pytest.mark.slow
@needs_local
def test_what_was_embedded_is_kept_and_a_second_run_goes_on(empty_home: Path, db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE TABLE short AS SELECT id, label, left(text, 20) AS text FROM train")
        con.execute("UPDATE short SET text = id || ' of ' || text")
    _interrupt(db, r"(5\d\d|6\d\d|7\d\d)/3000", "detect", "table=short", after=0)
    running = pexpect.spawn(
        sys.executable,
        ["-m", "sqlfuncs.cli", "run", "detect", "table=short", "--db", str(db)],
        env={**os.environ, "TERM": "xterm"},
        encoding="utf-8",
        timeout=300,
        dimensions=(24, 200),
    )
    running.expect(r"reading texts .*?/(\d+)")
    assert running.match is not None
    assert int(running.match.group(1)) < 3000
    running.sendintr()
    running.expect(pexpect.EOF)
    running.close()


@needs_local
def test_in_a_python_session_too(empty_home: Path, db: Path) -> None:
    """DuckDB does not hear Ctrl-C in the main thread while our functions run; they do."""
    script = (
        "import sqlfuncs\n"
        f"con = sqlfuncs.connect({str(db)!r})\n"
        "from sqlfuncs.learning.encoders import encoders\n"
        # Loading the model cannot be interrupted.
        "encoders.encode(encoders.encoder('minilm'), ['loaded'])\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    con.sql('FROM label_issues(train, text, label)').fetchall()\n"
        "except BaseException as error:\n"
        "    print('stopped', flush=True)\n"
        "con.execute('CREATE TEMP TABLE few AS FROM points LIMIT 200')\n"
        "found = con.execute('FROM label_issues(few, text, label)').fetchall()\n"
        "print('goes on', len(found), flush=True)\n"
    )
    running = pexpect.spawn(sys.executable, ["-c", script], encoding="utf-8", timeout=300)
    running.expect("ready")
    time.sleep(2)
    began = time.perf_counter()
    running.sendintr()
    running.expect("stopped")
    seconds = time.perf_counter() - began
    running.expect(r"goes on \d+")
    running.expect(pexpect.EOF)
    assert seconds < patient(SECONDS)


@pytest.mark.parametrize("line", range(5, 60, 11))
def test_while_duckdb_is_loaded(line: int) -> None:
    """Its extension module calls Python where an exception would end the process by a crash."""
    pressing = f"""
import os, signal, sys

def pressed_at(frame, event, argument):
    if frame.f_code.co_name == "__setattr__" and frame.f_code.co_filename.endswith("enum.py"):
        pressed_at.count += 1
        if pressed_at.count == {line}:
            os.kill(os.getpid(), signal.SIGINT)
    return None

def watching(frame, event, argument):
    spec = getattr(sys.modules.get("duckdb"), "__spec__", None)
    return pressed_at(frame, event, argument) if spec is not None else None

pressed_at.count = 0
sys.setprofile(watching)
from sqlfuncs.cli import main
main(["run", "detect", "table=t"])
"""
    found = subprocess.run(
        [sys.executable, "-c", pressing],
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert found.returncode == 130, found.stderr
    assert "stopped; nothing half done was kept" in found.stderr
    assert "Traceback" not in found.stderr
