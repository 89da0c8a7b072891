"""Predicted labels of words beside the true ones, as an engine counts them.

A row without a prediction has no entity and no word right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.labels import UNTYPED, kind_of
from sqlfuncs.statistics import comparison, entities
from sqlfuncs.statistics.evaluation import ClassCounts
from sqlfuncs.statistics.intervals import wilson

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Sides:
    """True labels and those of each column beside them, in `count` rows: all (combinations,)."""

    actual: list[list[str]]
    others: list[list[list[str] | None]]
    count: Counts

    def entities(self, side: int) -> ClassCounts:
        """The entities of a column."""
        return entities.counts(self.actual, [each or [] for each in self.others[side]], self.count)

    def right_words(self, side: int) -> Counts:
        """How many words a column has right: (combinations,)."""
        return np.array(
            [
                0 if said is None else sum(a == b for a, b in zip(true, said, strict=True))
                for true, said in zip(self.actual, self.others[side], strict=True)
            ],
            dtype=np.int64,
        )

    def right_rows(self, side: int) -> npt.NDArray[np.bool_]:
        """Where it has all of them right: (combinations,)."""
        pairs = zip(self.actual, self.others[side], strict=True)
        return np.array([true == said for true, said in pairs], dtype=bool)

    def word_accuracy(self, side: int) -> float:
        """The share of words that it has right."""
        words = int(self.count @ np.array([len(each) for each in self.actual]))
        return int(self.count @ self.right_words(side)) / max(words, 1)


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate` that are about words."""
    sides = _known(counts, ("actual", "predicted"))
    found, n = sides.entities(0), int(sides.count.sum())
    correct = int(sides.count[sides.right_rows(0)].sum())
    support = int(found.support.sum())
    values = {
        "n": n,
        "correct": correct,
        "accuracy": correct / n,
        "accuracy_low": float(wilson(correct, n, -1)),
        "accuracy_high": float(wilson(correct, n, 1)),
        "macro_f1": float(found.f1.mean()) if found.names else 0.0,
        "weighted_f1": float(found.f1 @ found.support / support) if support else 0.0,
        "entities": support,
        **entities.micro(found),
        "word_accuracy": sides.word_accuracy(0),
    }
    return {name: pa.array([value]) for name, value in values.items()}


def report(counts: pa.StructArray) -> ClassCounts:
    """The counts of each type of entity."""
    return _known(counts, ("actual", "predicted")).entities(0)


def compare(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `compare_models`: a row is right if all of its words are."""
    sides = _known(counts, ("actual", "before", "after"))
    before, after = sides.right_rows(0), sides.right_rows(1)
    rows = [
        int(sides.count[(before == b) & (after == a)].sum())
        for b, a in ((True, True), (True, False), (False, True), (False, False))
    ]
    values = asdict(comparison.compare(*rows))
    for side, name in enumerate(("before", "after")):
        values[f"f1_{name}"] = entities.micro(sides.entities(side))["f1"]
        values[f"word_accuracy_{name}"] = sides.word_accuracy(side)
    return {name: pa.array([value]) for name, value in values.items()}


def _known(counts: pa.StructArray, columns: Sequence[str]) -> _Sides:
    """What has true labels. Raises NoUsableRows where nothing has.

    And BadInput for a column that holds no lists, or lists of another length than the true ones.
    """
    count = counts.field(COUNT).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(count):
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    for column in columns[1:]:
        if kind_of(counts, column) not in (tags.KIND, UNTYPED):
            raise BadInput(
                f"actual holds lists of labels, one for each word, and {column} does not: name a "
                "column of lists."
            )
    actual, *others = (tags.read_lists(counts.field(column)) for column in columns)
    known = [place for place, each in enumerate(actual) if each is not None]
    if not known:
        raise NoUsableRows(
            f"the true label is NULL in all {count.sum()} rows: there is nothing to evaluate. The "
            f"arguments are (table, {', '.join(columns)})."
        )
    sides = _Sides(
        [actual[place] or [] for place in known],
        [[side[place] for place in known] for side in others],
        count[known],
    )
    for column, side in zip(columns[1:], sides.others, strict=True):
        _refuse_lengths(sides, column, side)
    return sides


def _refuse_lengths(sides: _Sides, column: str, side: Sequence[list[str] | None]) -> None:
    odd = [
        place
        for place, (true, said) in enumerate(zip(sides.actual, side, strict=True))
        if said is not None and len(said) != len(true)
    ]
    if odd:
        true, said = sides.actual[odd[0]], side[odd[0]] or []
        raise BadInput(
            f"in {int(sides.count[odd].sum()):,} rows {column} has not one label for each word, "
            f"such as {len(said):,} beside {len(true):,} true ones. Which word each is of cannot "
            "be told: leave these rows out, or set what is predicted of them to NULL."
        )
