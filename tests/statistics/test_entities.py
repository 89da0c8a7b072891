"""Entities as seqeval 1.2.2 counts them by default; its figures are those expected here."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sqlfuncs.statistics import entities


def _micro(actual: list[list[str]], predicted: list[list[str]]) -> tuple[float, float, float]:
    counted = entities.counts(actual, predicted, np.ones(len(actual), dtype=np.int64))
    precision, recall, f1 = entities.micro(counted).values()
    return precision, recall, f1


@pytest.mark.parametrize(
    ("actual", "predicted", "expected"),
    [
        ("B-PER I-PER O B-LOC", "B-PER O O B-LOC", 0.5),
        ("B-PER B-PER I-PER O", "B-PER I-PER I-PER O", 0.0),
        ("O I-LOC I-LOC O", "O B-LOC I-LOC O", 1.0),
        ("B-LOC I-PER O", "B-LOC B-PER O", 1.0),
        ("I-PER I-LOC I-LOC", "B-PER B-LOC I-LOC", 1.0),
        ("S-PER O B-LOC E-LOC", "B-PER O B-LOC I-LOC", 1.0),
        ("B-LOC E-LOC E-LOC S-LOC", "B-LOC I-LOC B-LOC S-LOC", 1.0),
        ("O O", "O B-PER", 0.0),
    ],
)
def test_sentences(actual: str, predicted: str, expected: float) -> None:
    assert _micro([actual.split()], [predicted.split()]) == (expected,) * 3


def test_many_sentences_with_labels_in_any_order() -> None:
    drawn = random.Random(7)
    names = ["O", "O", "B-A", "I-A", "B-B", "I-B", "E-A", "S-B"]
    actual = [[drawn.choice(names) for _ in range(drawn.randint(1, 9))] for _ in range(60)]
    predicted = [
        [label if drawn.random() < 0.6 else drawn.choice(names) for label in each]
        for each in actual
    ]
    assert _micro(actual, predicted) == pytest.approx((0.66826923, 0.68472906, 0.67639903))
    counted = entities.counts(actual, predicted, np.ones(60, dtype=np.int64))
    assert counted.support.tolist() == [102, 101]
    assert counted.f1.mean() == pytest.approx(0.677274882)


def test_labels_without_prefixes_are_runs() -> None:
    assert _micro([["PER", "PER", "O", "PER"]], [["PER", "PER", "O", "LOC"]]) == (0.5, 0.5, 0.5)
    assert entities.entities(["X-ray", "X-ray"]) == {("X-ray", 0, 2)}
    assert entities.entities([]) == set()
