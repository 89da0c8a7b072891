"""Internal: the computing behind `review_curve(issues, log, key, label)`."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.statistics.curve import Curve, review_curve


def curve_points(known: pa.Array, wrong: pa.Array, random: pa.Array, points: pa.Array) -> pa.Array:
    """The points of each curve, from lists of truths in the order in which rows are reviewed."""
    found = []
    for row in range(len(points)):
        flags = [_flags(each, row) for each in (known, wrong, random)]
        found.append(_points(review_curve(flags[0], flags[1], flags[2], points[row].as_py())))
    return pa.array(found, FUNCTION.returns)


def _flags(lists: pa.ListArray, row: int) -> npt.NDArray[np.bool_]:
    """One list of truths; NULL is that of a table without rows."""
    values = lists[row].values
    return np.zeros(0, bool) if values is None else np.asarray(values.to_numpy(False), dtype=bool)


def _points(curve: Curve) -> list[dict[str, float | None]]:
    columns = {each.name: getattr(curve, each.name).tolist() for each in fields(curve)}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [
        {**row, "precision": None if at == 0 else row["precision"]} for at, row in enumerate(rows)
    ]


FUNCTION = ScalarFunction(
    name="_curve_points",
    compute=curve_points,
    inputs=("known", "wrong", "random", "points"),
    returns=pa.list_(
        pa.struct(
            [
                ("reviewed", pa.int64()),
                ("errors_found", pa.float64()),
                ("errors_left", pa.float64()),
                ("errors_left_low", pa.float64()),
                ("errors_left_high", pa.float64()),
                ("precision", pa.float64()),
            ]
        )
    ),
)
