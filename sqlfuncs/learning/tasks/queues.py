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
    places = order[waiting[order]]
    rank = np.zeros(len(waiting), dtype=np.int64)
    rank[places] = np.arange(1, len(places) + 1)
    hidden = pa.array(~waiting)
    return {
        "review_rank": pa.array(rank, mask=~waiting),
        **{name: _hidden(issues[name], hidden) for name in names if name in issues},
    }


def _hidden(column: pa.Array, rows: pa.Array) -> pa.Array:
    """NULL for some rows."""
    if pa.types.is_nested(column.type):
        return column.take(pc.if_else(rows, None, pa.array(np.arange(len(column)))))
    return pc.if_else(rows, pa.scalar(None, column.type), column)
