"""`openai:MODEL`: OpenAI, or any server that speaks its language, by its official client.

The key is read from OPENAI_API_KEY and the server from OPENAI_BASE_URL, by the client; neither
is stored or shown. Servers understand different options: what one refuses is left out from then
on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

from sqlfuncs.llm import prompt
from sqlfuncs.llm.failures import Busy, Declined, Flaky, ProviderFailure, TooLong, Unusable
from sqlfuncs.llm.redaction import redacted
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answers import Answer

_TIMEOUT_SECONDS = 60.0  # SQLFUNCS_TIMEOUT_SECONDS says otherwise
_OPENAI = "https://api.openai.com/v1"
_TOO_LONG = ("context_length_exceeded", "context length", "maximum context", "too many tokens")
_NO_QUOTA = ("insufficient_quota", "billing_hard_limit_reached")
_OPTIONAL = ("response_format", "temperature", "seed")
_MODELS_SHOWN = 12


class OpenAIProvider:
    """A model behind the chat completions of an OpenAI-compatible server."""

    texts_at_once = 1

    def __init__(self, name: str) -> None:
        """`name` as the server calls the model. Raises Unusable for none."""
        if not name:
            raise Unusable("name the model: 'openai:MODEL', for example 'openai:gpt-5-mini'")
        self._name = name
        self._base_url = os.environ.get("OPENAI_BASE_URL") or _OPENAI
        self._refused: set[str] = set()
        self._checked: set[str] = set()
        self._clients: dict[str, Any] = {}
        self._lock, self._making = threading.Lock(), threading.Lock()

    @property
    def requests_at_once(self) -> int:
        """32, as hosted servers bear; SQLFUNCS_REQUESTS_AT_ONCE says otherwise."""
        return 32

    @property
    def identity(self) -> str:
        """The model, and the server if it is not OpenAI's."""
        url = urlsplit(self._base_url)
        port = f":{url.port}" if url.port else ""
        where = "" if self._base_url == _OPENAI else f"@{url.hostname}{port}{url.path}"
        return f"openai:{self._name}{where}"

    def check(self) -> None:
        """The server is there, takes the key and knows the model. Asked once a key."""
        redacted("")  # which takes note of the key
        key = os.environ.get("OPENAI_API_KEY", "")
        if not key:
            raise Unusable(
                "OPENAI_API_KEY is not set. Set it in the environment, before Python starts or by "
                "os.environ; a server that needs no key takes any text."
            )
        with self._lock:
            if key not in self._checked:
                self._look_up()
                self._checked.add(key)

    def ask(self, task: Task, texts: Sequence[str]) -> list[Answer]:
        """One request for all of the texts."""
        names = prompt.ids(len(texts)) if len(texts) > 1 else None
        body = self._request(task, texts, names)
        reply = self._reply(body)
        choice = reply["choices"][0]
        message = choice.get("message") or {}
        tokens = _tokens(reply.get("usage") or {})
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            why = message.get("refusal") or "the server's content filter"
            raise Declined(f"the model declined to answer: {redacted(str(why))[:200]}", *tokens)
        answers = prompt.read(task, str(message.get("content") or ""), names)
        return _with_tokens(answers, *tokens)

    def _request(
        self, task: Task, texts: Sequence[str], names: Sequence[str] | None
    ) -> dict[str, Any]:
        several = names is not None
        options: dict[str, Any] = {
            "temperature": 0,
            "seed": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "labels",
                    "strict": True,
                    "schema": prompt.schema(task, several),
                },
            },
        }
        return {
            "model": self._name,
            "messages": prompt.messages(task, texts, names),
            **{name: value for name, value in options.items() if name not in self._refused},
        }

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The server's reply as JSON; options that it refuses are left out."""
        while True:
            try:
                # The client's own typed reply takes twice the time, which 32 threads share.
                reply = self._called(
                    lambda: self._client.post("/chat/completions", cast_to=object, body=body)
                )
            except _OptionRefused as refused:
                if refused.option not in body:
                    raise Declined(refused.said) from None
                body.pop(refused.option)
                self._refused.add(refused.option)
                continue
            except _NotFound as error:
                raise Unusable(str(error)) from None
            except ValueError:  # it is called JSON, but is none
                reply = None
            with contextlib.suppress(LookupError, TypeError):
                if isinstance(reply["choices"][0], dict):
                    return cast("dict[str, Any]", reply)
            raise Flaky("the server's reply is not what a chat completion looks like")

    def _look_up(self) -> None:
        """Raise Unusable unless the server knows the key and the model."""
        try:
            self._called(lambda: self._client.models.retrieve(self._name))
        except (Flaky, Busy) as failure:
            if "cannot be reached" in str(failure):
                raise Unusable(str(failure)) from None
        except _NotFound:
            known = self._known_models()
            if known and self._name not in known:
                more = ", ..." if len(known) > _MODELS_SHOWN else ""
                raise Unusable(
                    f"the server has no model '{self._name}'. It has: "
                    f"{', '.join(known[:_MODELS_SHOWN])}{more}."
                ) from None
        except (_OptionRefused, TooLong):
            pass  # a server that does not tell about its models

    def _known_models(self) -> list[str]:
        try:
            page = self._called(lambda: self._client.models.list())
        except (ProviderFailure, _NotFound, _OptionRefused):
            return []
        return sorted(model.id for model in page.data or [])

    def _called(self, call: Callable[[], Any]) -> Any:
        """What a call of the client gives; its exceptions as ours."""
        import openai

        try:
            return call()
        except openai.APITimeoutError:
            raise Flaky(f"the server did not answer within {_timeout():g} s") from None
        except openai.APIConnectionError as error:
            reason = redacted(str(error.__cause__ or error))
            raise Flaky(f"the server at {self._where} cannot be reached: {reason}") from None
        except openai.APIStatusError as error:
            raise _failure(error) from None
        except openai.OpenAIError as error:
            raise Unusable(redacted(str(error))) from None

    @property
    def _where(self) -> str:
        url = urlsplit(self._base_url)
        return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}{url.path}"

    @property
    def _client(self) -> Any:
        """The client for the key that is set now."""
        key = os.environ.get("OPENAI_API_KEY", "")
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._made()
            return self._clients[key]

    def _made(self) -> Any:
        import openai

        # Retries are counted and waited for in one place, and that is not the client.
        return openai.OpenAI(base_url=self._base_url, max_retries=0, timeout=_timeout())


def _timeout() -> float:
    try:
        return float(os.environ.get("SQLFUNCS_TIMEOUT_SECONDS", _TIMEOUT_SECONDS))
    except ValueError:
        return _TIMEOUT_SECONDS


class _NotFound(Exception):
    """404: no such model, or no such page."""


class _OptionRefused(Exception):
    """The server does not know an option, or not this value of it."""

    def __init__(self, option: str, said: str) -> None:
        super().__init__(said)
        self.option = option
        self.said = said


def _failure(error: Any) -> Exception:
    """What is to be done about a reply that is an error."""
    status, text = error.status_code, _message(error)
    plain = text.casefold()
    said = f"the server said {status}: {redacted(text)[:300]}"
    if status in (401, 403):
        return Unusable(f"{said}. Is OPENAI_API_KEY right?")
    if status == 404:
        return _NotFound(said)
    if status == 429 and any(sign in plain for sign in _NO_QUOTA):
        return Unusable(said)
    if status == 429:
        return Busy(said, _seconds(error.response.headers))
    if status in (408, 409) or status >= 500:
        after = _seconds(error.response.headers)
        return Busy(said, after) if after else Flaky(said)
    if status == 413 or any(sign in plain for sign in _TOO_LONG):
        return TooLong(said)
    if "content_filter" in plain or "content management policy" in plain:
        return Declined(said)
    refused = next((option for option in _OPTIONAL if option in plain), None)
    return _OptionRefused(refused, said) if refused else Declined(said)


def _message(error: Any) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    parts = [str(body.get(name)) for name in ("message", "code", "param") if body.get(name)]
    return " ".join(parts) or str(error.message)


def _seconds(headers: Any) -> float | None:
    """How long the server asks to be left alone."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, ""))) * scale
        except ValueError:
            continue
    return None


def _tokens(usage: Mapping[str, Any]) -> tuple[int, int]:
    return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)


def _with_tokens(answers: Sequence[Answer], read: int, written: int) -> list[Answer]:
    """The tokens of a request, shared evenly; the first gets what is left over."""
    count = len(answers)
    return [
        replace(
            answer,
            input_tokens=read // count + (0 if at else read % count),
            output_tokens=written // count + (0 if at else written % count),
        )
        for at, answer in enumerate(answers)
    ]
