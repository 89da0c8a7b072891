"""Replies that are none: no query ends by one, and what can be read of them is read."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.replies import changed, failing
from sqlfuncs.llm import asking, providers
from sqlfuncs.llm.failures import ProviderFailure
from sqlfuncs.llm.openai import tokens_used
from sqlfuncs.llm.openai_replies import reply
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import KEY, right

LABELS = ["polite", "impolite"]
CALL = f"llm_classify(text, {LABELS}, model := 'openai:m')"
SAID = '{"label": "polite"}'


def _chat(**more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 2}
    return {"choices": [{"message": {"content": SAID}, **more}], "usage": usage}


USAGE: list[tuple[object, tuple[int, int]]] = [
    ({"prompt_tokens": 10, "completion_tokens": 2}, (10, 2)),
    ({"prompt_tokens": 10.0, "completion_tokens": 2}, (10, 2)),
    ({"input_tokens": 10, "output_tokens": 2}, (10, 2)),
    ({"prompt_tokens": 10, "total_tokens": 12}, (10, 2)),
    ({"prompt_tokens": 10}, (0, 0)),
    ({"prompt_tokens": -10, "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": "ten", "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": "10", "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": True, "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": 1e30, "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": 10**400, "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": 10, "completion_tokens": 10_000_001}, (0, 0)),
    ({"prompt_tokens": float("inf"), "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": float("nan"), "completion_tokens": 2}, (0, 0)),
    ({"prompt_tokens": None, "completion_tokens": []}, (0, 0)),
    ({}, (0, 0)),
    (None, (0, 0)),
    ("ten", (0, 0)),
    ([1], (0, 0)),
    (-3, (0, 0)),
]


@pytest.mark.parametrize(("usage", "used"), USAGE)
def test_usage_that_cannot_be_is_not_told(usage: object, used: tuple[int, int]) -> None:
    body = json.dumps({**_chat(), "usage": usage})
    assert tokens_used(reply(body)) == used
    assert reply(body).content == SAID


# What a reply says, or nothing where it is none.
FORMS: dict[str, tuple[object, str | None]] = {
    "a message that is a text": ({"choices": [{"message": SAID}]}, SAID),
    "parts": (_chat(message={"content": [{"type": "text", "text": SAID}]}), SAID),
    "parts and thoughts": (
        _chat(
            message={
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "impolite?"}]},
                    {"type": "text", "text": {"value": '{"label": '}},
                    '"polite"}',
                ]
            }
        ),
        SAID,
    ),
    "thoughts apart": (_chat(message={"content": SAID, "reasoning_content": "impolite?"}), SAID),
    "a text in place of a message": ({"choices": [{"text": SAID}]}, SAID),
    "a choice that is none before it": ({"choices": [None, *_chat()["choices"]]}, SAID),
    "no usage": ({"choices": _chat()["choices"]}, SAID),
    "logprobs that are a text": (_chat(logprobs="many"), SAID),
    "logprobs of odd tokens": (_chat(logprobs={"content": [{"token": 3, "logprob": "x"}]}), SAID),
    "a finish_reason that is none": (_chat(finish_reason={"a": 1}), SAID),
    "an error that is null": ({**_chat(), "error": None}, SAID),
    "content that is null": (_chat(message={"content": None}), ""),
    "content that is a number": (_chat(message={"content": 3}), ""),
    "content that is nested": (_chat(message={"content": [[[[[[["a"]]]]]]]}), ""),
    "no choices": ({"choices": []}, None),
    "choices that are a text": ({"choices": "many"}, None),
    "choices of odd things": ({"choices": [1, None, []]}, None),
    "a list": ([1], None),
    "a number": (3, None),
    "null": (None, None),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_of_odd_replies(form: str) -> None:
    body, said = FORMS[form]
    if said is None:
        with pytest.raises(ProviderFailure):
            reply(json.dumps(body))
    else:
        assert reply(json.dumps(body)).content == said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_bodies_in_other_encodings(encoding: str) -> None:
    assert reply(json.dumps(_chat()).encode(encoding)).content == SAID


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_reply_that_was_changed_is_one_or_a_failure(seed: int) -> None:
    body = changed(random.Random(seed))
    try:
        found = reply(body)
    except ProviderFailure as failure:
        assert str(failure).encode()
        return
    assert isinstance(found.content, str)
    assert all(type(each) is int for each in tokens_used(found))


def test_no_query_ends_by_a_reply_that_was_changed(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    draw = random.Random(19)
    assert failing(con, server, [changed(draw) for _ in range(300)]) == []


@pytest.mark.parametrize(
    "body",
    [
        "[" * 50_000,
        '{"choices": ' * 3000,
        json.dumps(_chat(message={"content": '{"label": ' * 3000})),
        json.dumps({**_chat(), "usage": [1]}),
        json.dumps({**_chat(), "usage": {"prompt_tokens": 10**30, "completion_tokens": "x"}}),
        '{"choices": [{"message": {"content": "\\ud800 polite"}}]}',
        '{"choices": [{"message": "polite"}], "usage": "ten"}',
        "\udcff\udcfe\udc00",
    ],
)
def test_the_odd_ones_that_once_ended_queries(
    con: duckdb.DuckDBPyConnection, server: FaultServer, body: str
) -> None:
    texts = [f"text {at}" for at in range(20)]
    server.behave(odd_at_first={"text 7": body})
    rows = con.execute(f"SELECT text, {CALL} FROM unnest(?) r(text)", [texts]).fetchall()
    for text, said in rows:
        assert said == right(text, LABELS) or text == "text 7"
    assert con.execute("SELECT input_tokens < 10000 FROM llm_usage()").fetchall() == [(True,)]


@pytest.mark.parametrize(
    "body",
    ["[" * 50_000, "[1]", "null", '"m"', "", "{}", '{"data": 3}', '{"data": [1, {"id": []}]}',
     '{"id": {"a": 1}, "created": 1e400, "owned_by": [[]], "root": "\\ud800"}', "<html>",
     '{"created": ' + "9" * 400 + "}", "\udcff\udcfe", '{"detail": "no such page"}'],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 404])
def test_odd_replies_about_models(
    con: duckdb.DuckDBPyConnection, server: FaultServer, body: str, status: int
) -> None:
    providers.provider.cache_clear()
    server.behave(models_reply=[status, body])
    ((said,),) = con.execute(f"SELECT {CALL} FROM (SELECT 'a text' AS text)").fetchall()
    assert said == right("a text", LABELS)


@pytest.mark.parametrize(
    "state",
    [{"request_counts": "many"}, {"request_counts": {"completed": None}}, {"errors": [[]]},
     {"status": None}, {"status": ["completed"]}, {"output_file_id": 3}, {"metadata": 3}],
)  # fmt: skip
def test_odd_states_of_a_batch(
    con: duckdb.DuckDBPyConnection, server: FaultServer, state: dict[str, object]
) -> None:
    call = CALL.replace(")", ", batch := true)", 1)
    texts = [f"text {at}" for at in range(5)]
    for behaviour in ({"batch": "in_progress"}, {"batch_state": state}, {}):
        server.behave(**behaviour)
        rows = con.execute(f"SELECT text, {call} FROM unnest(?) r(text)", [texts]).fetchall()
        assert all(said in (None, right(text, LABELS)) for text, said in rows)


def test_odd_lines_in_the_file_of_a_batch(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    call = CALL.replace(")", ", batch := true)", 1)
    texts = [f"text {at}" for at in range(5)]
    server.behave(batch="in_progress")
    con.execute(f"SELECT {call} FROM unnest(?) r(text)", [texts]).fetchall()
    bodies: list[object] = [
        None,
        3,
        "x",
        [],
        {},
        {"choices": 3},
        {"error": "no"},
        {**_chat(), "usage": [1]},
    ]
    lines = [json.dumps({"custom_id": "ab" * 32, "response": each}) for each in bodies] + [
        json.dumps({"custom_id": "ab" * 32, "response": {"status_code": code, "body": each}})
        for each in bodies
        for code in (200, 400, "x", None)
    ]
    odd = ['{"custom_id": 3}', '{"custom_id": "no name of ours"}', "3", "[" * 50_000, "\ufeff{}"]
    server.behave(batch_lines=lines + odd)
    rows = con.execute(f"SELECT text, {call} FROM unnest(?) r(text)", [texts]).fetchall()
    assert rows == [(text, right(text, LABELS)) for text in texts]


@pytest.mark.parametrize(
    "form",
    [
        lambda key: key,
        lambda key: key.removeprefix("sk-"),
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
        lambda key: base64.urlsafe_b64encode(f"x:{key}".encode()).decode(),
        lambda key: quote(key, safe="").replace("-", "%2D"),
        lambda key: "".join(f"%{ord(each):02x}" for each in key),
        lambda key: " ".join(key),
        lambda key: "-".join(key),
        lambda key: "".join(f"\\u{ord(each):04x}" for each in key),
        lambda key: key.encode().hex(),
    ],
)
@pytest.mark.parametrize("where", ["content", "error", "refusal"])
def test_a_key_that_a_server_echoes_is_neither_shown_nor_stored(
    con: duckdb.DuckDBPyConnection,
    server: FaultServer,
    home: Path,
    capfd: pytest.CaptureFixture[str],
    form: Any,
    where: str,
) -> None:
    echoed = form(KEY)
    said = f"You sent {echoed}"
    message = {"content": said} if where == "content" else {"content": None, "refusal": said}
    body = {"error": said} if where == "error" else _chat(message=message)
    server.behave(replies=[400 if where == "error" else 200, json.dumps(body)])
    call = CALL.replace("classify", "classify_result")
    ((error,),) = con.execute(
        f"SELECT s.error FROM (SELECT {call} s FROM (SELECT 'a' AS text))"
    ).fetchall()
    shown = f"{error} {capfd.readouterr()}"
    assert "[key]" in error
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for secret in (echoed, echoed[8:-8], KEY.removeprefix("sk-")):
        assert secret not in shown
        assert secret.encode() not in stored
    asking.forget_failures()
