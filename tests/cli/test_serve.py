"""`sqlfuncs serve` and `shell` with DuckDB's own shell, the real program, of version 1.5."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from tests.conftest import ROOT, SAMPLE
from tests.waiting import patient

OLD_DUCKDB = ROOT / ".duckdb-1.5.5"
SHELL = OLD_DUCKDB / "duckdb_cli" / "duckdb"
SQLFUNCS = [sys.executable, "-m", "sqlfuncs.cli"]
LONG = "FROM server.query('SELECT count(*) FROM range(20000000000) r(i) WHERE hash(i) % 7 = 0');"
SECONDS = 1.5  # a second, and the end of a process, where nothing else runs
pytestmark = [
    pytest.mark.skipif(
        not SHELL.exists(), reason="DuckDB 1.5.5 and its shell are not here: make .duckdb-1.5.5"
    ),
    pytest.mark.slow,
]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(OLD_DUCKDB)}


@dataclass(frozen=True)
class Served:
    """A server that runs, and the line it printed for the shell."""

    process: subprocess.Popen[str]
    line: str

    @property
    def script(self) -> Path:
        """The file that the line reads."""
        return Path(self.line.partition("'")[2].rstrip("'\n"))

    def shell(self, statements: str) -> subprocess.CompletedProcess[str]:
        """What DuckDB's shell makes of statements."""
        return subprocess.run(
            [SHELL, "-json", "-no-init"],
            input=f"{self.line}{statements}",
            capture_output=True,
            encoding="utf-8",
            env=_environment(),
            timeout=300,
        )


@contextmanager
def _serving(db: Path, *options: str) -> Iterator[Served]:
    with subprocess.Popen(
        [*SQLFUNCS, "serve", str(db), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        try:
            yield Served(process, process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A file with the sample, some of it."""
    file = tmp_path / "it's mine.duckdb"
    made = f"CREATE TABLE train AS FROM '{SAMPLE}' LIMIT 200"
    subprocess.run(
        [*SQLFUNCS, "shell", str(file), "-c", made], env=_environment(), check=True, timeout=300
    )
    return file


def _rows(said: str) -> list[list[dict[str, object]]]:
    """The results of a shell in JSON mode, each a list of objects."""
    decoder, at, results = json.JSONDecoder(), 0, []
    while at < len(said.rstrip()):
        found, at = decoder.raw_decode(said, at)
        results.append(found)
        at += len(said[at:]) - len(said[at:].lstrip())
    return results


def test_functions_are_called_as_anywhere(db: Path) -> None:
    with _serving(db) as served:
        ran = served.shell(
            """
            SELECT count(*) AS n, sum(is_label_issue::INT) > 9 AS some
            FROM label_issues(train, text, label);
            SELECT count(*) AS n FROM review_queue(train, text, label, id, budget := 7);
            SELECT label_quality('a', MAP {'a': 0.25, 'it''s': 0.75}) AS q;
            SELECT status FROM fine_tune('it''s', train, text, label, drop := 'id < 3', folds := 3);
            SELECT llm_classify('Where is my parcel?', model := 'it''s') AS told;
            FROM server.query('CREATE TABLE issues AS FROM label_issues(train, text, label)');
            FROM server.query('SELECT label_quality(label, class_probs) BETWEEN 0 AND 1 AS ok
                FROM issues LIMIT 1');
            SELECT llm_classify(label, model := 'it''s') FROM server.train;
            FROM label_issues(train, txt, label);
            FROM label_issues(train, text, label, model := 'nix');
        """
            + f"\n.read '{_remote(db.parent, 'detect')}'\n"
        )
        told = _rows(ran.stdout)
        assert told[:5] == [
            [{"n": 200, "some": True}],
            [{"n": 7}],
            [{"q": 0.25}],
            [{"status": "SUCCEEDED"}],
            [{"told": "delivery"}],
        ], ran.stderr
        assert [{"ok": True}] in told
        assert sum(int(str(row["rows"])) for row in told[-1]) == 200
        # What the protocol cannot do is said by DuckDB; what we refuse, in our words.
        assert "cannot use column" in ran.stderr
        assert '"txt" not found' in ran.stderr
        assert "model := 'nix' is not known" in ran.stderr


def _remote(folder: Path, query: str) -> Path:
    """A query file for the shell to read."""
    shown = subprocess.run(
        [*SQLFUNCS, "run", query, "table=train", "text=text", "label=label", "--remote"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    file = folder / f"{query}.sql"
    file.write_text(shown.stdout, encoding="utf-8")
    return file


def test_nobody_else_gets_in(db: Path) -> None:
    with _serving(db) as served:
        assert stat.S_IMODE(served.script.stat().st_mode) == 0o600
        assert stat.S_IMODE(served.script.parent.stat().st_mode) == 0o700
        script = served.script.read_text(encoding="utf-8")
        found = re.search(r"TOKEN '([\w-]{40,})'", script)
        assert found is not None
        token = found[1]
        arguments = Path(f"/proc/{served.process.pid}/cmdline").read_bytes()
        assert token not in served.line
        assert token.encode() not in arguments

        wrong = served.script.with_name("wrong.sql")
        wrong.write_text(script.replace(token, token[:-1]), encoding="utf-8")
        ran = Served(served.process, f".read '{wrong}'\n").shell("FROM server.query('SELECT 1');")
        assert "Authentication failed" in ran.stderr
        assert "1" not in ran.stdout
        assert not _answers(_address_elsewhere(), script)
        assert _answers("127.0.0.1", script)

        served.process.send_signal(signal.SIGTERM)
        _, log = served.process.communicate(timeout=300)
        assert served.process.returncode == 0
        assert not served.script.parent.exists()
        assert token not in log


def _answers(host: str, script: str) -> bool:
    port = re.search(r"quack:localhost:(\d+)", script)
    assert port is not None
    with socket.socket() as tried:
        tried.settimeout(2)
        return tried.connect_ex((host, int(port[1]))) == 0


def _address_elsewhere() -> str:
    """The address of this machine on its network; where it has none, one of the other loopbacks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # sends nothing
            return str(asked.getsockname()[0])
        except OSError:
            return "127.0.0.2"


def test_ctrl_c_ends_the_server_while_a_statement_runs(db: Path) -> None:
    with (
        _serving(db) as served,
        subprocess.Popen(
            [SHELL, "-no-init"], stdin=subprocess.PIPE, encoding="utf-8", env=_environment(),
            stderr=subprocess.DEVNULL,
        ) as shell,
    ):  # fmt: skip
        assert shell.stdin is not None
        shell.stdin.write(f"{served.line}{LONG}\n")
        shell.stdin.flush()
        time.sleep(3)
        begun = time.monotonic()
        served.process.send_signal(signal.SIGINT)
        served.process.communicate(timeout=300)
        assert time.monotonic() - begun < patient(SECONDS)
        assert served.process.returncode == 0
        shell.kill()


def test_a_port_that_is_taken(db: Path) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [*SQLFUNCS, "serve", str(db), "--port", str(port)],
            capture_output=True, encoding="utf-8", env=_environment(), timeout=300,
        )  # fmt: skip
    assert ran.returncode == 1
    assert f"{port} cannot be served at: Address already in use" in ran.stderr


def test_the_shell_does_both_and_ctrl_c_stops_a_statement(db: Path) -> None:
    before = set(_scripts())
    running = pexpect.spawn(
        SQLFUNCS[0], [*SQLFUNCS[1:], "shell", str(db)], encoding="utf-8", timeout=300,
        env={**_environment(), "TERM": "xterm"}, dimensions=(30, 100),
    )  # fmt: skip
    running.expect("DuckDB v1.5.5")
    running.sendline("SELECT 'flag' || 'ged ' || count(*) FROM label_issues(train, text, label);")
    running.expect("flagged 200")
    running.sendline(
        "FROM server.query('CREATE TABLE many AS SELECT hash(i)::VARCHAR AS t "
        "FROM range(200000) r(i)');"
    )
    running.expect("200000")
    running.sendline("SELECT 'never' || count(*) FROM near_duplicates(many, t);")
    time.sleep(4)
    running.sendintr()
    begun = time.monotonic()
    running.sendline("SELECT 'usa' || 'ble ' || n FROM server.query('SELECT 41 + 1 AS n');")
    running.expect("usable 42")
    assert time.monotonic() - begun < patient(SECONDS)
    running.sendline(".quit")
    running.expect(pexpect.EOF)
    assert "never2" not in running.before
    running.close()
    assert set(_scripts()) <= before


def _scripts() -> Iterator[Path]:
    return Path(tempfile.gettempdir()).glob("sqlfuncs-*/connect-*")


def test_without_the_extension_it_says_what_to_install(db: Path) -> None:
    blind = {**os.environ, "HOME": str(db.parent)}  # DuckDB 2, whose extension no package has
    ran = subprocess.run(
        [*SQLFUNCS, "serve", str(db), "--port", "0"],
        capture_output=True, encoding="utf-8", env=blind, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "pip install duckdb-extension-" in ran.stderr
    assert "Traceback" not in ran.stderr
