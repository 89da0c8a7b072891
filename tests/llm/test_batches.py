"""`batch := true` against a server's batch endpoint, on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.llm import asking
from sqlfuncs.store import answers as kept
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import right

CUT = 625  # characters that are left of the one long text
LABELS = ["polite", "impolite", "neutral"]
RESULT = f"llm_classify_result(text, {LABELS}, model := 'openai:m', batch := true)"


def _run(con: duckdb.DuckDBPyConnection, call: str = RESULT) -> tuple[int, list[str]]:
    """How many of the texts have an answer, which is right, and why the others have none."""
    asking.forget_failures()
    rows = con.execute(f"SELECT text, {call} AS said FROM t ORDER BY id").fetchall()
    for text, said in rows:
        assert said["label"] in (None, right(text[:CUT], LABELS))
        assert (said["label"] is None) == (said["error"] is not None)
    return sum(said["label"] is not None for _, said in rows), [
        said["error"] for _, said in rows if said["error"]
    ]


@pytest.fixture
def texts(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Fifty texts."""
    con.execute("CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(50) r(i)")
    return con


def test_handed_in_and_collected_by_later_runs(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(batch="in_progress", logprobs=True)
    done, errors = _run(texts)
    assert done == 1  # the first is asked at once
    assert set(errors) == {
        "handed in as batch batch-0: run the query again when it has ended, within a day"
    }
    done, errors = _run(texts)
    assert done == 1
    assert set(errors) == {
        "in batch batch-0, 0 of 50 done: run the query again when it has ended".replace("50", "49")
    }
    assert _run(texts, RESULT.replace(", batch := true", "")) == (1, errors)  # nor is it paid twice
    server.behave(batch="completed", logprobs=True)
    assert _run(texts) == (50, [])
    assert len(server.paid) == 49
    assert _run(texts) == (50, [])
    assert server.log["batches"] == ["batch-0"]
    sure = texts.execute(f"SELECT min({RESULT}.confidence) FROM t").fetchall()
    assert sure == [(pytest.approx(0.7),)]
    usage = texts.execute("SELECT model, asked, requests FROM llm_usage() ORDER BY 1").fetchall()
    assert usage == [("openai:m", 1, 1), ("openai:m batch", 49, 1)]


def test_what_fails_in_a_batch_is_handed_in_again(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(batch="in_progress")
    _run(texts)
    server.behave(broken=0.2, garbage=0.1, chatty=0.1, seed=5)
    done, errors = _run(texts)
    assert 25 < done < 50
    assert set(errors) == {
        "handed in as batch batch-1: run the query again when it has ended, within a day"
    }
    server.behave()
    assert _run(texts) == (50, [])


def test_an_expired_batch_has_half_of_its_answers(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(batch="in_progress")
    _run(texts)
    server.behave(batch="expired")
    done, _ = _run(texts)
    assert done == 1 + 25 + 1  # the first, half, and the first of those that are handed in again
    server.behave()
    assert _run(texts) == (50, [])
    assert len(server.paid) == 23


def test_a_batch_that_failed_says_why(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(batch="in_progress")
    _run(texts)
    server.behave(batch="failed")
    done, errors = _run(texts)
    assert done == 1
    assert set(errors) == {"batch batch-0 failed: Enqueued token limit reached"}
    server.behave()
    _run(texts)
    assert _run(texts) == (50, [])


def test_a_batch_that_the_server_has_forgotten(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(batch="in_progress")
    _run(texts)
    server.forget()
    _, errors = _run(texts)
    assert set(errors) == {"batch batch-0 is not known to the server any more"}
    _run(texts)
    server.behave()
    assert _run(texts) == (50, [])


def test_refusals_and_long_texts_in_a_batch(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(10) r(i)
        UNION ALL SELECT 10, repeat('long ', 1000)
    """)
    server.behave(batch="in_progress")
    _run(con)
    server.behave(longest=1000, refuse="text 3", filtered="text 7")
    rows = con.execute(f"SELECT id, unnest({RESULT}) FROM t ORDER BY id").df().set_index("id")
    assert rows["note"][10] == "only its first 625 characters were read"
    assert "I cannot help" in rows["error"][3]
    assert "content management policy" in rows["error"][7]
    assert rows["error"].notna().sum() == 2
    server.behave(longest=1000, refuse="text 3", filtered="text 7")
    _, errors = _run(con)
    assert sorted(errors)[0].startswith("the model declined")  # it was paid for
    assert server.paid == []  # and what cost nothing is asked again


KILLED = """
import os, signal
import sqlfuncs
from sqlfuncs.store.answers import Store
Store.rename_batch = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
con = sqlfuncs.connect()
con.execute("CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(50) r(i)")
con.execute("SELECT " + {call!r} + " FROM t").fetchall()
"""


def test_killed_after_handing_in(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, home: Path
) -> None:
    server.behave(batch="in_progress")
    code = KILLED.format(call=RESULT)
    process = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert process.returncode == -9
    assert server.log["batches"] == ["batch-0"]
    _, errors = _run(texts)
    assert "batch-0" in errors[0]
    server.behave()
    assert _run(texts) == (50, [])
    assert server.log["batches"] == ["batch-0"]


def test_a_budget_hands_in_what_it_allows(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    texts.execute("SET VARIABLE sqlfuncs_budget_tokens = 1000")
    server.behave(batch="in_progress")
    _, errors = _run(texts)
    beyond = [error for error in errors if "the budget of 1,000 tokens allows no more" in error]
    assert 20 < len(beyond) < 49
    server.behave()
    done, errors = _run(texts)
    assert done > 50 - len(beyond)  # answers took less than was set aside
    texts.execute("SET VARIABLE sqlfuncs_budget_tokens = 100000")
    _run(texts)
    assert _run(texts) == (50, [])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("model := 'fake:', batch := true", "'fake:' has no batch endpoint"),
        (
            "model := 'openai:m', batch := true, rows_per_request := 5",
            "leave out batch or rows_per_request",
        ),
        ("model := 'openai:nosuch', batch := true", "the server has no model 'nosuch'"),
    ],
)
def test_mistakes(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, call: str, message: str
) -> None:
    with pytest.raises(duckdb.Error, match=message):
        texts.execute(f"SELECT llm_classify(text, {LABELS}, {call}) FROM t").fetchall()
    assert server.log["requests"] == 0


def test_no_disk_no_batch(
    texts: duckdb.DuckDBPyConnection,
    server: FaultServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (home / "answers").write_text("no folder")
    kept._open.clear()
    with pytest.raises(duckdb.Error, match="SQLFUNCS_KEEP=off"):
        _run(texts)
    monkeypatch.setenv("SQLFUNCS_KEEP", "off")
    with pytest.raises(duckdb.Error, match="needs a disk"):
        _run(texts)
    assert server.log["batches"] == []
