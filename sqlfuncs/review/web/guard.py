"""Who may see the page: links that work once, sessions, and what every answer forbids browsers.

A link's token is exchanged for a cookie; after that the link is worth nothing. All pages are
below a random path, and the cookie is for that path alone: cookies know no ports, so that one for
all of 127.0.0.1 would be sent to every other server on this machine. Elsewhere there is nothing
(404). Below the path, requests without the cookie, from another origin, or for another host's
name (DNS rebinding) get 403.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
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
    # To nobody but ourselves. With no-referrer, browsers would also hide the origin of our forms.
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
    message: str = ""
    is_bad_news: bool = False


def session_of(request: Request) -> Session:
    """Whose request it is: of one that was let in."""
    session = request.scope["session"]
    assert isinstance(session, Session)
    return session


@dataclass
class Guard:
    """An application for those who have a link to it, below a path that nobody can guess."""

    hosts: frozenset[str]  # names and port under which it may be asked for
    cookie: str
    app: ASGIApp = field(init=False)
    root: str = field(default_factory=lambda: f"/r/{secrets.token_urlsafe(32)}")
    _links: dict[str, str] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def link(self, reviewer: str) -> str:
        """A path that lets one browser in, once, as a reviewer.

        It does not tell the path of the pages: a link is an argument of the browser's process,
        which other users of the machine may see.
        """
        token = secrets.token_urlsafe(32)
        self._links[token] = reviewer
        return f"/?token={quote(token)}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may come in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if not self._is_below(scope["path"]):
            await self._outside(request)(scope, receive, _with_headers(send))
            return
        answer, session = self._refused(request), self._session(request)
        if answer is None and session is None:
            answer = PlainTextResponse(_USED, 403)
        if answer is None:
            # Pages do not know where they are: all their links are relative.
            path = scope["path"].removeprefix(self.root)
            scope = {**scope, "path": path, "raw_path": path.encode(), "session": session}
        await (answer or self.app)(scope, receive, _with_headers(send))

    def _is_below(self, path: str) -> bool:
        begin = f"{self.root}/"
        return hmac.compare_digest(path[: len(begin)].encode(), begin.encode())

    def _outside(self, request: Request) -> Response:
        nothing = Response(status_code=404)
        if request.method != "GET" or self._refused(request):
            return nothing
        if request.scope["path"] == self.root:
            return RedirectResponse(f"{self.root}/", 303)
        return self._entered(request) or nothing

    def _session(self, request: Request) -> Session | None:
        """Whose cookie it is. Another server on this machine may have set one of our name."""
        for part in "; ".join(request.headers.getlist("cookie")).split(";"):
            name, _, secret = part.strip().partition("=")
            if name == self.cookie and secret in self._sessions:
                return self._sessions[secret]
        return None

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
        given = request.query_params.get("token", "")
        if request.scope["path"] != "/" or not given:
            return None
        if _same(given, self._used):
            return PlainTextResponse(_USED, 403)
        token = _same(given, self._links)
        if token is None:
            return None
        self._used.add(token)
        secret = secrets.token_urlsafe(32)
        self._sessions[secret] = Session(self._links.pop(token))
        answer = RedirectResponse(f"{self.root}/", 303)
        answer.set_cookie(
            self.cookie, secret, max_age=_WEEK, path=self.root, httponly=True, samesite="strict"
        )
        return answer


def _same(given: str, known: Iterable[str]) -> str | None:
    """A token that is known, in a time that does not tell how much of it is right."""
    return next((t for t in known if hmac.compare_digest(t.encode(), given.encode())), None)


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return with_headers
