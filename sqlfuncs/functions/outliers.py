"""`outliers(tbl, x)`: which rows are unlike the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.similarity import outliers as learning
from sqlfuncs.learning.similarity.neighbourhood import MAX_NEIGHBOURS, Neighbourhood, neighbourhood
from sqlfuncs.wording import Option, Words


def outliers(rows: pa.StructArray, *, k: int = 10, threshold: float = 0.5) -> pa.StructArray:
    """Which rows are unlike the others.

    Every row of the table comes back with `outlier_score` (high is more severe: 0 typical .. 1
    outlying), `is_outlier` (whether the score is above `threshold`) and `not_judged` (why a row
    could not be judged; else NULL).

    `x` is what a row is: text (VARCHAR) or an embedding (FLOAT[]). The score is about the mean
    cosine distance to the `k` nearest rows of other content: 0 up to the table's median, 0.5 at
    the third quartile and 1.7 interquartile ranges. Copies of a row are no neighbours of it. The
    result does not depend on the order of the rows or on the number of threads.

    Errors: no row that can be judged, or only one.
    """
    check(k, threshold)
    near = neighbourhood(rows.field("x"), k)
    if len(near.content) == 1:
        raise NoUsableRows("only one row can be judged: there is no other to compare it with.")
    return pa.StructArray.from_arrays(
        [*columns(near, threshold), pa.array(near.reasons, pa.string())],
        names=[column.name for column in FUNCTION.returns],
    )


def check(k: int, threshold: float, option: str = "threshold") -> None:
    """Raise BadOption for what cannot be; `option` is what the call names the threshold."""
    if not 1 <= k <= MAX_NEIGHBOURS:
        raise BadOption(
            f"{Option('k', k)} neighbours cannot be had. It may be 1 to {MAX_NEIGHBOURS}."
        )
    if not 0 <= threshold <= 1:
        raise BadOption(f"{Option(option, Words(threshold))} is no score. It may be 0 to 1.")


def columns(near: Neighbourhood, threshold: float) -> list[pa.Array]:
    """`outlier_score` and `is_outlier` of all rows."""
    judged = is_usable(near.reasons)
    distances = learning.mean_distances(near.nearest.cosines)
    score = np.zeros(len(judged))
    score[judged] = learning.scores(distances[near.point[near.content]])
    return [pa.array(score, mask=~judged), pa.array(score > threshold, mask=~judged)]


FUNCTION = TableFunction(
    name="outliers",
    compute=outliers,
    inputs=("x",),
    returns=(
        Column("outlier_score", pa.float64(), "0 typical .. 1 outlying"),
        Column("is_outlier", pa.bool_(), "whether the score is above the threshold"),
        Column("not_judged", pa.string(), "why a row could not be judged; else NULL"),
    ),
)
