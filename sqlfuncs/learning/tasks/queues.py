"""Rows to review, in an order: the columns of `review_queue` from those of `label_issues`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.tasks.base import Columns, Mask


def ranked(
    issues: Columns, names: Sequence[str], waiting: Mask, order: npt.NDArray[np.int64]
) -> Columns:
    """Some of the columns, NULL but for the rows that are `waiting` (rows,), and their ranks.

    `order` (rows,) are the places of all rows, the first to be reviewed first.
    """
    hidden = pa.array(~waiting)
    return {
        "review_rank": review_rank(waiting, order),
        **{name: _hidden(issues[name], hidden) for name in names if name in issues},
    }


def review_rank(waiting: Mask, order: npt.NDArray[np.int64]) -> pa.Array:
    """The rank of each row that is `waiting` (rows,) by an `order` of all, NULL for the others."""
    places = order[waiting[order]]
    rank = np.zeros(len(waiting), dtype=np.int64)
    rank[places] = np.arange(1, len(places) + 1)
    return pa.array(rank, mask=~waiting)


def worst_first(rows: pa.StructArray, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The places of rows by their scores, the lowest first; those alike by the field `key_rank`."""
    return np.lexsort((np.asarray(rows.field("key_rank")), scores))


def at_random(rows: pa.StructArray) -> npt.NDArray[np.int64]:
    """The places of rows in the random order of the field `random_rank`."""
    return np.argsort(np.asarray(rows.field("random_rank")), kind="stable")


def _hidden(column: pa.Array, rows: pa.Array) -> pa.Array:
    """NULL for some rows."""
    if pa.types.is_nested(column.type):
        return column.take(pc.if_else(rows, None, pa.array(np.arange(len(column)))))
    return pc.if_else(rows, pa.scalar(None, column.type), column)
