from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from tests.functions.predictions import load, random_case


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 200), classes=st.integers(1, 8))
def test_the_figures_of_scikit_learn(
    con: duckdb.DuckDBPyConnection, seed: int, rows: int, classes: int
) -> None:
    case = random_case(seed, rows, classes)
    load(con, case)
    actual, predicted = case.known
    rows_found = con.execute("FROM class_report(t, actual, predicted)").fetchall()
    found = {name: figures for name, *figures in rows_found}
    assert sorted(found) == case.classes
    assert len(rows_found) == len(found)
    expected = precision_recall_fscore_support(
        actual, predicted, labels=case.classes, zero_division=0
    )
    for name, *figures in zip(case.classes, *expected, strict=True):
        assert found[name] == pytest.approx(figures, rel=0, abs=1e-9)


def test_a_class_never_predicted_and_one_never_true(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS FROM (VALUES ('a', 'a'), ('b', 'a'), ('a', 'c'), (NULL, 'd'), "
        "('a', NULL)) v(a, p)"
    )
    found = con.execute("FROM class_report(t, a, p)")
    assert [column[0] for column in found.description or []] == [
        "class",
        "precision",
        "recall",
        "f1",
        "support",
    ]
    assert found.fetchall() == [
        ("a", 0.5, pytest.approx(1 / 3), pytest.approx(0.4), 3),
        ("b", 0.0, 0.0, 0.0, 1),
        ("c", 0.0, 0.0, 0.0, 0),
    ]


def test_numbers_stand_in_the_order_of_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS FROM (VALUES ('10'), ('9'), ('x'), ('-1'), ('Z')) v(a)")
    found = con.execute("SELECT class FROM class_report(t, a, a)").fetchall()
    assert [name for (name,) in found] == ["-1", "9", "10", "Z", "x"]
