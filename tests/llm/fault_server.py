"""A server that speaks OpenAI's language and fails as servers do: seeded, on loopback.

    python -m tests.llm.fault_server     prints its port, serves until stdin closes

It labels a text by `right`. POST /control sets how it behaves (fields of `Behaviour`) and
empties the log; GET /log has, for each answer that a client would pay for, its texts.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.llm import tunings
from tests.llm.tunings import Tunings

Reply = tuple[int, Any, dict[str, str]]
KEY = "sk-test-0123456789abcdef"
FAULTS = ("busy", "broken", "silent", "garbage", "chatty", "partial", "strange", "lost")


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
    asks: dict[str, str] | None = None  # the headers of a 429, instead of retry_after
    bears: int = 0  # requests at once, 429 beyond; 0: any number
    broken: float = 0.0  # 500
    silent: float = 0.0  # no reply for a long time
    garbage: float = 0.0  # 200, but no JSON
    chatty: float = 0.0  # 200, but no label in what it says
    chatty_at_first: bool = False  # so, unless it is asked plainly
    partial: float = 0.0  # one of several answers is missing
    strange: float = 0.0  # one of several has the id of none
    refuse: str = ""  # texts that hold this are refused
    filtered: str = ""  # texts that hold this meet the content filter, as status 400
    longest: int = 0  # characters of all texts in a request; 0: no limit
    too_long: list[Any] = field(default_factory=list)  # status and body of that; none: OpenAI's
    # Status and body of every reply, or of the first to each text; bytes by `surrogateescape`.
    replies: list[Any] = field(default_factory=list)
    models_reply: list[Any] = field(default_factory=list)  # status and body, whatever is asked
    batch_state: dict[str, Any] = field(default_factory=dict)  # odd values in what is told of it
    batch_lines: list[str] = field(default_factory=list)  # odd lines in its file of replies
    odd_at_first: dict[str, str] = field(default_factory=dict)
    declines: str = ""  # what it says, as status 400, to every request
    options_known: bool = True  # whether response_format is understood, or refused by 400
    limit_refused: str = ""  # of a list in a schema, by 400; without a schema there is no list
    nothing: str = ""  # texts that hold this have none of the labels, where any number may apply
    options_ignored: bool = False  # whether it answers in words, whatever the format
    requests_per_second: float = 0.0  # 429 beyond; 0: no limit
    logprobs: bool = False  # whether it tells how likely other labels were
    tuning: str = "succeeded"  # what it comes to; "no upload", "forbidden": it is not begun
    tuning_queued: int = 1  # how many looks it is queued for
    tuning_broken: int = 0  # how many of the first looks fail
    batch: str = "completed"  # what batches come to; "in_progress": they are not over yet
    reads: int = 10  # tokens that a text is charged with, and those of its answer
    writes: int = 2
    reads_besides: int = 0  # of each request, besides its texts
    thinks: int = 0  # tokens of reasoning in each answer that is paid for
    grows: float = 0.0  # by how many tokens each answer is longer than the one before
    at_most: int = 100_000  # tokens in an answer
    longer: int = 0  # tokens of reasoning in one of ten answers
    usage: str = "told"  # what it says of them: "none", "negative", "huge"
    lost: float = 0.0  # paid for, and answered with what is no JSON
    models: list[str] = field(default_factory=lambda: ["m", "other"])
    tells_models: bool = True
    told: dict[str, Any] = field(default_factory=dict)  # of each model, beside its name
    headers: dict[str, str] = field(default_factory=dict)  # of every reply about models


class Server:
    """The state of one server."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.random = random.Random(0)
        self.paid: list[list[str]] = []
        self.charged: list[tuple[int, int]] = []
        self.requests = self.turned_away = 0
        self.running = self.most_running = 0
        self.lately: list[float] = []
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.tunings = Tunings()
        self.tuning_requests: list[str] = []

    async def reply(self, method: str, path: str, key: str, body: bytes) -> Reply:
        """Status, JSON and headers."""
        if path == "/control":
            self.behaviour = replace(Behaviour(), **json.loads(body))
            self.random = random.Random(self.behaviour.seed)
            self.paid, self.requests, self.most_running = [], 0, 0
            self.charged, self.turned_away = [], 0
            return 200, {}, {}
        if path == "/forget":
            self.files, self.batches = {}, {}
            self.tunings, self.tuning_requests = Tunings(), []
            return 200, {}, {}
        if path == "/count":
            return 200, {"paid": sum(map(len, self.paid))}, {}
        if path == "/log":
            log = {"paid": self.paid, "requests": self.requests, "at_once": self.most_running}
            return (
                200,
                {
                    **log,
                    "batches": list(self.batches),
                    "charged": self.charged,
                    "turned_away": self.turned_away,
                },
                {},
            )
        if key != KEY:
            return 401, _error(f"Incorrect API key provided: {key}", "invalid_api_key"), {}
        if path.startswith("/v1/models"):
            return self.of_models(path.removeprefix("/v1/models").strip("/"))
        if path == "/v1/files" and method == "POST" and self.behaviour.tuning == "no upload":
            return 400, _error("The file is not accepted", "invalid_file"), {}
        if path.startswith("/v1/files"):
            return self.of_files(path.removeprefix("/v1/files").strip("/"), body)
        if path.startswith("/v1/batches"):
            return self.of_batches(method, path.removeprefix("/v1/batches").strip("/"), body)
        if path.startswith(tunings.PATH):
            return self.of_tunings(method, path.removeprefix(tunings.PATH), body)
        if path == "/v1/responses":
            return await self.response(json.loads(body))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self.completion(json.loads(body))
        finally:
            self.running -= 1

    def of_models(self, name: str) -> Reply:
        """What is said of models."""
        if self.behaviour.models_reply:
            return self.behaviour.models_reply[0], self.behaviour.models_reply[1], {}
        if not self.behaviour.tells_models:
            return 404, _error("no such page", None), {}
        made = [job.get("fine_tuned_model") for job in self.tunings.jobs.values()]
        models = [*self.behaviour.models, *filter(None, made)]
        more = {"object": "model", **self.behaviour.told}
        if not name:
            known = [{"id": model, **more} for model in models]
            return 200, {"object": "list", "data": known}, self.behaviour.headers
        if name in models:
            return 200, {"id": name, **more}, self.behaviour.headers
        return 404, _error(f"The model '{name}' does not exist", "model_not_found"), {}

    async def completion(self, asked: dict[str, Any]) -> Reply:
        """A chat completion, or a failure."""
        now = self.behaviour
        self.requests += 1
        fault = self.fault()
        if now.bears and self.running > now.bears:
            self.turned_away += 1
            return 429, _error("Too many at once", "rate_limit_exceeded"), _after(now)
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
        if now.declines:
            return 400, {"detail": now.declines}, {}
        if "response_format" in asked and not now.options_known:
            return 400, _error("Unrecognized request argument: response_format", None), {}
        return self.answer(asked, fault)

    def answer(self, asked: dict[str, Any], fault: str) -> Reply:
        """What comes of a request that is heard."""
        now = self.behaviour
        texts, labels = _texts(asked), _labels(asked)
        if now.limit_refused and now.limit_refused in json.dumps(asked.get("response_format")):
            said = f"In context=('properties', 'labels'), '{now.limit_refused}' is not permitted."
            return 400, _error(f"Invalid schema for response_format 'labels': {said}", None), {}
        if now.limit_refused and "response_format" not in asked:
            fault = "chatty"
        if now.chatty_at_first and len(asked["messages"]) > 1:
            fault = "chatty"
        first = asked["messages"][0]["content"]
        many = any(words in first for words in ("any number of these", "JSON list of them"))
        joined = "\n".join(text for _, text in texts)
        if now.replies:
            self.paid.append([text for _, text in texts])
            return now.replies[0], now.replies[1], {}
        odd = now.odd_at_first.pop(texts[0][1], None)
        if odd is not None:
            return 200, odd, {}
        if now.longest and len(joined) > now.longest and now.too_long:
            return now.too_long[0], now.too_long[1], {}
        if now.longest and len(joined) > now.longest:
            said = "This model's maximum context length is smaller"
            return 400, _error(said, "context_length_exceeded"), {}
        if now.filtered and now.filtered in joined:
            return 400, _error("Blocked by content management policy", "content_filter"), {}
        if fault == "garbage":
            return 200, "<html>Bad gateway</html>", {}
        self.paid.append([text for _, text in texts])
        read, written = self.charge(len(texts))
        if fault == "lost":
            return 200, "<html>Bad gateway</html>", {}
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.said(texts, labels, fault, many),
        }
        if now.refuse and now.refuse in joined:
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        tokens = {"prompt_tokens": read, "completion_tokens": written}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        if now.logprobs and asked.get("logprobs"):
            chances = _list_chances if many else _chances
            choice["logprobs"] = {"content": chances(message["content"], labels)}
        reply: dict[str, Any] = {
            "id": "c",
            "object": "chat.completion",
            "choices": [choice],
            "usage": tokens,
        }
        if now.usage == "none":
            del reply["usage"]
        elif now.usage in ("negative", "huge"):
            times = -1_000_000 if now.usage == "negative" else 10**30
            reply["usage"] = {name: times * (count + 1) for name, count in tokens.items()}
        return 200, reply, {}

    def charge(self, texts: int) -> tuple[int, int]:
        """What a request about so many texts is charged with."""
        now, before = self.behaviour, len(self.charged)
        written = now.writes * texts + now.thinks + int(now.grows * before)
        written += now.longer if before % 10 == 9 else 0
        self.charged.append((now.reads * texts + now.reads_besides, min(now.at_most, written)))
        return self.charged[-1]

    async def response(self, asked: dict[str, Any]) -> Reply:
        """What other packages ask for: texts with numbers, as one response with as many labels."""
        self.requests += 1
        await asyncio.sleep(self.behaviour.latency)
        messages = json.loads(asked["input"])["user_messages"]
        labels = re.findall(r"\"enum\": (\[[^]]*\])", json.dumps(asked["text"]))
        names = json.loads(labels[0])
        self.paid.append([message["body"] for message in messages])
        rows = [
            {"id": message["id"], "body": {"label": right(message["body"], names)}}
            for message in messages
        ]
        said = json.dumps({"assistant_messages": rows})
        part = {"type": "output_text", "text": said, "annotations": []}
        message = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
        tokens = {"input_tokens": 10 * len(rows), "output_tokens": 2 * len(rows)}
        more = {"input_tokens_details": {"cached_tokens": 0}, "total_tokens": 12 * len(rows)}
        return (
            200,
            {
                "id": "r",
                "object": "response",
                "created_at": 0,
                "status": "completed",
                "model": asked["model"],
                "output": [{**message, "content": [part]}],
                "parallel_tool_calls": False,
                "tool_choice": "auto",
                "tools": [],
                "usage": {**tokens, **more, "output_tokens_details": {"reasoning_tokens": 0}},
            },
            {},
        )

    def of_files(self, name: str, body: bytes) -> Reply:
        """A file is taken, or its content given."""
        if name:
            return 200, self.files[name.removesuffix("/content")], {}
        name = f"file-{len(self.files)}"
        lines = body.decode().split("\r\n")
        self.files[name] = max(lines, key=len)
        return 200, {"id": name, "object": "file", "purpose": "batch", "bytes": len(body)}, {}

    def of_tunings(self, method: str, path: str, body: bytes) -> Reply:
        """Fine-tuning, or a failure of the network."""
        self.tuning_requests.append(f"{method} {path}")
        looks = [each for each in self.tuning_requests if each.startswith("GET")]
        if method == "GET" and len(looks) <= self.behaviour.tuning_broken:
            return 502, _error("Bad gateway", None), {}
        return self.tunings.reply(method, path, body, self.files, self.behaviour)

    def of_batches(self, method: str, name: str, body: bytes) -> Reply:
        """A batch is made, or looked at; the newest first."""
        if method == "POST":
            asked = json.loads(body)
            self.requests += 1
            name = f"batch-{len(self.batches)}"
            lines = self.files[asked["input_file_id"]].split("\n")
            counts = {"total": len(lines), "completed": 0, "failed": 0}
            more = {"id": name, "object": "batch", "created_at": 0, "request_counts": counts}
            self.batches[name] = {**asked, **more, "status": "in_progress"}
        if not name or name.startswith("?"):
            return 200, {"object": "list", "data": list(self.batches.values())[::-1]}, {}
        if name not in self.batches:
            return 404, _error(f"No such batch: {name}", None), {}
        if self.batches[name]["status"] == "in_progress" and method == "GET":
            self.batches[name] |= {"status": self.behaviour.batch, **self.over(self.batches[name])}
        return 200, self.batches[name], {}

    def over(self, batch: dict[str, Any]) -> dict[str, Any]:
        """What is new of a batch once it is over; an expired one has half of its answers."""
        if self.behaviour.batch == "in_progress":
            return {}
        if self.behaviour.batch == "failed":
            errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
            return {"errors": {"object": "list", "data": errors}}
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].split("\n")]
        fine: list[Any] = []
        bad: list[Any] = []
        for at, line in enumerate(lines):
            if self.behaviour.batch == "expired" and at >= len(lines) / 2:
                late = {"code": "batch_expired", "message": "This request could not be executed"}
                bad.append({"custom_id": line["custom_id"], "response": None, "error": late})
                continue
            fault = self.fault()
            status, content, _ = (
                (500, _error("The server had an error", None), {})
                if fault in ("busy", "broken", "silent")
                else self.answer(line["body"], fault)
            )
            response = {"status_code": status, "request_id": "r", "body": content}
            done = {"custom_id": line["custom_id"], "response": response, "error": None}
            (fine if status == 200 else bad).append(done)
        self.random.shuffle(fine)
        over: dict[str, Any] = {}
        for kind, found in (("output_file_id", fine), ("error_file_id", bad)):
            if found:
                over[kind] = f"file-{len(self.files)}"
                odd = self.behaviour.batch_lines if found is fine else []
                lines_of = [*odd, *(json.dumps(line) for line in found)]
                self.files[over[kind]] = "\n".join(lines_of) + "\n"
        counts = {"total": len(lines), "completed": len(fine), "failed": len(bad)}
        return {**over, "request_counts": counts, **self.behaviour.batch_state}

    def fault(self) -> str:
        """Which fault this request meets, if any."""
        drawn = self.random.random()
        for name in FAULTS:
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

        def of(text: str) -> dict[str, Any]:
            label = right(text, labels)
            if not many:
                return {"label": label}
            is_none = self.behaviour.nothing and self.behaviour.nothing in text
            return {"labels": [each for each in labels if each != label and not is_none]}

        if texts[0][0] is None:
            if many:
                return json.dumps(of(texts[0][1]))
            label = right(texts[0][1], labels)
            plain = self.behaviour.options_ignored or not self.behaviour.options_known
            return f"{label.title()}." if plain else json.dumps({"label": label})
        rows = [{"id": name, **of(text)} for name, text in texts]
        if fault == "partial":
            rows.pop()
        if fault == "strange":
            rows[0]["id"] = "nobody"
        self.random.shuffle(rows)
        return json.dumps({"answers": rows})


def _texts(asked: dict[str, Any]) -> list[tuple[str | None, str]]:
    said, _ = json.JSONDecoder().raw_decode(asked["messages"][-1]["content"])
    if "text" in said:
        return [(None, said["text"])]
    return [(row["id"], row["text"]) for row in said["texts"]]


def _labels(asked: dict[str, Any]) -> list[str]:
    first = asked["messages"][0]["content"]
    return [json.loads(found) for found in re.findall(r"^- (\"(?:[^\"\\]|\\.)*\")", first, re.M)]


def _chances(said: str | None, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Tokens of an answer: its label begins with a chance of .7, others share the rest."""
    label = next((name for name in labels if f'"{name}"' in (said or "")), None)
    if said is None or label is None:
        return []
    before, after = said.split(f'"{label}"')
    others = [
        {"token": name[:3], "logprob": math.log(0.7 if name == label else 0.3 / (len(labels) - 1))}
        for name in labels
    ]
    certain = [{"token": text, "logprob": 0.0, "top_logprobs": []} for text in (before + '"',)]
    first = {"token": label[:3], "logprob": math.log(0.7), "top_logprobs": others}
    rest = {"token": label[3:] + '"' + after, "logprob": 0.0, "top_logprobs": []}
    return [*certain, first, rest]


SURE, UNSURE = 0.99, 0.005  # chances of each label that is in a list, and that is not


def _list_chances(said: str | None, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Tokens of a list of labels in their order, of a model that decides on each by itself."""
    if said is None or not said.startswith('{"labels": ['):
        return []
    listed = json.loads(said)["labels"]
    likely = {name: SURE if name in listed else UNSURE for name in labels}
    tokens: list[dict[str, Any]] = [{"token": '{"labels": [', "logprob": 0.0}]
    left = list(labels)
    for place, name in enumerate([*listed, None]):
        chances, passed = dict[str, float](), 1.0
        for each in left:
            opens = "" if place == 0 else '", '
            chances[opens + json.dumps(each)[:-1]] = passed * likely[each]
            passed *= 1 - likely[each]
        end = "]}" if place == 0 else '"]}'
        chances[end] = passed
        written = end if name is None else ("" if place == 0 else '", ') + json.dumps(name)[:-1]
        others = [{"token": text, "logprob": math.log(p)} for text, p in chances.items()]
        tokens.append(
            {"token": written, "logprob": math.log(chances[written]), "top_logprobs": others}
        )
        left = left[left.index(name) + 1 :] if name is not None else []
    return tokens


def _error(message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "error", "code": code, "param": None}}


def _after(now: Behaviour) -> dict[str, str]:
    if now.asks is not None:
        return now.asks
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
            is_json = not isinstance(content, str) or content[:1] in ("{", "[")
            text = content if isinstance(content, str) else json.dumps(content)
            raw = text.encode("utf-8", "surrogateescape")
            kind = "application/json" if is_json else "text/plain"
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
