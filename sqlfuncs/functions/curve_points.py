"""Internal: the computing behind `review_curve(issues, log, key, label)`."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.statistics.curve import Curve, review_curve, standard_errors_off
from sqlfuncs.wording import Option, Words

_MOST_OFF = 4.0  # standard errors that the mean rank of a random sample may be from the middle


def curve_points(known: pa.Array, wrong: pa.Array, random: pa.Array, points: pa.Array) -> pa.Array:
    """The points of each curve, from lists of truths in the order in which rows are reviewed.

    Raises BadOption for less than a point, and BadInput where nothing can be estimated.
    """
    found = []
    for row in range(len(points)):
        flags = [_flags(each, row) for each in (known, wrong, random)]
        count = points[row].as_py()
        _check(flags[2], count)
        found.append(_points(review_curve(flags[0], flags[1], flags[2], count)))
    return pa.array(found, FUNCTION.returns)


def _check(random: npt.NDArray[np.bool_], points: int) -> None:
    if points < 1:
        raise BadOption(
            f"review_curve: {Option('points', points)} is too few. It has to be 1 or more."
        )
    if not len(random):
        raise BadInput("review_curve: no row of the table was judged.")
    if not random.any():
        raise BadInput(
            "review_curve: no row of a random sample has been reviewed: nothing tells how many "
            "errors are left. Review 20 rows drawn at random or more, and write relabel or keep "
            'into the log: sqlfuncs review shows them in the order "random sample", the query '
            "file review_queue with order=random."
        )
    off = standard_errors_off(random)
    if abs(off) > _MOST_OFF:
        raise BadInput(
            f"review_curve: the {int(random.sum())} reviewed rows are no random sample: their mean "
            f"place in the ranking is {abs(off):.1f} standard errors "
            f"{'nearer to the top' if off < 0 else 'further down'} than chance would put it. "
            "Review some rows drawn at random and name the table that has their keys: "
            f"{Option('sample', Words('drawn'))}."
        )


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
