"""Intervals in SQL are those of scipy, whatever the types of what is counted."""

from __future__ import annotations

import duckdb
import pytest
from scipy.stats import binomtest


@pytest.mark.parametrize("of_type", ["BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(18, 3)"])
def test_wilson(con: duckdb.DuckDBPyConnection, of_type: str) -> None:
    found = con.execute(
        f"SELECT h, n, sqlfuncs.main._sf_wilson(h::{of_type}, n::{of_type}, -1), "
        f"sqlfuncs.main._sf_wilson(h::{of_type}, n::{of_type}, 1) "
        "FROM (VALUES (0, 1), (1, 1), (3, 7), (500, 1000), (99999, 100000)) v(h, n)"
    ).fetchall()
    assert len(found) == 5
    for hits, n, low, high in found:
        interval = binomtest(hits, n).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((interval.low, interval.high), rel=0, abs=1e-9)


def test_nothing_is_anything(con: duckdb.DuckDBPyConnection) -> None:
    """A share of no rows is between none and all."""
    found = con.execute(
        "SELECT [sqlfuncs.main._sf_wilson(h, n, side) FOR side IN [-1, 1]] "
        "FROM (VALUES (0, 0), (0, NULL), (NULL, NULL)) v(h, n)"
    ).fetchall()
    assert found == [([0, 1],)] * 3


@pytest.mark.parametrize(
    ("hits", "m", "n", "expected"),
    [(0, 50, 500, 0.0), (2, 50, 500, 2.42), (0, 0, 9, None), (7, 9, 0, None)],
)
def test_the_lower_end_of_what_is_left(
    con: duckdb.DuckDBPyConnection, hits: int, m: int, n: int, expected: float | None
) -> None:
    call = f"SELECT sqlfuncs.main._sf_errors_left({hits}, {m}, {n}, 0, -1)"
    ((found,),) = con.execute(call).fetchall()
    assert found == (None if expected is None else pytest.approx(expected, abs=0.005))
