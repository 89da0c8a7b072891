"""Predicted tags beside the true ones, as an engine counts them. A missing prediction is no tag."""

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

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate` that are about tags."""
    _, (actual, predicted), count = _known(counts, ("actual", "predicted"))
    found = statistics.evaluate(actual, predicted, count)
    return {name: pa.array([value]) for name, value in found.items()}


def report(counts: pa.StructArray) -> ClassCounts:
    """The counts of each tag."""
    names, (actual, predicted), count = _known(counts, ("actual", "predicted"))
    weights = count[:, None]
    support, said, hits = (
        (weights * each).sum(axis=0) for each in (actual, predicted, actual & predicted)
    )
    return ClassCounts(names, support, said, hits)


def compare(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `compare_models`: a row is right if all of its tags are."""
    _, (actual, *both), count = _known(counts, ("actual", "before", "after"))
    before, after = ((each == actual).all(axis=1) for each in both)
    rows = [
        int(count[(before == b) & (after == a)].sum())
        for b, a in ((True, True), (True, False), (False, True), (False, False))
    ]
    values = asdict(comparison.compare(*rows))
    return {name: pa.array([value]) for name, value in values.items()}


def _known(
    counts: pa.StructArray, columns: Sequence[str]
) -> tuple[tuple[str, ...], list[Mask], Counts]:
    """The tags, which of them each column has (combinations, tags), and in how many rows.

    Of combinations that have a true label. Raises NoUsableRows where none has, BadInput for a
    column that holds no lists.
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
        [row or [] for row, is_known in zip(each, known, strict=True) if is_known] for each in lists
    ]
    names = in_order({tag for each in some for row in each for tag in row})
    return names, [tags.coded(each, names) for each in some], count[known]
