from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from tests.functions.predictions import MISSING, load, random_case


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 200), classes=st.integers(1, 8))
def test_the_counts_of_scikit_learn(
    con: duckdb.DuckDBPyConnection, seed: int, rows: int, classes: int
) -> None:
    case = random_case(seed, rows, classes)
    load(con, case)
    actual, predicted = case.known
    found = con.execute("FROM confusion_matrix(t, actual, predicted)").fetchall()
    counts = {(a, MISSING if p is None else p): n for a, p, n in found}
    names = case.classes + ([MISSING] if MISSING in predicted else [])
    # One label alone makes scikit-learn warn.
    expected = confusion_matrix(actual, predicted, labels=[*names, "(no row)"])[:-1, :-1]
    assert len(counts) == len(found) == len(case.classes) * len(names)
    got = np.array([[counts.get((a, p), 0) for p in names] for a in case.classes])
    assert got.tolist() == expected[: len(case.classes)].tolist()


def test_pairs_that_do_not_occur_are_there_with_zero(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS FROM (VALUES ('a', 'a'), ('b', 'a'), ('a', NULL), (NULL, 'z')) v(a, p)"
    )
    found = con.execute("FROM confusion_matrix(t, a, p)")
    assert [column[0] for column in found.description or []] == ["actual", "predicted", "n"]
    assert found.fetchall() == [
        ("a", "a", 1),
        ("a", "b", 0),
        ("a", None, 1),
        ("b", "a", 1),
        ("b", "b", 0),
        ("b", None, 0),
    ]


def test_without_missing_predictions_there_is_no_null(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS FROM (VALUES (10, '10'), (9, '9'), (NULL, NULL)) v(a, p)")
    assert con.execute("FROM confusion_matrix(t, a, p)").fetchall() == [
        ("9", "9", 1),
        ("9", "10", 0),
        ("10", "9", 0),
        ("10", "10", 1),
    ]


def test_more_pairs_than_anybody_looks_at_are_refused(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i::VARCHAR AS a, i::VARCHAR AS p FROM range(5001) r(i)")
    with pytest.raises(duckdb.InvalidInputException, match="5,001 different values"):
        con.execute("FROM confusion_matrix(t, a, p)").fetchall()


@pytest.mark.parametrize("seed", range(5))
def test_the_counts_of_tags_are_those_of_scikit_learn(
    con: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = np.random.default_rng(seed)
    actual, predicted = random.random((2, 50, 4)) < 0.4
    for matrix in (actual, predicted):
        matrix[:4] = np.eye(4, dtype=bool)  # each tag is somewhere
    lists = [
        [["abcd"[tag] for tag in np.flatnonzero(row)] for row in matrix]
        for matrix in (actual, predicted)
    ]
    con.execute("CREATE TABLE t (a VARCHAR[], p VARCHAR[])")
    con.executemany("INSERT INTO t VALUES (?, ?)", list(zip(*lists, strict=True)))
    found = con.execute("FROM confusion_matrix(t, a, p)")
    assert [column[0] for column in found.description or []] == [
        "tag", "true_positives", "false_positives", "false_negatives", "true_negatives", "n",
    ]  # fmt: skip
    expected = multilabel_confusion_matrix(actual, predicted)
    assert found.fetchall() == [
        (tag, *cells[[1, 0, 1, 0], [1, 1, 0, 0]].tolist(), 50)
        for tag, cells in zip("abcd", expected, strict=True)
    ]


def test_numbers_that_are_said_to_be_classes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i % 2 AS a, 1 AS p FROM range(6) r(i)")
    found = con.execute("FROM confusion_matrix(t, a, p, task := 'classification')").fetchall()
    assert found == [("0", "0", 0), ("0", "1", 3), ("1", "0", 0), ("1", "1", 3)]
    with pytest.raises(duckdb.Error, match=r"\(regression\) have none. evaluate takes them"):
        con.execute("FROM confusion_matrix(t, a, p, task := 'regression')").fetchall()
