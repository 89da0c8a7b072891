"""Calls of OpenAI's official client, its exceptions as `failures`. No message holds a key."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from typing import Any

from sqlfuncs.llm.failures import Flaky, Unusable
from sqlfuncs.llm.openai_environment import timeout, where
from sqlfuncs.llm.openai_failures import failure
from sqlfuncs.llm.redaction import redacted

_CLOSING_SECONDS = 1.0
_BYTES_PER_SECOND = 50_000  # that a line takes at least


class Client:
    """The official client for one key, on the event loop that all of them share.

    Threads hand it their calls: on one loop, by aiohttp, a request takes two thirds of the
    processor time that it takes in a thread of its own.
    """

    def __init__(self, base_url: str, key: str) -> None:
        """Nothing is sent yet."""
        self._base_url = base_url
        self._loop = _loop(os.getpid())
        self._client = self._on_loop(self._made(key))
        atexit.register(self._close)

    def call(
        self,
        call: Callable[[Any], Awaitable[Any]],
        *,
        within: float | None = None,
        most_bytes: int | None = None,
    ) -> Any:
        """What a call of the client gives. Raises ProviderFailure.

        `within` so many seconds, those of one request unless it is said; the reply has
        `most_bytes`, unpacked, those of a chat completion unless it is said.
        """
        import openai

        from sqlfuncs.llm.openai_transport import MOST_BYTES, Elsewhere, TooMuch

        seconds = within or timeout()
        try:
            return self._result(call, seconds, most_bytes or MOST_BYTES)
        except openai.APIConnectionError as error:
            # Its transport calls a connection that is refused a timeout, too.
            is_connected = type(error.__cause__).__name__ != "ConnectTimeout"
            if isinstance(error, openai.APITimeoutError) and is_connected:
                raise self._too_slow(seconds) from None
            if isinstance(error.__cause__, Elsewhere):
                raise self._elsewhere(error.__cause__) from None
            if isinstance(error.__cause__, TooMuch):
                raise self._too_much(most_bytes or MOST_BYTES) from None
            if type(error.__cause__).__name__ in ("ReadError", "DecodingError"):
                what = redacted(str(error.__cause__))[:300]
                raise Flaky(f"the server broke off its reply: {what}", was_received=True) from None
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
        except TimeoutError:
            raise self._too_slow(seconds) from None
        except Elsewhere as error:
            raise self._elsewhere(error) from None
        except TooMuch:
            raise self._too_much(most_bytes or MOST_BYTES) from None
        except Exception as error:  # of the transport, of JSON: whatever a server may send
            what = redacted(f"{type(error).__name__}: {error}")[:300]
            raise Flaky(f"the server's reply cannot be read: {what}", was_received=True) from None

    def _too_slow(self, seconds: float) -> Flaky:
        return Flaky(f"the server did not answer within {seconds:g} s", was_received=True)

    def _elsewhere(self, error: Exception) -> Flaky:
        return Flaky(
            f"the server at {where(self._base_url)} cannot be reached: it wants requests to be "
            f"sent to {redacted(str(error))[:200]}, and no text is sent to another server unless "
            "OPENAI_BASE_URL names it"
        )

    def _too_much(self, most: int) -> Flaky:
        return Flaky(
            f"the server's reply is longer than {most // 2**20:,} MB, and was not read on",
            was_received=True,
        )

    async def _made(self, key: str) -> Any:
        import openai

        from sqlfuncs.llm.openai_transport import HttpClient

        return openai.AsyncOpenAI(
            base_url=self._base_url,
            api_key=key,
            max_retries=0,  # they are counted and waited for in one place, and that is not here
            timeout=timeout(),
            http_client=HttpClient(),
        )

    def _result(
        self, call: Callable[[Any], Awaitable[Any]], seconds: float, most_bytes: int
    ) -> Any:
        async def result() -> Any:
            from sqlfuncs.llm import openai_transport

            openai_transport.most_bytes.set(most_bytes)
            # The client's own limit is between two bytes: a reply that drips would have no end.
            return await asyncio.wait_for(call(self._client), seconds)

        return self._on_loop(result())

    def _on_loop(self, awaited: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(awaited, self._loop).result()

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # it is of no use any more, whatever is wrong with it
            awaited = asyncio.run_coroutine_threadsafe(self._client.close(), self._loop)
            awaited.result(timeout=_CLOSING_SECONDS)


@cache
def _loop(process: int) -> asyncio.AbstractEventLoop:  # a forked process has none of its parent's
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="sqlfuncs-openai", daemon=True).start()
    return loop


def upload_seconds(content: bytes) -> float:
    """How long sending this may take, besides what any request may."""
    return timeout() + len(content) / _BYTES_PER_SECOND
