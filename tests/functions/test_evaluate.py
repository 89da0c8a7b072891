from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from tests.functions.predictions import Guesser, load, random_case

COLUMNS = ["n", "correct", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "weighted_f1"]
TYPES = ["BIGINT", "BIGINT", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"]


def _wilson(hits: int, n: int) -> tuple[float, float]:
    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 200), classes=st.integers(1, 8))
def test_the_figures_of_scikit_learn_and_scipy(
    con: duckdb.DuckDBPyConnection, seed: int, rows: int, classes: int
) -> None:
    case = random_case(seed, rows, classes)
    load(con, case)
    actual, predicted = case.known
    found = con.execute("FROM evaluate(t, actual, predicted)")
    assert [column[0] for column in found.description or []] == COLUMNS
    assert [str(column[1]) for column in found.description or []] == TYPES
    ((n, correct, *figures),) = found.fetchall()
    assert n == len(actual)
    assert correct == sum(a == p for a, p in zip(actual, predicted, strict=True))
    scores = [
        f1_score(actual, predicted, labels=case.classes, average=average, zero_division=0)
        for average in ("macro", "weighted")
    ]
    expected = [accuracy_score(actual, predicted), *_wilson(correct, n), *scores]
    assert figures == pytest.approx(expected, rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 1), (1, 1), (0, 7), (7, 7), (1, 2), (500, 1000), (99_999, 100_000)]
)
def test_the_interval_holds_the_accuracy(con: duckdb.DuckDBPyConnection, hits: int, n: int) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT 'a' AS a, if(i < {hits}, 'a', 'b') AS p FROM range({n}) r(i)"
    )
    ((accuracy, low, high),) = con.execute(
        "SELECT accuracy, accuracy_low, accuracy_high FROM evaluate(t, a, p)"
    ).fetchall()
    assert (low, high) == pytest.approx(_wilson(hits, n), rel=0, abs=1e-9)
    assert 0 <= low <= accuracy <= high <= 1


def test_a_missing_prediction_is_wrong_and_a_missing_truth_is_left_out(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "CREATE TABLE t AS FROM (VALUES ('a', 'a'), ('a', NULL), (NULL, 'a'), (NULL, NULL), "
        "('b', 'b'), (NULL, 'never')) v(a, p)"
    )
    ((n, correct, macro),) = con.execute(
        "SELECT n, correct, macro_f1 FROM evaluate(t, a, p)"
    ).fetchall()
    assert (n, correct) == (3, 2)
    assert macro == pytest.approx((2 / 3 + 1) / 2)


@pytest.mark.parametrize(
    "predicted", ["['1', '2', 'x']", "['1', '2', 'nan']", "[1, 2, 5]", "[1.0, 2.0, 5.0]::DOUBLE[]"]
)
def test_a_truth_that_is_not_a_number_is_missing(
    con: duckdb.DuckDBPyConnection, predicted: str
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT unnest(['1.0', '2.0', 'nan']::DOUBLE[]) AS actual, "
        f"unnest({predicted}) AS predicted"
    )
    assert con.execute("SELECT n, correct FROM evaluate(t, actual, predicted)").fetchall() == [
        (2, 2)
    ]
    found = con.execute("SELECT class FROM class_report(t, actual, predicted)").fetchall()
    assert found == [("1",), ("2",)]


@pytest.mark.parametrize("call", ["evaluate", "class_report", "confusion_matrix"])
def test_nothing_to_evaluate_is_an_error(con: duckdb.DuckDBPyConnection, call: str) -> None:
    con.execute("CREATE TABLE t (actual VARCHAR, predicted VARCHAR)")
    with pytest.raises(duckdb.InvalidInputException, match="the table has no rows"):
        con.execute(f"FROM {call}(t, actual, predicted)").fetchall()
    con.execute("INSERT INTO t VALUES (NULL, 'a'), (NULL, NULL)")
    with pytest.raises(duckdb.InvalidInputException, match="NULL in all 2 rows"):
        con.execute(f"FROM {call}(t, actual, predicted)").fetchall()


@pytest.mark.parametrize(
    ("truth", "prediction"),
    [
        ("INTEGER", "VARCHAR"),
        ("VARCHAR", "INTEGER"),
        ("INTEGER", "BIGINT"),
        ("INTEGER", "UTINYINT"),
        ("ENUM ('0', '1')", "VARCHAR"),
        ("ENUM ('0', '1')", "ENUM ('1', '0')"),
        ("BOOLEAN", "BOOLEAN"),
    ],
)
def test_types_that_differ(con: duckdb.DuckDBPyConnection, truth: str, prediction: str) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT a::{truth} AS a, p::{prediction} AS p "
        "FROM (VALUES ('0', '0'), ('1', '1'), ('1', '0'), ('0', NULL)) v(a, p)"
    )
    found = con.execute("SELECT n, correct FROM evaluate(t, a, p)").fetchall()
    assert found == [(4, 2)]


@pytest.mark.parametrize("prediction", ["DOUBLE", "DECIMAL(4, 1)"])
def test_whole_numbers_stored_as_fractions_are_the_same_classes(
    con: duckdb.DuckDBPyConnection, prediction: str
) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT a, p::{prediction} AS p "
        "FROM (VALUES (0, 0), (1, 1), (1, 0)) v(a, p)"
    )
    assert con.execute("SELECT correct FROM evaluate(t, a, p)").fetchall() == [(2,)]


@pytest.mark.parametrize("call", ["evaluate", "class_report", "confusion_matrix"])
def test_a_volatile_prediction_is_made_once_a_row(
    con: duckdb.DuckDBPyConnection, call: str
) -> None:
    con.execute("CREATE TABLE t AS SELECT 'c' || i % 4 AS actual FROM range(5000) r(i)")
    guesser = Guesser(con)
    con.execute(f"FROM {call}(t, actual, guess(actual))").fetchall()
    assert guesser.calls == 5000


def test_expressions_ctes_and_odd_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""CREATE TABLE "o""d.d" AS SELECT 'A' AS "actual ""x", 'a' AS predicted""")
    found = con.execute(
        'WITH input AS (FROM "o""d.d") '
        'SELECT correct FROM evaluate(input, lower("actual ""x"), predicted)'
    )
    assert found.fetchall() == [(1,)]


def test_many_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i % 10 AS actual, (i % 10 + (i % 4 = 0)::INT) AS predicted "
        "FROM range(500000) r(i)"
    )
    assert con.execute(
        "SELECT n, correct, accuracy FROM evaluate(t, actual, predicted)"
    ).fetchall() == [(500_000, 375_000, 0.75)]
