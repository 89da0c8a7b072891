"""What is remembered for seconds, in the hands of many threads."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlfuncs.llm import asking
from sqlfuncs.llm.budget import Limits
from sqlfuncs.llm.providers import provider
from sqlfuncs.llm.recent import Recent
from sqlfuncs.llm.task import Task


@pytest.fixture(autouse=True)
def _threads_change_often() -> Iterator[None]:
    """At every few instructions, and whenever Python looks for garbage."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def change(phase: str, info: object) -> None:
        time.sleep(0)

    sys.setswitchinterval(1e-6)
    gc.set_threshold(20, 10, 1000)
    gc.callbacks.append(change)
    try:
        yield
    finally:
        gc.callbacks.remove(change)
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)


def _at_once(work: Callable[[int], object], count: int = 8) -> list[BaseException]:
    """What goes wrong where so many threads do something."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_many_queries_whose_rows_have_errors(tmp_path: Path) -> None:
    script = tmp_path / "none.json"
    script.write_text(json.dumps({"otherwise": "no label"}))
    model, task = f"fake:{script}", Task.read(["a", "b"])
    by = provider(model)

    def ask(number: int) -> None:
        for block in range(5):
            first = 500 * number + 100 * block
            texts = [f"text {i}" for i in range(first, first + 100)]
            for _ in range(2):
                said = asking.ask(by, model, task, texts, budget=Limits())
                assert all(answer.error for answer, _ in said)

    assert _at_once(ask) == []


def test_what_is_noted_and_found_by_many() -> None:
    recent: Recent[tuple[int, Limits], int] = Recent(seconds=0.02)

    def note(number: int) -> None:
        for at in range(300):
            recent.note({(number * 1000 + at + k, Limits()): k for k in range(20)})
            recent.find((other, Limits()) for other in range(at))

    assert _at_once(note) == []


def test_it_is_forgotten_when_its_time_is_over() -> None:
    now = [0.0]
    recent = Recent[str, int](10.0, clock=lambda: now[0])
    recent.note({"a": 1, "b": 2})
    now[0] = 6.0
    recent.note({"a": 3})
    now[0] = 11.0
    assert recent.find(["a", "b"]) == {"a": 3}
    now[0] = 17.0
    assert recent.find(["a", "b"]) == {}
