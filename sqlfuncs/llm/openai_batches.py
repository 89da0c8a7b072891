"""The batch endpoint of OpenAI's language: a file of requests in, a file of replies out, later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlfuncs.llm.failures import Flaky, ProviderFailure
from sqlfuncs.llm.openai_calls import (
    Client,
    NotFound,
    OptionRefused,
    failure,
    upload_seconds,
)
from sqlfuncs.llm.providers import Batch
from sqlfuncs.llm.redaction import redacted
from sqlfuncs.store.answers import Answer

_MOST_BYTES = 2**30  # of a file of replies
_DOWNLOAD_SECONDS = 1800.0  # that it may take; not so long between two of its bytes
_ENDPOINT = "/v1/chat/completions"
_MARK = "sqlfuncs"  # the name of what we write beside a batch, to know it again
_LATEST = 100  # batches that are looked through for it
_OVER = ("completed", "failed", "expired", "cancelled")


def hand_in(client: Client, requests: Mapping[str, Any], mark: str) -> str:
    """The id of a new batch of these requests, by name. Raises ProviderFailure."""
    lines = [
        {"custom_id": name, "method": "POST", "url": _ENDPOINT, "body": body}
        for name, body in requests.items()
    ]
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    file = client.call(
        lambda openai: openai.files.create(file=("sqlfuncs.jsonl", content), purpose="batch"),
        within=upload_seconds(content),
    )
    batch = client.call(
        lambda openai: openai.batches.create(
            input_file_id=file.id,
            endpoint=_ENDPOINT,
            completion_window="24h",
            metadata={_MARK: mark},
        )
    )
    return str(batch.id)


def find(client: Client, mark: str) -> str | None:
    """The id of the batch that was handed in under a mark, if it is among the latest."""
    latest = client.call(lambda openai: openai.batches.list(limit=_LATEST)).data
    return next((str(b.id) for b in latest if (b.metadata or {}).get(_MARK) == mark), None)


def collect(client: Client, batch: str, read: Callable[[Mapping[str, Any]], Answer]) -> Batch:
    """How far a batch is; once it is over, what came of each request. Raises ProviderFailure."""
    try:
        state = client.call(lambda openai: openai.batches.retrieve(batch))
    except NotFound:
        return Batch(is_over=True, progress="is not known to the server any more")
    counts = state.request_counts
    progress = f"{counts.completed:,} of {counts.total:,} done" if counts else str(state.status)
    if state.status not in _OVER:
        return Batch(is_over=False, progress=progress)
    if state.status == "failed":
        said = [str(error.message) for error in (state.errors and state.errors.data) or []]
        progress = redacted("; ".join(said) or "the server does not say why")[:300]
        return Batch(is_over=True, progress=f"failed: {progress}")
    outcomes: dict[str, Answer | ProviderFailure] = {}
    for file in filter(None, (state.output_file_id, state.error_file_id)):
        content = _content(client, file)
        for line in _lines(content):
            outcomes[str(line["custom_id"])] = _outcome(line, read)
    return Batch(is_over=True, progress=f"{state.status}, {progress}", outcomes=outcomes)


def _content(client: Client, file: str) -> str:
    found = client.call(
        lambda openai: openai.files.content(file),
        within=_DOWNLOAD_SECONDS,
        most_bytes=_MOST_BYTES,
    )
    return str(found.text)


def _lines(content: str) -> Iterator[Mapping[str, Any]]:
    for text in content.split("\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue  # whose it was cannot be told: that text has no answer
        if isinstance(line, dict) and "custom_id" in line:
            yield line


def _outcome(
    line: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Answer]
) -> Answer | ProviderFailure:
    response = line.get("response")
    try:
        if not response:
            why = (line.get("error") or {}).get("message")
            return Flaky(redacted(str(why or "the batch has no reply to this")))
        body = response.get("body") or {}
        if response.get("status_code") != 200:
            refused = failure(int(response.get("status_code") or 500), body.get("error") or {}, {})
            return Flaky(str(refused)) if isinstance(refused, OptionRefused) else refused
        return read(body)
    except ProviderFailure as caught:
        return caught
    except (AttributeError, TypeError, ValueError):
        return Flaky("the batch's reply is not what a chat completion looks like")
