"""Calls of OpenAI's official client, its exceptions as `failures`. No message holds a key."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from sqlfuncs.llm.failures import Flaky, Unusable
from sqlfuncs.llm.openai_environment import timeout, where
from sqlfuncs.llm.openai_failures import failure
from sqlfuncs.llm.redaction import redacted

_CLOSING_SECONDS = 1.0


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
            reply = error.response
            raise failure(error.status_code, reply.content, reply.headers) from None
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
