"""Kept answers without a label: asked for again where that is said, or something has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import duckdb
import pytest

from sqlfuncs.llm import asking, reading, unanswered
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import right

LABELS = ["polite", "impolite", "neutral"]
CALL = f"llm_classify(text, {LABELS}, model := 'openai:m')"
RETRY = CALL.replace(")", ", retry := true)", 1)


@pytest.fixture(autouse=True)
def _as_a_new_process() -> Iterator[None]:
    unanswered.forget()
    yield
    unanswered.forget()


@pytest.fixture
def texts(con: duckdb.DuckDBPyConnection, server: FaultServer) -> duckdb.DuckDBPyConnection:
    """Ten texts; nothing that the server says of them is a label."""
    con.execute("CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(10) r(i)")
    server.behave(chatty=1.0)
    assert _labels(con, CALL) == 10 * [None]
    assert len(server.paid) == 20
    return con


def _labels(con: duckdb.DuckDBPyConnection, call: str) -> list[str | None]:
    return [said for (said,) in con.execute(f"SELECT {call} FROM t ORDER BY id").fetchall()]


def _right() -> list[str | None]:
    return [right(f"text {i}", LABELS) for i in range(10)]


def test_a_failure_is_asked_again_where_that_is_said(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave()
    assert _labels(texts, CALL) == 10 * [None]
    assert server.paid == []
    assert _labels(texts, RETRY) == _right()
    assert sorted(server.paid) == sorted(f"text {i}" for i in range(10))
    assert _labels(texts, RETRY) == _right()  # what has a label is not
    assert len(server.paid) == 10


def test_what_failed_just_now_is_asked_again_too(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server._call("/control", json.dumps({}).encode())  # mended, and not ten seconds ago
    assert _labels(texts, RETRY) == _right()


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT {RETRY} FROM t",
        f"SELECT {RETRY} FROM t WHERE {RETRY} IS NULL",
        f"SELECT s.label, s.error FROM (SELECT {RETRY.replace('fy(', 'fy_result(')} s FROM t)",
        f"SELECT {RETRY} FROM (SELECT text FROM t, range(3000))",
        f"SELECT {RETRY} AS a, {RETRY.replace('llm_classify', 'llm_class_probs')} FROM t",
    ],
)
@pytest.mark.parametrize("threads", [1, 4])
def test_once_in_a_query_however_often_it_calls(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, query: str, threads: int
) -> None:
    texts.execute(f"SET threads = {threads}")
    for _ in range(2):
        server.behave(chatty=1.0)
        texts.execute(query).fetchall()
        assert sorted(server.paid) == sorted(2 * [f"text {i}" for i in range(10)])
        asking.forget_failures()


def test_once_in_each_execution_of_a_prepared_statement(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(chatty=1.0)
    texts.execute(f"PREPARE again AS SELECT {RETRY} FROM t")
    for times in (1, 2):
        texts.execute("EXECUTE again").fetchall()
        assert len(server.paid) == times * 20


def test_the_estimate_counts_what_would_be_asked_again(texts: duckdb.DuckDBPyConnection) -> None:
    call = f"llm_estimate(t, text, {LABELS}, model := 'openai:m'%s)"
    found = [
        texts.execute(f"SELECT cached, requests FROM {call % more}").fetchall()
        for more in ("", ", retry := true")
    ]
    assert found == [[(10, 0)], [(0, 10)]]


def test_a_refusal_is_asked_again_too(con: duckdb.DuckDBPyConnection, server: FaultServer) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS id, 'text ' || i AS text FROM range(10) r(i)")
    server.behave(refuse="text 3")
    assert _labels(con, CALL).count(None) == 1
    server.behave()
    assert _labels(con, CALL).count(None) == 1
    assert _labels(con, RETRY) == _right()
    assert server.paid == ["text 3"]


def test_several_rows_in_a_request(texts: duckdb.DuckDBPyConnection, server: FaultServer) -> None:
    server.behave()
    several = RETRY.replace("retry := true", "retry := true, rows_per_request := 5")
    assert _labels(texts, several) == _right()
    assert [len(found) for found in server.log["paid"]] == [5, 5]


# What follows needs the store to keep `Answer.read_by`.


@pytest.mark.parametrize(
    "change", [{}, {"headers": {"server": "vllm/9"}}, {"told": {"max_model_len": 4096}}]
)
def test_another_server_is_asked_once_by_itself(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, change: dict[str, object]
) -> None:
    server.behave(chatty=1.0, **change)
    for _ in range(2):
        assert _labels_of_a_new_process() == 10 * [None]
        assert len(server.paid) == (20 if change else 0)
    server.behave(**change)
    assert _labels_of_a_new_process() == 10 * [None]  # now that it gives labels: retry := true


def test_another_version_of_reading_asks_once_by_itself(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READER", "another")
    unanswered.forget()
    server.behave()
    assert texts.execute(
        f"SELECT cached FROM llm_estimate(t, text, {LABELS}, model := 'openai:m')"
    ).fetchall() == [(0,)]
    assert _labels(texts, CALL) == _right()
    assert len(server.paid) == 10


def test_without_a_server_kept_failures_are_read(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unanswered.forget()
    server.behave(models=["other"])
    assert _labels_of_a_new_process() == 10 * [None]
    monkeypatch.delenv("OPENAI_API_KEY")
    assert _labels_of_a_new_process() == 10 * [None]


def _labels_of_a_new_process() -> list[str | None]:
    script = (
        "import json, sqlfuncs\n"
        "rows = \"(SELECT i AS id, 'text ' || i AS text FROM range(10) r(i))\"\n"
        f"found = sqlfuncs.connect().execute(f{f'SELECT {CALL} FROM {{rows}} ORDER BY id'!r})\n"
        "print(json.dumps(found.fetchall()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True
    )
    return [said for (said,) in json.loads(ran.stdout)]
