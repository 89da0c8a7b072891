"""`evaluate` and `gain`, of models of tags and of numbers."""

from __future__ import annotations

import duckdb
import pytest

from sqlfuncs.errors import SqlfuncsError
from tests.queries.test_reviewing import run_query


@pytest.fixture
def rated(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of meals with tags, prices and steps, and a model of each."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 3 = 0, 'hot curry ', 'slow soup ') || i % 7 AS text,
            if(i % 3 = 0, ['spicy', 'quick'], ['slow']) AS tags,
            if(i % 3 = 0, 10, 2) + i % 50 / 50 AS price, if(i % 3 = 0, 10, 2) + i % 3 AS steps
        FROM range(150) r(i)
    """)
    for label, options in {"tags": "", "price": "", "steps": ", task := 'regression'"}.items():
        con.execute(f"FROM fine_tune('{label}', t, text, {label}{options})")
    return con


def test_tags_are_told_of_one_by_one(rated: duckdb.DuckDBPyConnection) -> None:
    of = {"table": "t", "label": "tags", "model": "tags"}
    ((whole,), report, matrix) = run_query(rated, "evaluate", multi=True, **of)
    assert whole["accuracy"] > 0.9 and whole["micro_f1"] > 0.9
    assert [row["class"] for row in report] == ["quick", "slow", "spicy"]
    assert [row["tag"] for row in matrix] == ["quick", "slow", "spicy"]
    with pytest.raises(SqlfuncsError, match="multi := true"):
        run_query(rated, "evaluate", **of)


def test_numbers_have_errors_and_no_classes(rated: duckdb.DuckDBPyConnection) -> None:
    ((whole,), report, matrix) = run_query(
        rated, "evaluate", table="t", label="price", model="price"
    )
    assert whole["accuracy"] is None and 0 < whole["mae"] < 1 and whole["r2"] > 0.9
    assert report == matrix == []
    # Whole numbers are classes unless it is said.
    of = {"table": "t", "label": "steps", "model": "steps"}
    ((whole,),) = run_query(rated, "evaluate", task="regression", **of)
    assert whole["accuracy"] is None and whole["r2"] > 0.9
    with pytest.raises(SqlfuncsError, match="task"):
        run_query(rated, "evaluate", task="numbers", **of)


def test_what_better_labels_gain(rated: duckdb.DuckDBPyConnection) -> None:
    """Models of labels of which a third is wrong, against those of the right ones."""
    rated.execute("""
        CREATE TABLE bad AS SELECT * REPLACE (
            if(i % 3 = 1, ['spicy'], tags) AS tags, if(i % 3 = 1, price + 30, price) AS price
        ) FROM (SELECT *, id AS i FROM t)
    """)
    for label in ("tags", "price"):
        rated.execute(f"FROM fine_tune('bad_{label}', bad, text, {label})")
    tags = {"table": "t", "label": "tags", "models": "bad_tags,tags"}
    _, (said,) = run_query(rated, "gain", multi=True, **tags)
    assert "tags is better by" in said["conclusion"]
    prices = {"table": "t", "label": "price", "models": "bad_price,price"}
    (before, after), (said,) = run_query(rated, "gain", task="regression", **prices)
    assert before["mae"] > 3 * after["mae"]
    assert "price is nearer by" in said["conclusion"]
    with pytest.raises(SqlfuncsError, match=r"labels are numbers, .*: task=regression"):
        run_query(rated, "gain", **prices)
