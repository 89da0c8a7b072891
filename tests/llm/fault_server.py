"""A server that speaks OpenAI's language and fails as servers do: seeded, on loopback.

    python -m tests.llm.fault_server     prints its port, serves until stdin closes

It labels a text by `right`. POST /control sets how it behaves (fields of `Behaviour`) and
empties the log; GET /log has, for each answer that a client would pay for, its texts.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Reply = tuple[int, Any, dict[str, str]]
KEY = "sk-test-0123456789abcdef"


def right(text: str, labels: Sequence[str]) -> str:
    """The label that the server gives a text, whatever the text says."""
    return labels[zlib.crc32(text.encode()) % len(labels)]


@dataclass
class Behaviour:
    """What the server does. Rates are shares of requests, drawn in this order."""

    seed: int = 0
    latency: float = 0.0
    busy: float = 0.0  # 429 with Retry-After
    retry_after: float = 0.1
    broken: float = 0.0  # 500
    silent: float = 0.0  # no reply for a long time
    garbage: float = 0.0  # 200, but no JSON
    chatty: float = 0.0  # 200, but no label in what it says
    partial: float = 0.0  # one of several answers is missing
    strange: float = 0.0  # one of several has the id of none
    refuse: str = ""  # texts that hold this are refused
    filtered: str = ""  # texts that hold this meet the content filter, as status 400
    longest: int = 0  # characters of all texts in a request; 0: no limit
    options_known: bool = True  # whether response_format is understood, or refused by 400
    options_ignored: bool = False  # whether it answers in words, whatever the format
    requests_per_second: float = 0.0  # 429 beyond; 0: no limit
    models: list[str] = field(default_factory=lambda: ["m", "other"])
    tells_models: bool = True


class Server:
    """The state of one server."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.random = random.Random(0)
        self.paid: list[list[str]] = []
        self.requests = 0
        self.running = self.most_running = 0
        self.lately: list[float] = []

    async def reply(self, method: str, path: str, key: str, body: bytes) -> Reply:
        """Status, JSON and headers."""
        if path == "/control":
            self.behaviour = replace(Behaviour(), **json.loads(body))
            self.random = random.Random(self.behaviour.seed)
            self.paid, self.requests, self.most_running = [], 0, 0
            return 200, {}, {}
        if path == "/log":
            log = {"paid": self.paid, "requests": self.requests, "at_once": self.most_running}
            return 200, log, {}
        if key != KEY:
            return 401, _error(f"Incorrect API key provided: {key}", "invalid_api_key"), {}
        if path.startswith("/v1/models"):
            return self.of_models(path.removeprefix("/v1/models").strip("/"))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self.completion(json.loads(body))
        finally:
            self.running -= 1

    def of_models(self, name: str) -> Reply:
        """What is said of models."""
        if not self.behaviour.tells_models:
            return 404, _error("no such page", None), {}
        known = [{"id": model, "object": "model"} for model in self.behaviour.models]
        if not name:
            return 200, {"object": "list", "data": known}, {}
        if name in self.behaviour.models:
            return 200, {"id": name, "object": "model"}, {}
        return 404, _error(f"The model '{name}' does not exist", "model_not_found"), {}

    async def completion(self, asked: dict[str, Any]) -> Reply:
        """A chat completion, or a failure."""
        now = self.behaviour
        self.requests += 1
        fault = self.fault()
        await asyncio.sleep(now.latency)
        if now.requests_per_second:
            clock = asyncio.get_running_loop().time()
            self.lately = [at for at in self.lately if at > clock - 1]
            if len(self.lately) >= now.requests_per_second:
                return 429, _error("Rate limit reached", "rate_limit_exceeded"), _after(now)
            self.lately.append(clock)
        if fault == "busy":
            return 429, _error("Rate limit reached", "rate_limit_exceeded"), _after(now)
        if fault == "broken":
            return 500, _error("The server had an error", None), {}
        if fault == "silent":
            await asyncio.sleep(30)
            return 504, _error("Nothing came of it", None), {}
        if "response_format" in asked and not now.options_known:
            return 400, _error("Unrecognized request argument: response_format", None), {}
        texts, labels = _texts(asked), _labels(asked)
        many = "any number of these" in asked["messages"][0]["content"]
        joined = "\n".join(text for _, text in texts)
        if now.longest and len(joined) > now.longest:
            said = "This model's maximum context length is smaller"
            return 400, _error(said, "context_length_exceeded"), {}
        if now.filtered and now.filtered in joined:
            return 400, _error("Blocked by content management policy", "content_filter"), {}
        if fault == "garbage":
            return 200, "<html>Bad gateway</html>", {}
        self.paid.append([text for _, text in texts])
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.said(texts, labels, fault, many),
        }
        if now.refuse and now.refuse in joined:
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        tokens = {"prompt_tokens": 10 * len(texts), "completion_tokens": 2 * len(texts)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return (
            200,
            {"id": "c", "object": "chat.completion", "choices": [choice], "usage": tokens},
            {},
        )

    def fault(self) -> str:
        """Which fault this request meets, if any."""
        drawn = self.random.random()
        for name in ("busy", "broken", "silent", "garbage", "chatty", "partial", "strange"):
            drawn -= getattr(self.behaviour, name)
            if drawn < 0:
                return name
        return ""

    def said(
        self, texts: Sequence[tuple[str | None, str]], labels: list[str], fault: str, many: bool
    ) -> str:
        """What the model says; of any number of labels, all but the right one."""
        if fault == "chatty":
            return "That is a good question, and hard to say."
        if texts[0][0] is None:
            label = right(texts[0][1], labels)
            if many:
                return json.dumps({"labels": [each for each in labels if each != label]})
            plain = self.behaviour.options_ignored or not self.behaviour.options_known
            return f"{label.title()}." if plain else json.dumps({"label": label})
        rows = [{"id": name, "label": right(text, labels)} for name, text in texts]
        if fault == "partial":
            rows.pop()
        if fault == "strange":
            rows[0]["id"] = "nobody"
        self.random.shuffle(rows)
        return json.dumps({"answers": rows})


def _texts(asked: dict[str, Any]) -> list[tuple[str | None, str]]:
    said = json.loads(asked["messages"][-1]["content"])
    if "text" in said:
        return [(None, said["text"])]
    return [(row["id"], row["text"]) for row in said["texts"]]


def _labels(asked: dict[str, Any]) -> list[str]:
    system = asked["messages"][0]["content"]
    return [json.loads(found) for found in re.findall(r"^- (\"(?:[^\"\\]|\\.)*\")", system, re.M)]


def _error(message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "error", "code": code, "param": None}}


def _after(now: Behaviour) -> dict[str, str]:
    return {"retry-after-ms": str(int(now.retry_after * 1000))}


async def _serve(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            found = re.search(r"^content-length: (\d+)", head, re.I | re.M)
            body = await reader.readexactly(int(found[1])) if found else b""
            key = re.search(r"^authorization: Bearer (\S*)", head, re.I | re.M)
            status, content, more = await server.reply(method, path, key[1] if key else "", body)
            raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            kind = "text/html" if isinstance(content, str) else "application/json"
            lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(raw)}"]
            lines += [f"{name}: {value}" for name, value in more.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()


async def _main() -> None:
    server = Server()
    listening = await asyncio.start_server(lambda r, w: _serve(server, r, w), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    async with listening:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
