"""Replies of a server, changed at random: how many of them end a query in an error.

    python -m benchmarks.replies [5000]

Each text's first reply is a right chat completion in which something was changed; what is asked
again is answered rightly. Through the real client, from a server on loopback; minutes.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from tests.llm.conftest import FaultServer, serving

LABELS = ["polite", "impolite"]
_AT_ONCE = 100  # texts in a query
_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 200, 10**30, -(10**9), 0.5, float("inf"), float("-inf"),
    float("nan"), "", "ten", "polite", '{"label": "polite"}', "\ud800", "\x00\x1b[31m", "x" * 5000,
    "\ufeff", [], {}, [[]], [None], {"": None}, ["text"], [{"type": "text", "text": "polite"}],
    {"message": "odd"}, {"error": None}, [1, 2, 3], {"content": {"content": []}},
]  # fmt: skip
_ENCODINGS = ("utf-16", "utf-32-be", "latin-1", "utf-8-sig", "utf-7", "cp500")


def right(label: str) -> dict[str, Any]:
    """What a server should say, with all that it may say besides."""
    others = [{"token": name[:2], "logprob": -0.5 - at} for at, name in enumerate(LABELS)]
    said = json.dumps({"label": label})
    tokens = [{"token": part, "logprob": -0.1, "top_logprobs": others} for part in said.split(" ")]
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "error": None,
        "system_fingerprint": "fp", "usage": {
            "prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": {"content": tokens, "refusal": None},
            "message": {"role": "assistant", "content": said, "refusal": None, "tool_calls": []},
        }],
    }  # fmt: skip


def changed(draw: random.Random) -> bytes:
    """A right reply in which up to three things are not."""
    reply: Any = right(draw.choice(LABELS))
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        reply = _mutated(reply, draw)
    if draw.random() < 0.03:
        return _nested(draw.choice([50, 900, 2000, 30_000]), draw).encode()
    body = json.dumps(reply, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    match draw.choice(["", "", "", "", "", "cut", "encoded", "noise", "twice", "around"]):
        case "cut":
            return body[: draw.randrange(len(body))]
        case "encoded":
            text = json.dumps(reply)
            return text.encode(draw.choice(_ENCODINGS), "replace")
        case "noise":
            at = draw.randrange(len(body))
            return body[:at] + draw.randbytes(draw.choice([1, 2, 40])) + body[at:]
        case "twice":
            return body + draw.choice([b"", b"\n", b","]) + body
        case "around":
            return draw.choice([b"\xef\xbb\xbf", b"data: ", b"<html>", b")]}'\n"]) + body
    return body


def _mutated(reply: Any, draw: random.Random) -> Any:
    """Something in it is another value, missing, there twice, or deep in others."""
    places = list(_places(reply))
    if not places:
        return draw.choice(_VALUES)
    place, key = draw.choice(places)
    match draw.choice(["replace", "replace", "delete", "twice", "nest", "swap", "rename"]):
        case "replace":
            place[key] = draw.choice(_VALUES)
        case "delete":
            del place[key]
        case "twice" if isinstance(place, list):
            place.insert(key, place[key])
        case "nest":
            for _ in range(draw.choice([1, 2, 30, 600])):
                place[key] = [place[key]] if draw.random() < 0.5 else {"content": place[key]}
        case "rename" if isinstance(place, dict):
            place[draw.choice(["label", "error", "text", "usage", ""])] = place.pop(key)
        case _:
            other, name = draw.choice(places)
            place[key] = json.loads(json.dumps(other[name]))
    return reply


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, each in list(items):
        yield value, key
        yield from _places(each) if _depth(each) < 20 else ()


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, dict | list) and value and depth < 20:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
        depth += 1
    return depth


def _nested(depth: int, draw: random.Random) -> str:
    deep = draw.choice(["[%s]", '{"content": %s}', '{"label": %s}']).split("%s")
    value = deep[0] * depth + '"polite"' + deep[1] * depth
    whole = json.dumps(right("polite"))
    said = json.dumps(json.dumps({"label": "polite"}))
    match draw.choice(["body", "said", "content", "usage"]):
        case "body":
            return value
        case "said":
            return whole.replace(said, json.dumps(value))
        case "content":
            return whole.replace(said, value)
    return whole.replace('"prompt_tokens": 10', f'"prompt_tokens": {value}')


def failing(
    con: duckdb.DuckDBPyConnection, server: FaultServer, bodies: Sequence[bytes]
) -> list[tuple[bytes, str]]:
    """The bodies that end a query in an error, and in which, and how often rows have a label."""
    call = f"llm_classify(text, {LABELS}, model := 'openai:m')"
    bad = []
    for begin in range(0, len(bodies), _AT_ONCE):
        some = {f"{begin + at}": body for at, body in enumerate(bodies[begin : begin + _AT_ONCE])}
        try:
            _run(con, server, call, some)
        except duckdb.Error:
            for name, body in some.items():
                try:
                    _run(con, server, call, {f"{name} alone": body})
                except duckdb.Error as error:
                    bad.append((body, str(error)))
    return bad


def _run(
    con: duckdb.DuckDBPyConnection, server: FaultServer, call: str, bodies: dict[str, bytes]
) -> None:
    odd = {text: body.decode("utf-8", "surrogateescape") for text, body in bodies.items()}
    server.behave(odd_at_first=odd)
    rows = con.execute(f"SELECT {call} FROM unnest(?) r(text)", [list(bodies)]).fetchall()
    assert len(rows) == len(bodies)
    FORMS.update("a label" if said else "none" for (said,) in rows)


FORMS: Counter[str] = Counter()


def main(count: int = 5000, seed: int = 0) -> int:
    """Print how many of so many replies end a query in an error; that number."""
    import sqlfuncs

    draw = random.Random(seed)
    bodies = [changed(draw) for _ in range(count)]
    with tempfile.TemporaryDirectory() as home, serving() as server, sqlfuncs.connect() as con:
        os.environ.update(server.environment, SQLFUNCS_HOME=home)
        bad = failing(con, server, bodies)
    for kind, times in Counter(error.splitlines()[0][:150] for _, error in bad).most_common():
        print(f"{times}: {kind}")
    print(f"replies {count}, queries that ended in an error: {len(bad)}; rows: {dict(FORMS)}")
    return len(bad)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
