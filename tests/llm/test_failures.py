"""What servers say when a request fails: their words in every form of body, and what they mean."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.llm.failures import Busy, Declined, Flaky, TooLong, Unusable
from sqlfuncs.llm.openai_failures import NotFound, failure
from sqlfuncs.llm.openai_replies import reply
from tests.llm.conftest import FaultServer

LABELS = ["billing", "account"]
RESULT = f"llm_classify_result(text, {LABELS}, model := 'openai:m')"

# Status and body by server, in words that users report or authors publish; numbers are ours.
_KNOWN = json.loads((Path(__file__).parent / "server_errors.json").read_text(encoding="utf-8"))
TOO_LONG = {name: (each["status"], each["body"]) for name, each in _KNOWN["too long"].items()}
OTHERS = {
    name: (each["status"], each["body"], each["is"]) for name, each in _KNOWN["other"].items()
}


@pytest.mark.parametrize("server", TOO_LONG)
def test_too_long_in_the_words_of_every_server(server: str) -> None:
    status, body = TOO_LONG[server]
    text = body if isinstance(body, str) else json.dumps(body)
    assert type(failure(status, text.encode())) is TooLong
    if status != 413:  # inside of a reply that went well
        with pytest.raises(TooLong):
            reply(text)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_too_long(kind: str) -> None:
    status, body, wanted = OTHERS[kind]
    assert (
        type(failure(status, body if isinstance(body, str) else json.dumps(body))).__name__
        == wanted
    )


@pytest.mark.parametrize("by", ["LM Studio", "llama.cpp", "Gemini", "SGLang, in 200"])
def test_a_text_is_halved_until_it_fits(
    con: duckdb.DuckDBPyConnection, server: FaultServer, by: str
) -> None:
    status, body = TOO_LONG[by]
    server.behave(longest=1000, too_long=[status, json.dumps(body)])
    con.execute("CREATE TABLE t AS SELECT repeat('long ', 600) AS text")
    (found,) = con.execute(
        f"SELECT s.label, s.error, s.note FROM (SELECT {RESULT} s FROM t)"
    ).fetchall()
    assert found[0] in LABELS
    assert found[1:] == (None, "only its first 750 characters were read")
    assert len(server.paid) == 1


WORDS = "der Server ist müde"
BODIES = {
    "an object": {"error": {"message": WORDS, "type": "x", "code": None}},
    "a text": {"error": WORDS},
    "a list": [{"error": {"code": 400, "message": WORDS}}],
    "detail": {"detail": WORDS},
    "detail of pydantic": {"detail": [{"loc": ["body", 3], "msg": WORDS, "input": "private"}]},
    "detail with an error": {"detail": {"error": WORDS}},
    "detail in JSON": {"detail": json.dumps({"error": {"message": WORDS}})},
    "message": {"message": WORDS},
    "msg": {"error": {"msg": WORDS}},
    "errors": {"errors": [{"message": WORDS}]},
    "errors, of cloudflare": {"success": False, "errors": [{"code": 7003, "message": WORDS}]},
    "errors, texts": {"errors": [WORDS]},
    "object": {"object": "error", "message": WORDS, "code": 40303},
    "of a gateway": {"error": {"message": "it failed", "metadata": {"raw": WORDS}}},
    "title": {"title": WORDS, "status": 400},
    "error_description": {"error_description": WORDS},
    "plain": WORDS,
    "a page": f"<!DOCTYPE html><html><head><title>{WORDS}</title></head><body>no</body></html>",
    "a page without a title": f"<html><body><h1>{WORDS}</h1></body></html>",
    "cut JSON": f'{{"error": {{"message": "{WORDS}',
}


@pytest.mark.parametrize("form", BODIES)
def test_the_servers_own_words_reach_the_error(
    con: duckdb.DuckDBPyConnection, server: FaultServer, form: str
) -> None:
    body = BODIES[form]
    text = body if isinstance(body, str) else json.dumps(body)
    server.behave(replies=[400, text])
    query = f"SELECT s.error FROM (SELECT {RESULT} s FROM (SELECT 'a text' AS text))"
    ((error,),) = con.execute(query).fetchall()
    assert error.startswith("the server said 400: ")
    assert WORDS in error
    assert "private" not in error
    assert len(server.paid) == 1


IN_200 = [form for form, body in BODIES.items() if not isinstance(body, str) and form != "title"]


@pytest.mark.parametrize("form", [form for form in IN_200 if form != "error_description"])
def test_an_error_in_place_of_an_answer_is_asked_once(
    con: duckdb.DuckDBPyConnection, server: FaultServer, form: str
) -> None:
    server.behave(replies=[200, json.dumps(BODIES[form])])
    query = f"SELECT s.error FROM (SELECT {RESULT} s FROM (SELECT 'a text' AS text))"
    ((error,),) = con.execute(query).fetchall()
    assert error.startswith("the server said, in place of an answer: ")
    assert WORDS in error
    assert len(server.paid) == 1


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, Busy),
        ({"error": {"type": "rate_limit_error", "message": "slow down"}}, Busy),
        ({"error": {"code": 502, "message": "Provider returned error"}}, Flaky),
        ({"error": "CUDA out of memory"}, Flaky),
        ({"error": "Model is loading, try again"}, Flaky),
        ({"error": {"type": "overloaded_error"}}, Flaky),
        ({"error": {"type": "authentication_error", "message": "no"}}, Unusable),
        ({"error": {"code": "model_not_found", "message": "no"}}, NotFound),
        ({"error": "Unexpected endpoint"}, Declined),
        (
            {"choices": [{"error": {"code": 502, "message": "x"}, "message": {"content": ""}}]},
            Flaky,
        ),
        ({"choices": [], "error": {"message": "prompt is too long"}}, TooLong),
        ({"choices": []}, Flaky),
        ({"choices": None}, Flaky),
        ("CUDA error", Flaky),
        ("", Flaky),
        ("[]", Flaky),
    ],
)
def test_an_error_in_place_of_an_answer_by_its_words(body: object, wanted: type) -> None:
    with pytest.raises(wanted) as caught:
        reply(body if isinstance(body, str) else json.dumps(body))
    assert type(caught.value) is wanted


def test_words_are_cut_on_one_line_and_control_characters_seen() -> None:
    said = str(failure(400, {"error": "a\n\x1b]0;title\x07 " + "b" * 9999}))
    assert said.isprintable()
    assert r"a \x1b]0;title\x07 bbb" in said
    assert len(said) < 400
    assert str(failure(503, b"")) == "the server said 503: Service Unavailable"
    assert str(failure(599, b" ")) == "the server said 599: nothing"
    assert str(failure(400, b"\xff\xfe\xfd")).encode()
    assert "surr" in str(failure(400, '{"error": "surr \\ud800"}').args[0].encode())
