"""A server on loopback that sends what a test has written, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Serve = Callable[[socket.socket, str, int], None]


class RawServer:
    """What was asked of it: the first line of each request, and when it is at an end."""

    def __init__(self, serve: Serve) -> None:
        """`serve` gets a connection, the path and how many requests to it came before."""
        self.requests: list[tuple[str, bytes]] = []
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more is heard, and what is open breaks off."""
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            read = connection.makefile("rb")
            while line := read.readline().decode("latin-1"):
                length = 0
                while (header := read.readline().strip()) != b"":
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                path = line.split(" ")[1]
                count = sum(path == before for before, _ in self.requests)
                self.requests.append((path, read.read(length)))
                self._serve(connection, path, count)

    @property
    def asked(self) -> int:
        """How many completions it was asked for."""
        return sum("completions" in path for path, _ in self.requests)


@contextmanager
def serving(serve: Serve) -> Iterator[RawServer]:
    """A server for a while."""
    server = RawServer(serve)
    try:
        yield server
    finally:
        server.close()


def reply(body: str | bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A reply that is right."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(raw)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


MODEL = reply('{"id": "m", "object": "model"}')
ANSWER = reply(
    '{"choices": [{"message": {"content": "{\\"label\\": \\"polite\\"}"}}], '
    '"usage": {"prompt_tokens": 10, "completion_tokens": 2}}'
)
