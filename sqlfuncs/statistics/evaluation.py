"""How well predictions agree with true labels, from how often the two occur together.

Labels are names, of different combinations (combinations,), each in `count` rows: a
true one is never None; a prediction is None where there is none, and wrong then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.statistics.intervals import Floats, wilson

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassCounts:
    """For each class how often it is true (`support`), predicted, and both (`hits`): (classes,)."""

    names: tuple[str, ...]
    support: Counts
    predicted: Counts
    hits: Counts

    @property
    def precision(self) -> Floats:
        """The share of its predictions that are right; 0 without one, as in scikit-learn."""
        return self.hits / np.maximum(self.predicted, 1)

    @property
    def recall(self) -> Floats:
        """The share of its rows that are found; 0 without one."""
        return self.hits / np.maximum(self.support, 1)

    @property
    def f1(self) -> Floats:
        """The harmonic mean of the two."""
        f1: Floats = 2 * self.hits / (self.support + self.predicted)
        return f1


@dataclass(frozen=True)
class Evaluation:
    """Accuracy with its 95 % Wilson interval, and the mean F1 of classes: plain, by support."""

    n: int
    correct: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    weighted_f1: float


def class_counts(
    actual: Sequence[str], predicted: Sequence[str | None], count: Counts
) -> ClassCounts:
    """The counts of each class, in order.

    >>> found = class_counts(["a", "a", "b"], ["a", "b", None], np.array([3, 1, 2]))
    >>> found.names, found.support.tolist(), found.predicted.tolist(), found.hits.tolist()
    (('a', 'b'), [4, 2], [3, 1], [3, 0])
    """
    names = ordered({*actual, *(name for name in predicted if name is not None)})
    place = {name: at for at, name in enumerate(names)}
    true_codes = np.array([place[name] for name in actual], dtype=np.int64)
    predicted_codes = np.array(
        [-1 if name is None else place[name] for name in predicted], dtype=np.int64
    )

    def total(places: Counts, rows: npt.NDArray[np.bool_]) -> Counts:
        summed = np.zeros(len(names), dtype=np.int64)
        np.add.at(summed, places[rows], count[rows])
        return summed

    every = np.ones(len(true_codes), dtype=bool)
    return ClassCounts(
        names,
        total(true_codes, every),
        total(predicted_codes, predicted_codes >= 0),
        total(true_codes, true_codes == predicted_codes),
    )


def evaluate(actual: Sequence[str], predicted: Sequence[str | None], count: Counts) -> Evaluation:
    """All of it in one.

    >>> found = evaluate(["a", "a", "b"], ["a", "b", "b"], np.array([3, 1, 4]))
    >>> found.n, found.correct, found.accuracy, round(found.accuracy_low, 3)
    (8, 7, 0.875, 0.529)
    """
    counts = class_counts(actual, predicted, count)
    n, correct = int(counts.support.sum()), int(counts.hits.sum())
    low, high = (float(wilson(correct, n, side)) for side in (-1, 1))
    weighted = float((counts.f1 * counts.support).sum() / n)
    return Evaluation(n, correct, correct / n, low, high, float(counts.f1.mean()), weighted)


def confusion_matrix(
    actual: Sequence[str], predicted: Sequence[str | None], count: Counts
) -> tuple[tuple[str, ...], tuple[str | None, ...], Counts]:
    """True and predicted classes in order, and how often they meet: (classes, predicted classes).

    The classes are those that are true or predicted; None is among the predicted ones, as the last,
    if a prediction is missing.

    >>> confusion_matrix(["a", "a"], ["b", None], np.array([3, 1]))
    (('a', 'b'), ('a', 'b', None), array([[0, 3, 1],
           [0, 0, 0]]))
    """
    names = ordered({*actual, *(name for name in predicted if name is not None)})
    columns = (*names, *((None,) if None in predicted else ()))
    row = {name: at for at, name in enumerate(names)}
    column = {name: at for at, name in enumerate(columns)}
    matrix = np.zeros((len(names), len(columns)), dtype=np.int64)
    np.add.at(matrix, ([row[name] for name in actual], [column[name] for name in predicted]), count)
    return names, columns, matrix


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Classes in the order in which they are shown: numbers by value, then texts.

    >>> ordered(["b", "10", "9", "a", "1e1"])
    ('9', '10', '1e1', 'a', 'b')
    """
    return tuple(sorted(names, key=_key))


def _key(name: str) -> tuple[bool, bool, float, str]:
    try:
        number = float(name) if name.isascii() else None
    except ValueError:
        number = None
    if number is None:
        return True, False, 0.0, name
    is_nan = math.isnan(number)
    return False, is_nan, 0.0 if is_nan else number, name
