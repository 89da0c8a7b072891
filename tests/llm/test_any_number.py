"""`multi := true` against a server on loopback: any number of labels, and how likely each is."""

from __future__ import annotations

import json

import duckdb
import pytest

from sqlfuncs.llm import asking
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import FAULTS, SURE, UNSURE, right

LABELS = ["polite", "urgent", "angry"]
CALL = f"llm_classify(text, {LABELS}, model := 'openai:m', multi := true)"
PROBS = CALL.replace("llm_classify", "llm_class_probs")
RESULT = CALL.replace("llm_classify", "llm_classify_result")


def said_of(text: str) -> list[str]:
    """What the server says of a text."""
    return [each for each in LABELS if each != right(text, LABELS) and "nothing" not in text]


@pytest.fixture
def texts(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Forty texts, a fifth of them with none of the labels."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 5 = 0, 'nothing ', 'text ') || i AS text FROM range(40) r(i)
    """)
    return con


def _check(con: duckdb.DuckDBPyConnection, call: str = CALL) -> tuple[int, int]:
    """How many rows are right, and how many NULL; none is wrong."""
    asking.forget_failures()
    rows = con.execute(f"SELECT text, {call} FROM t ORDER BY id").fetchall()
    assert [(text, said) for text, said in rows if said not in (None, said_of(text))] == []
    missing = sum(said is None for _, said in rows)
    return len(rows) - missing, missing


def test_a_list_an_empty_one_and_null(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(nothing="nothing", refuse="text 1")  # and 11 to 19, but for 15
    assert _check(texts) == (31, 9)
    found = texts.execute(f"CREATE TABLE s AS SELECT {CALL} AS said FROM t; DESCRIBE s").fetchall()
    assert found[0][:2] == ("said", "VARCHAR[]")
    assert texts.execute("SELECT count(*) FROM s WHERE said = []").fetchall() == [(8,)]
    assert len(server.paid) == 40
    errors = texts.execute(f"SELECT DISTINCT ({RESULT}).error FROM t ORDER BY 1").fetchall()
    assert errors == [("the model declined to answer: I cannot help with that.",), (None,)]


@pytest.mark.parametrize("at_once", [1, 5])
def test_all_faults_at_once(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, at_once: int
) -> None:
    rates = {name: 0.06 for name in FAULTS if name != "silent"}
    server.behave(nothing="nothing", seed=3, **rates)
    call = CALL.replace(", multi", f", rows_per_request := {at_once}, multi")
    _check(texts, call)
    server.behave(nothing="nothing")
    retry = call.replace(", multi", ", retry := true, multi")
    assert _check(texts, retry) == (40, 0)
    asking.forget_failures()
    assert _check(texts, call) == (40, 0)


def test_one_label_and_any_number_are_two_questions(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(nothing="nothing")
    one = CALL.replace(", multi := true", "")
    for _ in range(2):
        assert _check(texts) == (40, 0)
        for text, said in texts.execute(f"SELECT text, {one} FROM t").fetchall():
            assert said == right(text, LABELS)
    assert len(server.paid) == 80


def test_a_list_that_is_cut_short_or_has_another_label_is_no_answer(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    for content, ends, why in (
        ('{"labels": ["polite", "urgent"', "stop", "which is none of the labels"),
        ('{"labels": ["polite", "rude"]}', "stop", "which is none of the labels"),
        ("- polite\n- urgent", "length", "the answer was cut short: '- polite - urgent'"),
    ):
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": ends}
        server.behave(replies=[200, json.dumps({"choices": [choice]})])
        retry = RESULT.replace(", multi", ", retry := true, multi")
        rows = texts.execute(f"SELECT unnest({retry}) FROM (FROM t LIMIT 2)").fetchall()
        for label, labels, _, error, *_ in rows:
            assert (label, labels) == (None, None)
            assert error.endswith(why)
        assert len(server.paid) == 4  # each once more, plainly


@pytest.mark.parametrize("limit", ["uniqueItems", "maxItems"])
def test_a_server_that_knows_no_limits_of_lists_is_asked_without(
    texts: duckdb.DuckDBPyConnection, server: FaultServer, limit: str
) -> None:
    server.behave(nothing="nothing", limit_refused=limit)
    texts.execute("DELETE FROM t WHERE id > 0")
    assert _check(texts) == (1, 0)
    assert server.log["requests"] == 2
    texts.execute("INSERT INTO t SELECT i, 'text ' || i FROM range(1, 9) r(i)")
    assert _check(texts) == (9, 0)
    assert server.log["requests"] == 10


def test_how_likely_each_label_is(texts: duckdb.DuckDBPyConnection, server: FaultServer) -> None:
    server.behave(nothing="nothing", logprobs=True)
    assert _check(texts) == (40, 0)
    rows = texts.execute(f"SELECT text, {PROBS}, {RESULT} FROM t").fetchall()
    assert len(server.paid) == 40  # one question, whatever is read of its answer
    for text, probs, result in rows:
        listed = said_of(text)
        expected = {name: SURE if name in listed else UNSURE for name in LABELS}
        assert probs == pytest.approx(expected)
        assert result["labels"] == listed
        assert result["confidence"] == pytest.approx(
            SURE ** len(listed) * (1 - UNSURE) ** (3 - len(listed))
        )


def test_a_server_that_tells_none_is_sure(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(nothing="nothing", refuse="text 1")
    for text, probs in texts.execute(f"SELECT text, {PROBS} FROM t").fetchall():
        certain = {name: float(name in said_of(text)) for name in LABELS}
        assert probs == (None if "text 1" in text else certain)


def test_wrong_and_missing_tags_are_found_without_training(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(nothing="nothing", logprobs=True)
    texts.execute("INSERT INTO t SELECT i, 'text ' || i FROM range(40, 200) r(i)")
    texts.execute(f"CREATE TABLE said AS SELECT *, {CALL} AS said FROM t")
    texts.execute("""
        CREATE TABLE tagged AS SELECT id, text, said AS true_tags,
            CASE WHEN id % 16 <> 1 THEN said WHEN said = [] OR id % 32 = 1 THEN ['angry']
                ELSE said[2:] END AS tags FROM said
    """)
    counts = texts.execute(f"""
        SELECT count(*) FILTER (tags <> true_tags), count(*) FILTER (is_label_issue),
            count(*) FILTER (is_label_issue AND list_has_all(true_tags, missing_tags)
                AND NOT list_has_any(true_tags, wrong_tags))
        FROM label_issues(tagged, {PROBS}, tags)
    """).fetchall()
    assert counts == [(13, 13, 13)]
    assert len(server.paid) == 200
    scores = texts.execute(f"SELECT n, accuracy FROM evaluate(tagged, tags, {CALL})").fetchall()
    assert scores == [(200, pytest.approx(1 - 13 / 200))]


def test_batches(texts: duckdb.DuckDBPyConnection, server: FaultServer) -> None:
    server.behave(nothing="nothing", batch="in_progress", logprobs=True)
    call = CALL.replace(", multi", ", batch := true, multi")
    assert _check(texts, call) == (1, 39)
    server.behave(nothing="nothing", logprobs=True)
    assert _check(texts, call) == (40, 0)
    sure = texts.execute(f"SELECT min(list_max(map_values({PROBS}))) FROM t WHERE id % 5 > 0")
    assert sure.fetchall() == [(pytest.approx(SURE),)]
    assert len(server.paid) == 39  # of this behaviour


def test_estimated_counted_and_stopped_as_one_label_is(
    texts: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(nothing="nothing")
    estimate = f"""
        SELECT cached, requests, output_tokens > 0
        FROM llm_estimate(t, text, {LABELS}, model := 'openai:m', multi := true)
    """
    assert texts.execute(estimate).fetchall() == [(0, 40, True)]
    stopped = CALL.replace(", multi", ", budget_tokens := 400, multi")
    answered, missing = _check(texts, stopped)
    assert 0 < answered < 40 and missing
    assert texts.execute(estimate).fetchall() == [(answered, 40 - answered, True)]
    assert _check(texts) == (40, 0)
    paid = texts.execute("SELECT answers, errors FROM llm_paid()").fetchall()
    assert paid == [(40, 0)]  # an empty list is an answer
    assert sorted(server.paid) == sorted(
        {text for (text,) in texts.execute("SELECT text FROM t").fetchall()}
    )


def test_descriptions_and_examples(texts: duckdb.DuckDBPyConnection, server: FaultServer) -> None:
    server.behave(nothing="nothing")
    described = CALL.replace(str(LABELS), f"MAP {dict.fromkeys(LABELS, 'it is')}")
    shown = described.replace(
        ", multi",
        ", examples := [{text: 'x', label: ['angry', 'polite']}, {text: 'y', label: []}], multi",
    )
    assert _check(texts, shown) == (40, 0)
    assert _check(texts) == (40, 0)
    assert len(server.paid) == 80  # another question
