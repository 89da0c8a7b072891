from __future__ import annotations

import pytest

from sqlfuncs.errors import BadOption
from sqlfuncs.llm.task import Example, Task


def test_equal_tasks_are_written_alike_and_others_are_not() -> None:
    one = Task.read(["a", "b"], instructions=" x ")
    assert one.canonical == Task.read([("a", None), ("b", None)], instructions="x").canonical
    others = [
        Task.read(["b", "a"], instructions="x"),
        Task.read(["a", "b"]),
        Task.read([("a", "first"), ("b", None)], instructions="x"),
        Task.read(["a", "b"], instructions="x", multi=True),
        Task.read(["a", "b"], instructions="x", examples=[{"text": "t", "label": "a"}]),
    ]
    assert len({each.canonical for each in [one, *others]}) == 6


def test_examples() -> None:
    task = Task.read(["a", "b"], examples=[{"text": "t", "label": "a"}])
    assert task.examples == (Example("t", ("a",)),)
    several = Task.read(["a", "b"], multi=True, examples=[{"text": "t", "label": ["b", "a"]}])
    assert several.examples == (Example("t", ("b", "a")),)


@pytest.mark.parametrize(
    "labels", [None, 3, [], ["a"], ["a", ""], ["a", None], ["a", "a"], [str(i) for i in range(501)]]
)
def test_labels_that_are_none(labels: object) -> None:
    with pytest.raises(BadOption, match="labels"):
        Task.read(labels)


@pytest.mark.parametrize(
    "examples",
    ["t", [1], [{"text": "t"}], [{"text": "t", "label": "c"}], [{"text": None, "label": "a"}]],
)
def test_examples_that_are_none(examples: object) -> None:
    with pytest.raises(BadOption, match="example"):
        Task.read(["a", "b"], examples=examples)
