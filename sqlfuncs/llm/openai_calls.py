"""Calls of OpenAI's official client, its exceptions as `failures`. No message holds a key."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from sqlfuncs.llm.failures import (
    Busy,
    Declined,
    Filtered,
    Flaky,
    ProviderFailure,
    TooLong,
    Unusable,
)
from sqlfuncs.llm.openai_environment import timeout, where
from sqlfuncs.llm.redaction import redacted

_CLOSING_SECONDS = 1.0
_TOO_LONG = ("context_length_exceeded", "context length", "maximum context", "too many tokens")
_FILTERED = ("content_filter", "content management policy", "content policy")
_NO_QUOTA = ("insufficient_quota", "billing_hard_limit_reached")
# What a request can do without. What asks for another comes before it.
OPTIONAL = ("response_format", "temperature", "seed", "top_logprobs", "logprobs")


class NotFound(ProviderFailure):
    """404: no such model, or no such page."""


class OptionRefused(ProviderFailure):
    """The server does not know an option, or not this value of it."""

    def __init__(self, option: str, said: str) -> None:
        super().__init__(said)
        self.option = option


class Client:
    """The official client for one key, on the event loop that all of them share.

    Threads hand it their calls: on one loop, by aiohttp, a request takes two thirds of the
    processor time that it takes in a thread of its own.
    """

    def __init__(self, base_url: str, key: str) -> None:
        """Nothing is sent yet."""
        self._base_url = base_url
        self._loop = _loop(os.getpid())
        self._client = self._result(self._made(key))
        atexit.register(self._close)

    def call(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        """What a call of the client gives. Raises ProviderFailure."""
        import openai

        try:
            return self._result(call(self._client))
        except openai.APIConnectionError as error:
            # Its transport calls a connection that is refused a timeout, too.
            is_connected = type(error.__cause__).__name__ != "ConnectTimeout"
            if isinstance(error, openai.APITimeoutError) and is_connected:
                raise Flaky(f"the server did not answer within {timeout():g} s") from None
            place, reason = where(self._base_url), redacted(str(error.__cause__ or error))
            # aiohttp says of any connection how it would be encrypted.
            reason = reason.replace(" ssl:default", "").removesuffix(" [None]")
            raise Flaky(
                f"the server at {place} cannot be reached: {reason}. Is OPENAI_BASE_URL right, "
                "from http:// or https:// to, mostly, /v1?"
            ) from None
        except openai.APIStatusError as error:
            body = error.body if isinstance(error.body, dict) else {}
            said = {**body, "message": body.get("message") or body.get("detail") or error.message}
            raise failure(error.status_code, said, error.response.headers) from None
        except openai.OpenAIError as error:
            raise Unusable(redacted(str(error))) from None

    async def _made(self, key: str) -> Any:
        import openai

        return openai.AsyncOpenAI(
            base_url=self._base_url,
            api_key=key,
            max_retries=0,  # they are counted and waited for in one place, and that is not here
            timeout=timeout(),
            http_client=openai.DefaultAioHttpClient(),
        )

    def _result(self, awaited: Awaitable[Any]) -> Any:
        async def result() -> Any:
            return await awaited

        return asyncio.run_coroutine_threadsafe(result(), self._loop).result()

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # it is of no use any more, whatever is wrong with it
            awaited = asyncio.run_coroutine_threadsafe(self._client.close(), self._loop)
            awaited.result(timeout=_CLOSING_SECONDS)


@cache
def _loop(process: int) -> asyncio.AbstractEventLoop:  # a forked process has none of its parent's
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="sqlfuncs-openai", daemon=True).start()
    return loop


def failure(status: int, error: Mapping[str, Any], headers: Mapping[str, str]) -> ProviderFailure:
    """What is to be done about a reply with a status that is no success."""
    text = " ".join(str(error[name]) for name in ("message", "code", "param") if error.get(name))
    plain = text.casefold()
    said = f"the server said {status}: {redacted(text)[:300]}"
    if status == 413 or any(sign in plain for sign in _TOO_LONG):
        return TooLong(said)
    refused = next((option for option in OPTIONAL if option in plain), None)
    if status in (400, 403, 422) and refused:
        return OptionRefused(refused, said)
    if status in (401, 403):
        return Unusable(f"{said}. Is OPENAI_API_KEY right?")
    if status == 404:
        return NotFound(said)
    if status == 429 and any(sign in plain for sign in _NO_QUOTA):
        return Unusable(said)
    if status == 429:
        return Busy(said, _seconds(headers))
    if status in (408, 409) or status >= 500:
        after = _seconds(headers)
        return Busy(said, after) if after else Flaky(said)
    return Filtered(said) if any(sign in plain for sign in _FILTERED) else Declined(said)


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to be left alone."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, ""))) * scale
        except ValueError:
            continue
    return None
