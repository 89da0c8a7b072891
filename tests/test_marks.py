"""What takes more than ten seconds is marked slow."""

from __future__ import annotations

import time

import pytest

from tests import conftest


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_test_that_takes_long_and_is_not_marked_fails(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, is_marked: bool
) -> None:
    monkeypatch.setattr(conftest, "FAST_SECONDS", 0.02)
    around = conftest.pytest_runtest_call(request.node)
    next(around)
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    if is_marked:
        request.node.add_marker("slow")
    with pytest.raises(StopIteration if is_marked else pytest.fail.Exception):
        around.send(None)
    monkeypatch.undo()
