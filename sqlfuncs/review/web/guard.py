"""Who may see the page: links that work once, sessions, and what every answer forbids browsers.

A link's token is exchanged for a cookie; after that the link is worth nothing. Requests without
the cookie, from another origin, or for another host's name (DNS rebinding) get 403.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WEEK = 7 * 24 * 3600
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src "
    "'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_USED = (
    "This page is for those who were given a link to it, and a link works once. Somebody who is on "
    "the page can make you another one, under Progress; or end sqlfuncs review with Ctrl-C and "
    "start it again: every decision is kept."
)
_FOREIGN = "This request came from another page. Nothing was done."


@dataclass
class Session:
    """Somebody who opened a link: who it is, and what is to be said on the next page."""

    reviewer: str
    said: str = ""
    is_bad_news: bool = False


def session_of(request: Request) -> Session:
    """Whose request it is: of one that was let in."""
    session = request.scope["session"]
    assert isinstance(session, Session)
    return session


@dataclass
class Guard:
    """An application for those who have a link to it."""

    hosts: frozenset[str]  # names and port under which it may be asked for
    cookie: str
    app: ASGIApp = field(init=False)
    _links: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def link(self, reviewer: str) -> str:
        """A path that lets one browser in, once, as a reviewer."""
        token = secrets.token_urlsafe(32)
        self._links[token] = reviewer
        return f"/?token={quote(token)}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may come in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = self._refused(request) or self._entered(request)
        if answer is None:
            session = self._sessions.get(request.cookies.get(self.cookie, ""))
            if session is None:
                answer = PlainTextResponse(_USED, 403)
            else:
                scope["session"] = session
        await (answer or self.app)(scope, receive, _with_headers(send))

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self.hosts:
            return PlainTextResponse(_FOREIGN, 403)
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("origin")
        ours = {f"http://{host}" for host in self.hosts}
        # Browsers say where a form was sent from; what says nothing is no browser of ours.
        return None if origin in ours else PlainTextResponse(_FOREIGN, 403)

    def _entered(self, request: Request) -> Response | None:
        given = request.query_params.get("token")
        if given is None or request.method != "GET":
            return None
        token = next(
            (t for t in self._links if hmac.compare_digest(t.encode(), given.encode())), ""
        )
        if not token:
            return None
        secret = secrets.token_urlsafe(32)
        self._sessions[secret] = Session(self._links.pop(token))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self.cookie, secret, max_age=_WEEK, path="/", httponly=True, samesite="strict"
        )
        return answer


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return with_headers
