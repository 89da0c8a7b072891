"""Predicted numbers beside the true ones, as an engine counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.numbers import Floats
from sqlfuncs.statistics import regression

Counts = npt.NDArray[np.int64]


def evaluate(counts: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `evaluate` that are about numbers."""
    (actual, predicted), count = _known(counts, ("actual", "predicted"))
    return _row(asdict(regression.evaluate(actual, predicted, count)))


def compare(counts: pa.StructArray) -> dict[str, pa.Array]:
    """Those of `compare_models`."""
    (actual, before, after), count = _known(counts, ("actual", "before", "after"))
    return _row(asdict(regression.compare(actual, before, after, count)))


def _row(values: dict[str, float]) -> dict[str, pa.Array]:
    return {name: pa.array([None if value != value else value]) for name, value in values.items()}


def _known(counts: pa.StructArray, names: Sequence[str]) -> tuple[list[Floats], Counts]:
    """The numbers of what has all of them; says how many rows have not.

    Raises NoUsableRows where nothing has a true number, BadInput where a column holds none.
    """
    count = counts.field(COUNT).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(count):
        raise NoUsableRows("the table has no rows: there is nothing to evaluate")
    columns = [_numbers(counts, name) for name in names]
    is_true = ~np.isnan(columns[0])
    if not is_true.any():
        raise NoUsableRows(
            f"{names[0]} is no number in any of {count.sum():,} rows: there is nothing to "
            f"evaluate. The arguments are (table, {', '.join(names)})."
        )
    for name, column in zip(names[1:], columns[1:], strict=True):
        if np.isnan(column[is_true]).all():
            raise BadInput(
                f"{name} holds no number where {names[0]} does. Are these the columns that were "
                "meant?"
            )
    usable = ~np.isnan(np.stack(columns)).any(axis=0)
    if not usable.any():
        raise NoUsableRows(f"no row has a number in each of {', '.join(names)}.")
    left_out = int(count[is_true & ~usable].sum())
    if left_out:
        work.say(
            f"{left_out:,} of {count[is_true].sum():,} rows have a true number and no predicted "
            "one: they are left out, and no error is reckoned for them"
        )
    return [column[usable] for column in columns], count[usable]


def _numbers(counts: pa.StructArray, name: str) -> Floats:
    """The numbers of a field of text, infinity none of them."""
    return numbers.as_numbers(counts.field(name))
