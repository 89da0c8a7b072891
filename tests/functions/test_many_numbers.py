"""Whole numbers of many values are classes, and whoever meets them hears how to say otherwise."""

from __future__ import annotations

import duckdb
import pytest

CALLS = [
    "label_issues(t, v, n)",
    "label_health(t, v, n)",
    "audit(t, v, n)",
    "evaluate(t, n, n)",
    "class_report(t, n, n)",
    "compare_models(t, n, n, n)",
    "consensus(t, item, who, n)",
    "fine_tune('m', t, v, n)",
]


def _table(con: duckdb.DuckDBPyConnection, rows: int, n: str) -> None:
    con.execute(f"""
        CREATE TABLE t AS SELECT i AS id, [sin(i), cos(i)]::FLOAT[] AS v, {n} AS n, i // 3 AS item,
            i % 3 AS who FROM range({rows}) r(i)
    """)


@pytest.mark.parametrize("call", CALLS)
def test_it_is_said(con: duckdb.DuckDBPyConnection, heard: list[str], call: str) -> None:
    _table(con, 120, "(i // 4)::INTEGER")
    con.execute(f"FROM {call}").fetchall()
    assert any("30 different ones" in s and "task := 'regression'" in s for s in heard)


def test_a_few_are_plainly_classes(con: duckdb.DuckDBPyConnection, heard: list[str]) -> None:
    _table(con, 120, "(i // 6)::INTEGER")
    con.execute("FROM evaluate(t, n, n)").fetchall()
    assert not any("regression" in each for each in heard)


@pytest.mark.parametrize("call", ["label_issues(t, v, n)", "fine_tune('m', t, v, n)"])
@pytest.mark.parametrize(("n", "is_number"), [("i", True), ("'key ' || i", False)])
def test_too_many_to_learn(
    con: duckdb.DuckDBPyConnection, call: str, n: str, is_number: bool
) -> None:
    _table(con, 1200, n)
    with pytest.raises(duckdb.Error, match="1,200 different values") as error:
        con.execute(f"FROM {call}").fetchall()
    assert ("task := 'regression'" in str(error.value)) is is_number
    assert ("ordered := ..." in str(error.value)) is is_number


def test_labels_that_look_like_keys(con: duckdb.DuckDBPyConnection, heard: list[str]) -> None:
    _table(con, 200, "if(i % 2 = 0, i, i % 10)")
    con.execute("FROM label_issues(t, v, n)").fetchall()
    assert any("is it the right column?" in s and "task := 'regression'" in s for s in heard)
