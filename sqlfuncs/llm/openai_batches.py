"""The batch endpoint of OpenAI's language: a file of requests in, a file of replies out, later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlfuncs.llm.failures import Flaky, ProviderFailure
from sqlfuncs.llm.openai_calls import Client, upload_seconds
from sqlfuncs.llm.openai_errors import is_error, shown_message
from sqlfuncs.llm.openai_failures import NotFound, OptionRefused, failure
from sqlfuncs.llm.openai_json import parsed
from sqlfuncs.llm.openai_replies import text_of
from sqlfuncs.llm.providers import Batch
from sqlfuncs.llm.redaction import shown
from sqlfuncs.store.answer_rows import Answer

_MOST_BYTES = 2**30  # of a file of replies
_DOWNLOAD_SECONDS = 1800.0  # that it may take; not so long between two of its bytes
_ENDPOINT = "/v1/chat/completions"
_MARK = "sqlfuncs"  # the name of what we write beside a batch, to know it again
_LATEST = 100  # batches that are looked through for it
_OVER = ("completed", "failed", "expired", "cancelled")
_SHOWN = 300


def hand_in(client: Client, requests: Mapping[str, Any], mark: str) -> str:
    """The id of a new batch of these requests, by name. Raises ProviderFailure."""
    lines = [
        {"custom_id": name, "method": "POST", "url": _ENDPOINT, "body": body}
        for name, body in requests.items()
    ]
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    given = ("sqlfuncs.jsonl", content.encode("utf-8", "replace"))
    file = _reply(
        client,
        lambda of: of.files.with_raw_response.create(file=given, purpose="batch"),
        within=upload_seconds(given[1]),
    )
    batch = _reply(
        client,
        lambda of: of.batches.with_raw_response.create(
            input_file_id=_name(file),
            endpoint=_ENDPOINT,
            completion_window="24h",
            metadata={_MARK: mark},
        ),
    )
    return _name(batch)


def find(client: Client, mark: str) -> str | None:
    """The id of the batch that was handed in under a mark, if it is among the latest."""
    latest = _reply(client, lambda of: of.batches.with_raw_response.list(limit=_LATEST)).get("data")
    for batch in latest if isinstance(latest, list) else ():
        if isinstance(batch, dict) and text_of(batch.get("metadata"), _MARK) == mark:
            return _name(batch)
    return None


def collect(client: Client, batch: str, read: Callable[[object], Answer]) -> Batch:
    """How far a batch is; once it is over, what came of each request. Raises ProviderFailure."""
    try:
        state = _reply(client, lambda of: of.batches.with_raw_response.retrieve(batch))
    except NotFound:
        return Batch(is_over=True, progress="is not known to the server any more")
    status = text_of(state, "status")
    progress = _progress(state) or shown(status or "in a state that it does not tell", _SHOWN)
    if status not in _OVER:
        return Batch(is_over=False, progress=progress)
    if status == "failed":
        return Batch(is_over=True, progress=f"failed: {_reasons(state)}")
    outcomes: dict[str, Answer | ProviderFailure] = {}
    for file in filter(None, (text_of(state, f"{kind}_file_id") for kind in ("output", "error"))):
        for line in _lines(_content(client, file)):
            outcomes[str(line["custom_id"])] = _outcome(line, read)
    return Batch(is_over=True, progress=f"{status}, {progress}", outcomes=outcomes)


def _reply(
    client: Client, call: Callable[[Any], Any], *, within: float | None = None
) -> Mapping[str, Any]:
    """What a call brings, an object. Raises ProviderFailure."""
    body = parsed(client.call(call, within=within).http_response.content)
    if not isinstance(body, dict):
        raise failure(None, body) if is_error(body) else Flaky("the server's reply is no object")
    return body


def _name(made: Mapping[str, Any]) -> str:
    name = text_of(made, "id")
    if not name:
        raise (
            failure(None, made)
            if is_error(made)
            else Flaky("the server does not name what it made")
        )
    return name


def _progress(state: Mapping[str, Any]) -> str:
    counts = state.get("request_counts")
    if not isinstance(counts, dict):
        return ""
    done, total = counts.get("completed"), counts.get("total")
    return f"{done:,} of {total:,} done" if type(done) is type(total) is int else ""


def _reasons(state: Mapping[str, Any]) -> str:
    errors = state.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else errors
    return shown_message(listed) or "the server does not say why"


def _content(client: Client, file: str) -> str:
    content = client.call(
        lambda of: of.files.content(file), within=_DOWNLOAD_SECONDS, most_bytes=_MOST_BYTES
    ).content
    return str(content.decode("utf-8", "replace"))


def _lines(content: str) -> Iterator[Mapping[str, Any]]:
    for text in content.split("\n"):
        line = parsed(text)
        if isinstance(line, dict) and isinstance(line.get("custom_id"), str):
            yield line  # whose any other was cannot be told: that text has no answer


def _outcome(line: Mapping[str, Any], read: Callable[[object], Answer]) -> Answer | ProviderFailure:
    response = line.get("response")
    try:
        if not isinstance(response, dict) or not response:
            why = text_of(line.get("error"), "message")
            return Flaky(shown(why or "the batch has no reply to this", _SHOWN))
        status = response.get("status_code")
        if status != 200:
            refused = failure(status if type(status) is int else 500, response.get("body"))
            if isinstance(refused, OptionRefused | NotFound):
                return Flaky(str(refused))
            return refused
        return read(response.get("body"))
    except (OptionRefused, NotFound) as caught:
        return Flaky(str(caught))
    except ProviderFailure as caught:
        return caught
