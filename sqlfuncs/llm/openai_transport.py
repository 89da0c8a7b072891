"""How the official client reaches a server: nowhere else, and not for more than fits. Uses openai.

A server that is broken, or is not the one that was meant, may send a reply without end, or send
the request, with texts in it, on to another host.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import httpx2
import openai

MOST_BYTES = 16 * 2**20  # of a reply, unpacked
most_bytes: ContextVar[int] = ContextVar("most_bytes", default=MOST_BYTES)
_MOST_REDIRECTS = 5
_ABOUT_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")


class Elsewhere(Exception):
    """The server wants the request to be sent to another one; says which."""


class TooMuch(Exception):
    """A reply is longer than any should be; says how many bytes were read."""


class HttpClient(openai.DefaultAioHttpClient):
    """Requests by aiohttp, whose replies are read up to `most_bytes`."""

    async def send(
        self,
        request: httpx2.Request,
        *,
        stream: bool = False,
        follow_redirects: Any = None,
        **more: Any,
    ) -> httpx2.Response:
        """The reply, read. Raises Elsewhere and TooMuch."""
        for _ in range(_MOST_REDIRECTS):
            response = await super().send(request, stream=True, follow_redirects=False, **more)
            if not response.has_redirect_location:
                return await _read(response)
            await response.aclose()
            onwards = response.next_request
            if onwards is None or _server(onwards.url) != _server(request.url):
                raise Elsewhere(response.headers["location"])
            request = onwards
        raise Elsewhere(f"{request.url}, again and again")


def _server(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _read(response: httpx2.Response) -> httpx2.Response:
    """The same reply with its body, unpacked."""
    most, parts, length = most_bytes.get(), [], 0
    try:
        async for part in response.aiter_bytes():
            length += len(part)
            if length > most:
                raise TooMuch(length)
            parts.append(part)
    finally:
        await response.aclose()
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in _ABOUT_THE_BODY
    ]
    return httpx2.Response(
        response.status_code,
        headers=headers,
        content=b"".join(parts),
        request=response.request,
        extensions=response.extensions,
    )
