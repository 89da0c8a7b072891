"""Predicted tags beside the true ones, as an engine counts them. A missing prediction is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.labels import UNTYPED, kind_of
from sqlfuncs.statistics import comparison
from sqlfuncs.statistics import tags as statistics
from sqlfuncs.statistics.evaluation import ClassCounts
from sqlfuncs.statistics.noisy import Agreement
from sqlfuncs.wording import some as some_of

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate` that are about tags."""
    _, (actual, predicted), (_, missing), count = _known(counts, ("actual", "predicted"))
    found = statistics.evaluate(actual, predicted, count, missing)
    return {name: pa.array([value]) for name, value in found.items()}


def report(counts: pa.StructArray) -> ClassCounts:
    """The counts of each tag."""
    names, (actual, predicted), _, count = _known(counts, ("actual", "predicted"))
    weights = count[:, None]
    support, said, hits = (
        (weights * each).sum(axis=0) for each in (actual, predicted, actual & predicted)
    )
    return ClassCounts(names, support, said, hits)


def confusion_matrix(counts: pa.StructArray) -> dict[str, pa.Array]:
    """Those of `confusion_matrix`: each tag, given or not, said or not."""
    names, (actual, predicted), _, count = _known(counts, ("actual", "predicted"))
    weights = count[:, None]
    cells = {
        "true_positives": actual & predicted,
        "false_positives": ~actual & predicted,
        "false_negatives": actual & ~predicted,
        "true_negatives": ~actual & ~predicted,
    }
    found = {name: pa.array((weights * cell).sum(axis=0)) for name, cell in cells.items()}
    rows = pa.array(np.full(len(names), count.sum()))
    return {"tag": pa.array(names, pa.string()), **found, "n": rows}


def agreement(counts: pa.StructArray) -> Agreement:
    """Of `evaluate_noisy`. Raises NoUsableRows where there is no label."""
    columns = ("actual", "predicted", "reviewed_sample")
    _, (actual, predicted, seen), (_, missing, unseen), count = _known(counts, columns)
    return Agreement(
        count,
        (predicted == actual).all(axis=1) & ~missing,
        ~unseen,
        (predicted == seen).all(axis=1) & ~missing & ~unseen,
        (actual == seen).all(axis=1) & ~unseen,
    )


def compare(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `compare_models`: a row is right if all of its tags are."""
    _, (actual, *both), (_, *missing), count = _known(counts, ("actual", "before", "after"))
    before, after = (
        (each == actual).all(axis=1) & ~without for each, without in zip(both, missing, strict=True)
    )
    rows = [
        int(count[(before == b) & (after == a)].sum())
        for b, a in ((True, True), (True, False), (False, True), (False, False))
    ]
    values = asdict(comparison.compare(*rows))
    return {name: pa.array([value]) for name, value in values.items()}


def _known(
    counts: pa.StructArray, columns: Sequence[str]
) -> tuple[tuple[str, ...], list[Mask], list[Mask], Counts]:
    """The tags, and for each column which it has (combinations, tags) and where it has no list.

    And in how many rows. Of combinations that have a true label. Raises NoUsableRows where none
    has, BadInput for a column that holds no lists.
    """
    count = counts.field(COUNT).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(count):
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    for column in columns[1:]:
        if kind_of(counts, column) not in (tags.KIND, UNTYPED):
            raise BadInput(
                f"actual holds lists of tags, and {column} does not: name a column of lists, such "
                f"as [{column}]."
            )
    lists = [tags.read_lists(counts.field(column)) for column in columns]
    known = np.array([each is not None for each in lists[0]], dtype=bool)
    if not known.any():
        raise NoUsableRows(
            f"the true label is NULL in all {count.sum()} rows: there is nothing to evaluate. The "
            f"arguments are (table, {', '.join(columns)})."
        )
    some = [
        [row for row, is_known in zip(each, known.tolist(), strict=True) if is_known]
        for each in lists
    ]
    found = [{tag for row in each for tag in row or []} for each in some]
    for column, own in zip(columns[1:], found[1:], strict=True):
        _refuse_others(found[0], column, own)
    names = in_order(set().union(*found))
    has = [tags.coded([row or [] for row in each], names) for each in some]
    missing = [np.array([row is None for row in each], dtype=bool) for each in some]
    return names, has, missing, count[known]


def _refuse_others(true: set[str], column: str, own: set[str]) -> None:
    """Raise BadInput where predictions have several tags, and none that a true label has.

    As for classes, a single tag that is missed everywhere may be a bad model.
    """
    if min(len(true), len(own)) > 1 and not true & own:
        raise BadInput(
            f"actual and {column} share no tag: actual holds {_listed(true)}; {column} holds "
            f"{_listed(own)}. Are these the columns that were meant, and is a tag spelt in one way "
            "in both?"
        )


def _listed(found: set[str]) -> str:
    return some_of([f"'{tag[:40]}'" for tag in sorted(found)])
