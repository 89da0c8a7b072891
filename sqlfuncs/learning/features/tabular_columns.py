"""The columns that the heads see of tabular rows.

Numbers without their extremes and to one scale, and their ranks, a column for each common category
and each value of a field that has few, and one for each field that is missing somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sqlfuncs.learning.features.heads import Floats
from sqlfuncs.learning.features.tree_rows import LEAF_ROWS, View

Categories = Sequence[tuple[str, ...] | None]  # of each field, None for one of numbers

CATEGORY_COLUMNS = 256  # of all fields together, for the commonest categories
FEW_VALUES = 12  # of a field of numbers, which then get columns as categories do
VALUE_COLUMNS = 64  # of all such fields together, or else none of them gets any
EXTREMES = 0.01  # of the rows at each end, whose numbers are taken for the last one before them


def as_columns(values: Floats, categories: Categories) -> tuple[View, int, dict[int, list[int]]]:
    """A view of rows (rows, columns), without NaN; how many are scaled numbers, which come first.

    `values` (rows, fields) are numbers, and of fields with `categories` places among these. The
    last is which columns each field has.
    """
    scaled: list[Any] = []
    others: list[Any] = []
    of_scaled: list[int] = []
    of_others: list[int] = []
    common = _common_values(values, categories)
    for field, own in enumerate(categories):
        column = values[:, field]
        missing = np.isnan(column)
        if own is None:
            scaled.append(_scaled(column))
            others.append(_ranks(column))
            of_scaled.append(field)
        others += [column == value for at, value in common if at == field]
        if missing.any():
            others.append(missing)
        of_others += [field] * (len(others) - len(of_others))
    view = np.column_stack([*scaled, *others]).astype(np.float32)
    columns: dict[int, list[int]] = {}
    for column_at, field in enumerate([*of_scaled, *of_others]):
        columns.setdefault(field, []).append(column_at)
    return view, len(scaled), columns


def _common_values(values: Floats, categories: Categories) -> list[tuple[int, float]]:
    """Field and value of what gets a column: common categories, and numbers if they are few.

    Numbers of a few different values may be no more than names, or say something only together:
    then no order of theirs is of use. Where many fields are like that, as in the pixels of an
    image, there is an order.
    """
    counted, numbers = [], []
    for field, names in enumerate(categories):
        column = values[:, field]
        different, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        own = [
            (-n, field, value) for n, value in zip(counts.tolist(), different.tolist(), strict=True)
        ]
        if names is not None:
            counted += own
        elif 2 < len(own) <= min(FEW_VALUES, counts.sum() / LEAF_ROWS):
            numbers += own
    counted += numbers if len(numbers) <= VALUE_COLUMNS else []
    return sorted((field, value) for _, field, value in sorted(counted)[:CATEGORY_COLUMNS])


def _scaled(values: Floats) -> Floats:
    """Mean 0 and standard deviation 1, extremes drawn in, the mean where missing."""
    missing = np.isnan(values)
    present = values[~missing]
    result = np.zeros(len(values))
    if not present.size or not present.any():
        return result
    present = present / np.abs(present).max()  # so that no square is too large
    low, high = np.quantile(present, [EXTREMES, 1 - EXTREMES])
    if low < high:
        present = present.clip(low, high)
    present = present - present.mean()
    spread = present.std()
    result[~missing] = present / spread if spread > 1e-12 else 0
    return result


def _ranks(values: Floats) -> Floats:
    """Ranks of numbers, with a standard deviation of 1; ties share one, 0 where missing."""
    missing = np.isnan(values)
    result = np.zeros(len(values))
    _, place, counts = np.unique(values[~missing], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    result[~missing] = (middle[place] / max(len(place), 1) - 0.5) * np.sqrt(12)
    return result
