"""`near_duplicates(tbl, x)`: which rows say nearly the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.similarity import duplicates
from sqlfuncs.learning.similarity.neighbourhood import MAX_NEIGHBOURS, Neighbourhood, neighbourhood
from sqlfuncs.wording import Option, Words


def near_duplicates(
    rows: pa.StructArray, *, k: int = 10, threshold: float = 0.95
) -> pa.StructArray:
    """Which rows say nearly the same.

    Every row of the table comes back with `near_duplicate_group` (1, 2, ... in order of the
    groups' first rows; NULL where a row is in none), `near_duplicate_score` (high is more severe:
    the cosine of the most similar other row; 1 if, and only if, one is identical) and
    `not_judged` (why a row could not be judged; else NULL).

    `x` is what a row is: text (VARCHAR) or an embedding (FLOAT[]). Rows are in one group if a
    chain of rows leads from one to the other, each among the `k` nearest of the one before and
    with a cosine of `threshold` or more to it. Identical rows always share a group. The result
    does not depend on the order of the rows, but for the numbers, or on the number of threads.

    Errors: no row that can be judged.
    """
    check(k, threshold)
    near = neighbourhood(rows.field("x"), k)
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
    if not 0 < threshold <= 1:
        raise BadOption(
            f"{Option(option, Words(threshold))} is no likeness. It may be above 0, up to 1."
        )


def columns(near: Neighbourhood, threshold: float) -> list[pa.Array]:
    """`near_duplicate_group` and `near_duplicate_score` of all rows."""
    judged = is_usable(near.reasons)
    number = np.zeros(len(judged), dtype=np.int64)
    grouped = np.zeros(len(judged), dtype=bool)
    number[judged], grouped[judged] = duplicates.groups(near, threshold)
    score = np.zeros(len(judged))
    score[judged] = duplicates.scores(near)
    return [pa.array(number, mask=~grouped), pa.array(score, mask=~judged)]


FUNCTION = TableFunction(
    name="near_duplicates",
    compute=near_duplicates,
    inputs=("x",),
    returns=(
        Column("near_duplicate_group", pa.int64(), "1, 2, ...; NULL: none"),
        Column("near_duplicate_score", pa.float64(), "the nearest row's cosine; 1: identical"),
        Column("not_judged", pa.string(), "why a row could not be judged; else NULL"),
    ),
)
