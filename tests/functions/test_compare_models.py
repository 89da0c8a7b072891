from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from tests.functions.predictions import Guesser

COLUMNS = [
    "n",
    "accuracy_before",
    "accuracy_after",
    "difference",
    "difference_low",
    "difference_high",
    "error_reduction",
    "only_before_right",
    "only_after_right",
    "p_value",
]
CALL = "FROM compare_models(t, actual, before, after)"


def _load(con: duckdb.DuckDBPyConnection, both: int, before: int, after: int, none: int) -> None:
    """A table of pairs: both right, only before, only after, none."""
    con.execute(
        "CREATE OR REPLACE TABLE t AS SELECT 'a' AS actual, "
        "if(i < $both + $before, 'a', 'b') AS before, "
        "if(i < $both OR (i >= $both + $before AND i < $both + $before + $after), 'a', 'b') "
        "AS after FROM range($both + $before + $after + $none) r(i)",
        {"both": both, "before": before, "after": after, "none": none},
    )


def _compare(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    found = con.execute(CALL)
    names = [column[0] for column in found.description or []]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def _wilson(hits: int, n: int, z: float) -> tuple[float, float]:
    """The two roots of (p - hits/n)^2 = z^2 p (1 - p) / n."""
    a, b, c = 1 + z * z / n, -2 * hits / n - z * z / n, (hits / n) ** 2
    root = math.sqrt(max(0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def _newcombe(e: int, f: int, g: int, h: int) -> tuple[float, float]:
    """Method 10 of Newcombe (1998) for (e + f) / n - (e + g) / n, written from the paper."""
    n, z = e + f + g + h, float(norm.ppf(0.975))
    p1, p2 = (e + f) / n, (e + g) / n
    (l1, u1), (l2, u2) = _wilson(e + f, n, z), _wilson(e + g, n, z)
    product = (e + f) * (g + h) * (e + g) * (f + h)
    cross = e * h - f * g
    if cross > 0:
        cross = max(cross - n / 2, 0)  # type: ignore[assignment]
    phi = cross / math.sqrt(product) if product else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2
    return p1 - p2 - math.sqrt(max(0, below)), p1 - p2 + math.sqrt(max(0, above))


counts = st.integers(0, 60)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(both=counts, before=counts, after=counts, none=counts)
def test_every_figure(
    con: duckdb.DuckDBPyConnection, both: int, before: int, after: int, none: int
) -> None:
    n = both + before + after + none
    if n == 0:
        return
    _load(con, both, before, after, none)
    found = _compare(con)
    assert list(found) == COLUMNS
    assert (found["n"], found["only_before_right"], found["only_after_right"]) == (
        n,
        before,
        after,
    )
    assert found["accuracy_before"] == pytest.approx((both + before) / n)
    assert found["accuracy_after"] == pytest.approx((both + after) / n)
    assert found["difference"] == pytest.approx((after - before) / n, abs=1e-12)
    low, high = _newcombe(both, after, before, none)
    assert found["difference_low"] == pytest.approx(low, rel=0, abs=1e-7)
    assert found["difference_high"] == pytest.approx(high, rel=0, abs=1e-7)
    wrong = after + none
    if wrong == 0:
        assert found["error_reduction"] is None
    else:
        assert found["error_reduction"] == pytest.approx((after - before) / wrong, abs=1e-12)
    discordant = before + after
    expected = binomtest(min(before, after), discordant, 0.5).pvalue if discordant else 1.0
    assert found["p_value"] == pytest.approx(expected, rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # Altman, Machin, Bryant, Gardner: Statistics with Confidence (2000), table 6.2.
        ((14, 5, 0, 22), 0.011, 0.226),
        # Bentur et al. (2009), in Fagerland, Lydersen, Laake (2014), "square-and-add".
        ((1, 1, 7, 12), -0.507, -0.026),
    ],
)
def test_worked_examples(
    con: duckdb.DuckDBPyConnection, cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    both, after, before, none = cells
    _load(con, both, before, after, none)
    found = _compare(con)
    assert round(found["difference_low"], 3) == low
    assert round(found["difference_high"], 3) == high


@pytest.mark.parametrize(("before", "after"), [(0, 1), (0, 40), (3000, 3200), (500, 800), (1, 0)])
def test_p_values_of_many_and_few(con: duckdb.DuckDBPyConnection, before: int, after: int) -> None:
    _load(con, 5, before, after, 5)
    expected = binomtest(min(before, after), before + after, 0.5).pvalue
    assert _compare(con)["p_value"] == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    "cells", [(0, 0, 3, 0), (0, 3, 0, 0), (0, 0, 200, 0), (3, 0, 0, 0), (0, 0, 0, 3), (0, 2, 2, 0)]
)
def test_the_interval_stays_between_minus_one_and_one(
    con: duckdb.DuckDBPyConnection, cells: tuple[int, int, int, int]
) -> None:
    _load(con, *cells)
    found = _compare(con)
    assert -1 <= found["difference_low"] <= found["difference"] <= found["difference_high"] <= 1


def test_identical_predictions(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, 30, 0, 0, 20)
    found = _compare(con)
    assert (found["difference"], found["p_value"], found["error_reduction"]) == (0, 1, 0)
    assert found["difference_low"] < 0 < found["difference_high"]


def test_perfect_before(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, 30, 2, 0, 0)
    found = _compare(con)
    assert found["accuracy_before"] == 1
    assert found["error_reduction"] is None


@pytest.mark.slow
def test_coverage_of_the_interval(con: duckdb.DuckDBPyConnection) -> None:
    random = np.random.default_rng(5)
    draws = random.multinomial(150, [0.55, 0.1, 0.2, 0.15], size=400)
    cases, places = np.unique(draws, axis=0, return_inverse=True)
    covered = []
    for both, before, after, none in cases.tolist():
        _load(con, both, before, after, none)
        found = _compare(con)
        covered.append(found["difference_low"] <= 0.1 <= found["difference_high"])
    assert 0.93 <= np.array(covered)[places.ravel()].mean() <= 0.98


def test_missing_predictions_are_wrong_and_missing_truths_left_out(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "CREATE TABLE t AS FROM (VALUES ('a', NULL, 'a'), ('a', 'a', NULL), ('a', NULL, NULL), "
        "(NULL, 'a', 'a'), ('a', 'a', 'a')) v(actual, before, after)"
    )
    found = _compare(con)
    assert (found["n"], found["only_before_right"], found["only_after_right"]) == (4, 1, 1)


@pytest.mark.parametrize("rows", ["(NULL, 'a', 'a')", "(NULL, NULL, NULL), (NULL, 'b', 'a')"])
def test_nothing_to_compare_is_an_error(con: duckdb.DuckDBPyConnection, rows: str) -> None:
    con.execute(f"CREATE TABLE t AS FROM (VALUES {rows}) v(actual, before, after)")
    with pytest.raises(duckdb.InvalidInputException, match="no row has a true label"):
        con.execute(CALL).fetchall()
    con.execute("DELETE FROM t")
    with pytest.raises(duckdb.InvalidInputException, match="no row has a true label"):
        con.execute(CALL).fetchall()


def test_a_number_and_its_text_are_the_same_class(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS FROM (VALUES (1, '1', '2'), (2, '1', '2')) v(actual, before, after)"
    )
    found = _compare(con)
    assert (found["accuracy_before"], found["accuracy_after"]) == (0.5, 0.5)


def test_volatile_predictions_are_made_once_a_row(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'c' || i % 4 AS actual FROM range(5000) r(i)")
    guesser = Guesser(con)
    con.execute("FROM compare_models(t, actual, guess(actual), guess(actual))").fetchall()
    assert guesser.calls == 10_000
