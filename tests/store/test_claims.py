"""Who is asking: claims end with their process, whatever its number, and by no clock but theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sqlfuncs.store import claims
from sqlfuncs.store.answers import Store
from tests.llm.conftest import serving
from tests.store import disks

_CLAIMER = """
import os, pathlib, sys, time
from sqlfuncs.store.answers import Store
store = Store(pathlib.Path(sys.argv[1]))
print(len(store.claim([b"1", b"2"])), os.getpid(), flush=True)
time.sleep(float(sys.argv[2]))
"""


def _claimer(file: Path, seconds: float, around: list[str] | None = None) -> subprocess.Popen[str]:
    command = [*(around or []), sys.executable, "-c", _CLAIMER, str(file), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


def _end(process: subprocess.Popen[str]) -> None:
    process.wait(timeout=300)
    for end in filter(None, (process.stdin, process.stdout)):
        end.close()


def test_the_claims_of_a_killed_process_are_free_at_once(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    claimer = _claimer(file, 120)
    assert _said(claimer)[0] == 2
    assert Store(file).claim([b"1", b"3"]) == [b"3"]
    claimer.send_signal(signal.SIGKILL)
    _end(claimer)
    assert Store(file).claim([b"1"]) == [b"1"]


def test_processes_of_one_number_do_not_take_each_other_for_themselves(tmp_path: Path) -> None:
    """Two containers with one home; and one that was killed and has been started again."""
    file, around = tmp_path / "answers.sqlite", disks.with_processes()
    one = _claimer(file, 120, around)
    count, number = _said(one)
    assert count == 2
    other = _claimer(file, 0, around)
    assert _said(other) == [0, number]
    _end(other)
    assert Store(file).claim([b"1", b"2"]) == []
    one.kill()  # of `unshare`, whose child is the first of its processes
    _end(one)
    _kill_claimers(file)
    again = _claimer(file, 0, around)
    assert _said(again) == [2, number]
    _end(again)


def _kill_claimers(file: Path) -> None:
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(file).encode() in each.read_bytes():
                os.kill(int(each.parent.name), signal.SIGKILL)
    time.sleep(0.2)


@pytest.mark.parametrize("seconds", [-86_400, -700, 700, 86_400])
def test_a_clock_that_is_set_prolongs_no_claim(
    tmp_path: Path, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "answers.sqlite"
    one, other = Store(file), Store(file)
    assert one.claim([b"1"]) == [b"1"]
    assert other.claim([b"1"]) == []
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    assert other.claim([b"1"]) == [b"1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_is_another(home: Path) -> None:
    """It has claims of its own, and those of its parent do not outlive the parent."""
    code = """
import os, sys, time
from sqlfuncs.store import answers
store = answers.store()
assert store.claim([b"1"]) == [b"1"]
child = os.fork()
if not child:
    mine = answers.store()
    assert mine is not store
    assert mine.claim([b"1", b"2"]) == [b"2"]
    print(os.getpid(), flush=True)
    time.sleep(60)
os.read(0, 1)
os._exit(0)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and parent.stdin is not None
    child = int(parent.stdout.readline())
    file = home / "answers" / "answers.sqlite"
    assert Store(file).claim([b"1", b"2"]) == []
    parent.stdin.write("x")
    parent.stdin.flush()
    _end(parent)
    assert Store(file).claim([b"1", b"2"]) == [b"1"]  # the child lives on
    os.kill(child, signal.SIGKILL)


def test_locks_of_the_dead_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    for _ in range(3):
        claimer = _claimer(file, 0)
        assert _said(claimer)[0] == 2
        _end(claimer)
    assert len(list((tmp_path / "processes").iterdir())) == 1
    living = Store(file)
    assert living.claim([b"1"]) == [b"1"]
    Store(file).claim([b"2"])
    assert len(list((tmp_path / "processes").iterdir())) == 2


@pytest.mark.parametrize("token", ["", "no token", "../../answers", None, 7, "0" * 32])
def test_a_token_that_is_none_is_dead(tmp_path: Path, token: object) -> None:
    assert not claims.is_alive(tmp_path, token)


def test_two_containers_ask_once(tmp_path: Path) -> None:
    """Thirty texts, two containers at once, one home: each text is paid for once."""
    around = disks.with_processes()
    with serving() as server:
        server.behave(latency=0.5)
        query = (
            "SELECT count(llm_classify(t, ['x', 'y'], model := 'openai:m')) "
            "FROM (SELECT 'text ' || i AS t FROM range(30) r(i))"
        )
        code = f"import sqlfuncs; print(sqlfuncs.connect().execute({query!r}).fetchall())"
        environment = {
            **os.environ,
            **server.environment,
            "SQLFUNCS_REQUESTS_AT_ONCE": "4",
        }
        both = [
            subprocess.Popen(
                [*around, sys.executable, "-c", code],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said = [each.communicate(timeout=300)[0] for each in both]
        paid = server.paid
    assert said == ["[(30,)]\n"] * 2
    assert len(paid) == len(set(paid)) == 30
