"""What a server may send that is no reply: it ends no query, and takes neither time nor room."""

from __future__ import annotations

import gzip
import resource
import socket
import time
from collections.abc import Callable

import duckdb
import pytest

from sqlfuncs.llm import asking, expected, providers, run, usage
from tests.llm.raw_server import ANSWER, MODEL, RawServer, Serve, reply, serving
from tests.waiting import patient

LABELS = ["polite", "impolite"]
RESULT = f"llm_classify_result(text, {LABELS}, model := 'openai:m')"


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    monkeypatch.setattr(run, "_ATTEMPTS", 2)
    providers.provider.cache_clear()
    run._limiters.clear()
    expected.forget()
    asking.forget_failures()


def _rows(con: duckdb.DuckDBPyConnection, count: int = 4) -> list[str | None]:
    """The errors of so many rows."""
    texts = f"(SELECT 'text ' || i AS text FROM range({count}) r(i))"
    with usage.afresh():
        rows = con.execute(f"SELECT ({RESULT}).error FROM {texts}").fetchall()
    return [error for (error,) in rows]


def _but_look_up(send: Callable[[socket.socket], None]) -> Serve:
    def serve(connection: socket.socket, path: str, count: int) -> None:
        if "completions" in path:
            send(connection)
        else:
            connection.sendall(MODEL)

    return serve


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.1)


def test_a_reply_that_drips_ends_when_its_time_is_over(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_TIMEOUT_SECONDS", "1")
    with serving(_but_look_up(_drip)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        begun = time.monotonic()
        assert _rows(con) == ["the server did not answer within 1 s"] * 4
        assert time.monotonic() - begun < patient(10)  # without a limit it never ends
        assert server.asked == 8


def test_a_look_up_that_drips_ends_too(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_TIMEOUT_SECONDS", "1")

    def serve(connection: socket.socket, path: str, count: int) -> None:
        if "completions" in path:
            connection.sendall(ANSWER)
        else:
            _drip(connection)

    with serving(serve) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert _rows(con) == [None] * 4


def _bomb(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" " * 2**20)


_PACKED = gzip.compress(b" " * 200 * 2**20, 9)


@pytest.mark.parametrize(
    "send",
    [
        _bomb,
        lambda connection: connection.sendall(reply(_PACKED, content_encoding="gzip")),
        lambda connection: connection.sendall(
            reply(_PACKED, "500 Internal Server Error", content_encoding="gzip")
        ),
    ],
    ids=["plain", "gzip", "gzip, an error"],
)
def test_a_reply_without_end_is_not_read_on(
    con: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    send: Callable[[socket.socket], None],
) -> None:
    with serving(_but_look_up(send)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        errors = _rows(con, 1)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert errors == ["the server's reply is longer than 16 MB, and was not read on"]
    assert grown < 120  # MB; of 200 that were sent


def test_a_reply_in_gzip_is_read(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = ANSWER.partition(b"\r\n\r\n")[2]
    packed = reply(gzip.compress(body), content_encoding="gzip")
    with serving(_but_look_up(lambda connection: connection.sendall(packed))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert _rows(con) == [None] * 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_text_is_sent_to_another_server(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, status: int, host: str
) -> None:
    with serving(lambda connection, path, count: connection.sendall(ANSWER)) as other:
        to = f"http://{host}:{other.port}/v1/chat/completions"
        moved = reply("{}", f"{status} Moved", location=to)
        with serving(_but_look_up(lambda connection: connection.sendall(moved))) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            errors = _rows(con)
    assert other.requests == []
    assert all(f"it wants requests to be sent to {to}" in str(error) for error in errors)


def test_a_server_may_send_on_to_itself(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(connection: socket.socket, path: str, count: int) -> None:
        if path == "/v1/chat/completions":
            connection.sendall(reply("{}", "307 Moved", location="/v1/here/completions"))
        elif path == "/v1/here/completions":
            connection.sendall(ANSWER)
        else:
            connection.sendall(MODEL)

    with serving(serve) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert _rows(con) == [None] * 4


def test_a_server_that_sends_on_and_on(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = reply("{}", "307 Moved", location="/v1/chat/completions")
    with serving(_but_look_up(lambda connection: connection.sendall(moved))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert "again and again" in str(_rows(con, 1)[0])


_MANY = b"".join(b"x-%d: y\r\n" % number for number in range(3000))
NO_REPLIES = {
    "no status": b"nonsense\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "3,000 headers": b"HTTP/1.1 200 OK\r\n" + _MANY + b"content-length: 2\r\n\r\n{}",
    "a long header": b"HTTP/1.1 200 OK\r\nx: "
    + b"y" * 100_000
    + b"\r\ncontent-length: 2\r\n\r\n{}",
    "a header that is none": b"HTTP/1.1 200 OK\r\n\x00\x01\r\ncontent-length: 2\r\n\r\n{}",
    "cut short": b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{",
    "chunks of no length": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "no gzip": reply(b"no gzip at all", content_encoding="gzip"),
    "another encoding": reply(b"{}", content_encoding="strange"),
    "no JSON": reply(b"<html>"),
    "no UTF-8": reply(b'{"choices": "\xff\xfe"}'),
    "deep JSON": reply("[" * 100_000 + "]" * 100_000),
    "a number without end": reply('{"choices": ' + "9" * 10_000 + "}"),
    "nothing": b"",
}


@pytest.mark.parametrize("what", NO_REPLIES)
@pytest.mark.parametrize("of_look_up", [False, True], ids=["completion", "look-up"])
def test_what_is_no_reply_is_the_error_of_its_row(
    con: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    of_look_up: bool,
) -> None:
    def serve(connection: socket.socket, path: str, count: int) -> None:
        is_completion = "completions" in path
        if is_completion and b"text 1" in server.requests[-1][1]:
            pass
        elif is_completion or not of_look_up:
            connection.sendall(ANSWER if is_completion else MODEL)
            return
        connection.sendall(NO_REPLIES[what])
        connection.shutdown(socket.SHUT_RDWR)

    server: RawServer
    with serving(serve) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        try:
            errors = _rows(con)
        except duckdb.Error as error:
            # Where nothing is heard at all, nothing is asked; that is no fault of ours either.
            assert of_look_up
            assert "ModelUnusable" in str(error)
            assert "cannot be reached" in str(error)
            return
    assert [error is None for error in errors] == [True, False, True, True]
