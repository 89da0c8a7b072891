"""The review server, in a process of its own or in this one, and what a browser says to it."""

from __future__ import annotations

import http.client
import json
import re
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as field_
from html import unescape
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import duckdb

from sqlfuncs.cli.review import listening_at, web_server
from sqlfuncs.cli.run import opened
from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
from sqlfuncs.review.review import BACKGROUND, Review
from sqlfuncs.review.web.app import guarded


@dataclass
class Answer:
    """What the server answered."""

    status: int
    text: str
    headers: dict[str, str]


class Browser:
    """Opens a link; keeps the cookie and the connection, and follows redirects."""

    def __init__(self, link: str) -> None:
        self.host = urlsplit(link).netloc
        self.connection = http.client.HTTPConnection(self.host)
        self.connection.connect()
        # As browsers do: a form's head and body do not wait for one another.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = {"Origin": f"http://{self.host}"}
        self.root = ""  # below which all pages are
        entered = self.ask("GET", link.partition(self.host)[2])
        self.headers["Cookie"] = entered.headers.get("set-cookie", "").partition(";")[0]
        self.root = entered.headers.get("location", "").removesuffix("/")
        self.entered = entered

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, as it is, of a page of the review."""
        body = urlencode(form, doseq=True) if form is not None else None
        headers = self.headers if headers is None else headers
        # As browsers do: what was idle for long may have been closed, and then has its end to read.
        if self.connection.sock and select.select([self.connection.sock], [], [], 0)[0]:
            self.connection.close()
        self.connection.request(method, self.root + path, body, headers)
        try:
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            if method != "GET":
                raise
            self.connection.close()  # it was closed since
            self.connection.request(method, self.root + path, body, headers)
            answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return Answer(answer.status, text, {k.lower(): v for k, v in answer.getheaders()})

    def get(self, path: str = "/") -> str:
        """A page."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.text

    def encoded(self, form: Mapping[str, object]) -> str:
        """A form as it stands in an address."""
        return urlencode(form, doseq=True)

    def post(self, path: str, **form: object) -> str:
        """The page after a deed."""
        answer = self.ask("POST", path, form)
        assert answer.status == 303, answer
        assert answer.headers["location"].startswith("./"), answer
        return self.get(answer.headers["location"].removeprefix("."))

    def decide(self, page: str, action: str, **more: str) -> str:
        """The page after a decision about the row of a page."""
        form = {"row": field(page, "row"), "seen": field(page, "seen"), "action": action}
        return self.post("/decide", **{**form, **more})

    def relabel(self, page: str, label: str, **more: str) -> str:
        """The page after giving the row of a page a label."""
        return self.decide(page, "relabel", label=code(page, label), **more)

    def pulse(self, page: str = "") -> dict[str, Any]:
        """What an open page is told now and then."""
        row = field(page, "row") if page else ""
        found: dict[str, Any] = json.loads(self.get(f"/pulse?row={row}"))
        return found


def field(page: str, name: str) -> str:
    """The first field of a name in a page that is about the row: before that, filters stand."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page[page.index("<main") :])
    assert found is not None, page
    return unescape(found[1])


def shown_key(page: str) -> str:
    """The key of the row that a page is about."""
    found = re.search(r'<article class="row" data-row="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def code(page: str, label: str) -> str:
    """What the filter of a page sends for a label."""
    options = re.findall(r'<option value="(\d+)" (?:selected)?>([^<]*)</option>', page)
    return str(next(value for value, text in options if unescape(text) == label))


@dataclass
class Served:
    """A review that is served, and its links, by reviewer."""

    db: Path
    links: dict[str, str]
    browsers: list[Browser] = field_(default_factory=list)

    def browser(self, reviewer: str = "ann") -> Browser:
        """Open a reviewer's link."""
        return self.open(self.links[reviewer])

    def open(self, link: str) -> Browser:
        """Open a link."""
        self.browsers.append(Browser(link))
        return self.browsers[-1]

    def log(self, columns: str = "key, action, decided_by") -> list[tuple[object, ...]]:
        """What the log has."""
        raise NotImplementedError

    def leave(self) -> None:
        """Close what browsers hold."""
        for browser in self.browsers:
            browser.connection.close()


@dataclass
class Server(Served):
    """The program, which is served by a process of its own."""

    process: subprocess.Popen[str] = field_(kw_only=True)

    def log(self, columns: str = "key, action, decided_by") -> list[tuple[object, ...]]:
        """Kill the server (-9), and read what the log has, as anybody reads a file."""
        self.process.kill()
        self.process.wait()
        with duckdb.connect(str(self.db), read_only=True) as con:
            return _log(con, columns)


@dataclass
class Here(Served):
    """A review that threads of this process answer for."""

    con: duckdb.DuckDBPyConnection = field_(kw_only=True)

    def log(self, columns: str = "key, action, decided_by") -> list[tuple[object, ...]]:
        """What has been committed, as another connection sees it."""
        return _log(self.con.cursor(), columns)


def _log(con: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[object, ...]]:
    return list(con.execute(f"SELECT {columns} FROM decisions ORDER BY decided_at, key").fetchall())


@contextmanager
def reviewing(db: Path, x: str = "probs", text: str = "text") -> Iterator[Here]:
    """Serve the table `train` from this process, as `serving` does in a third of the time."""
    with opened(str(db)) as con:
        source = ReviewedTable(
            con, table="train", text=text, label="label", key="id", x=x, log="decisions",
            model="fast",
        )  # fmt: skip
        review = Review(source)
        with listening_at(0) as listening:
            port = listening.getsockname()[1]
            guard = guarded(review, "127.0.0.1", port)
            links = {who: f"http://127.0.0.1:{port}{guard.link(who)}" for who in ("ann", "bob")}
            review.look_around()
            server = web_server(guard)
            running = threading.Thread(target=server.run, args=([listening],))
            running.start()
            found = Here(db, links, con=con)
            try:
                yield found
            finally:
                found.leave()
                server.should_exit = True
                running.join()
                for thread in threading.enumerate():
                    if thread.name == BACKGROUND:
                        thread.join()


@contextmanager
def serving(
    db: Path,
    *options: str,
    reviewers: tuple[str, ...] = ("ann", "bob"),
    text: str = "text",
    stderr: IO[str] | None = None,
) -> Iterator[Server]:
    """Serve the table `train`, whose columns have the usual names, until the end of the block."""
    for reviewer in reviewers:
        options += ("--reviewer", reviewer)
    process = subprocess.Popen(
        [sys.executable, "-m", "sqlfuncs.cli", "review", str(db), "--text", text, "--port", "0",
         "--no-browser", *options],
        stdout=subprocess.PIPE, stderr=stderr, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in reviewers]
        links = {who: line.rpartition(" ")[2] for who, line in zip(reviewers, lines, strict=True)}
        server = Server(db, links, process=process)
        yield server
        server.leave()
    finally:
        process.terminate()
        try:
            process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
