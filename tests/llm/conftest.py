"""The fault server as a fixture: one process for a test session, reset for each test."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sqlfuncs.llm import asking, expected, providers, run, usage
from tests.llm.fault_server import KEY


class FaultServer:
    """How a test talks to the server, apart from what it tests."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {"OPENAI_BASE_URL": f"{self.url}/v1", "OPENAI_API_KEY": KEY}

    def behave(self, **behaviour: object) -> None:
        """Set what it does; its log is empty after, and what failed before is asked again."""
        asking.forget_failures()
        self._call("/control", json.dumps(behaviour).encode())

    def forget(self) -> None:
        """Batches and files are gone."""
        self._call("/forget", b"")

    @property
    def log(self) -> dict[str, Any]:
        """What it has done since."""
        log: dict[str, Any] = json.loads(self._call("/log"))
        return log

    @property
    def count(self) -> int:
        """How many texts have been paid for."""
        return int(json.loads(self._call("/count"))["paid"])

    @property
    def paid(self) -> list[str]:
        """Every text of every answer that is paid for."""
        return [text for texts in self.log["paid"] for text in texts]

    def _call(self, path: str, body: bytes | None = None) -> bytes:
        with urllib.request.urlopen(self.url + path, body, timeout=300) as reply:
            answer: bytes = reply.read()
        return answer


@contextmanager
def serving() -> Iterator[FaultServer]:
    """A server in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.llm.fault_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        yield FaultServer(int(process.stdout.readline()))
        process.stdin.close()
        process.wait(timeout=300)


@pytest.fixture(scope="session")
def _process() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(_process: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """The server, as OPENAI_BASE_URL, with a key and nothing counted yet."""
    for name, value in _process.environment.items():
        monkeypatch.setenv(name, value)
    _process.behave()
    _process.forget()
    providers.provider.cache_clear()
    run._limiters.clear()
    expected.forget()
    with usage.afresh():
        yield _process
    providers.provider.cache_clear()
