"""Numbers and tags at the edges: models without skill, ties, logs, units, and what is missing."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    (row,) = con.execute(sql).fetchall()
    return tuple(row)


@pytest.mark.parametrize("contents", [1, 4, 400])
def test_tags_that_x_says_nothing_of_are_not_doubted(
    con: duckdb.DuckDBPyConnection, contents: int
) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(contents, 4)).astype(np.float32)[np.arange(400) % contents]
    has = random.random((400, 3)) < [0.5, 0.4, 0.2]
    labels = [[name for name, is_ in zip("abc", row, strict=True) if is_] for row in has]
    con.execute("CREATE TABLE t (id INTEGER, v FLOAT[], tags VARCHAR[])")
    rows = zip(range(400), vectors.tolist(), labels, strict=True)
    con.executemany("INSERT INTO t VALUES (?, ?, ?)", [list(row) for row in rows])
    flagged, wrong = _count(
        con, "SELECT count(*) FILTER (is_label_issue), count(*) FROM label_issues(t, v, tags)"
    )
    assert flagged < 0.05 * wrong


def test_rows_that_are_tied_are_judged_alike_in_any_order(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, MAP {'a': round(abs(sin(i)), 1), 'b': round(abs(cos(i * 1.3)), 1)} AS p,
            list_filter(['a', 'b'], lambda n: hash(i * 2 + ascii(n)) % 100 < 100 * p[n]) AS tags
        FROM range(300) r(i)
    """)
    call = "SELECT * FROM label_issues({}, p, tags) ORDER BY id"
    expected = con.execute(call.format("t")).fetchall()
    for order in ("tags, id", "tags DESC, id", "hash(id)"):
        con.execute(f"CREATE OR REPLACE TABLE shuffled AS FROM t ORDER BY {order}")
        assert con.execute(call.format("shuffled")).fetchall() == expected


@pytest.fixture
def few(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 120 vectors with tags, a class and a number; the label of half is NULL."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, [sin(i), cos(i * 1.3)]::FLOAT[] AS v,
            if(sin(i) > 0, ['a', 'all'], ['all']) AS tags, if(i % 2 = 0, tags, NULL) AS half,
            if(sin(i) > 0, 'a', 'b') AS cls, sin(i) * 50 + i / 100 AS y, i % 2 AS n
        FROM range(120) r(i)
    """)
    return con


def _log(
    con: duckdb.DuckDBPyConnection, where: str, new: str, old: str = "NULL::VARCHAR[]"
) -> None:
    con.execute(f"""
        CREATE OR REPLACE TABLE log AS
        SELECT id AS key, 'relabel' AS action, {old} AS old_label, {new} AS new_label,
            'ann' AS decided_by, TIMESTAMP '2026-01-01' AS decided_at FROM t WHERE {where}
    """)


def test_what_people_say_of_rows_without_tags_is_learned(few: duckdb.DuckDBPyConnection) -> None:
    _log(few, "id % 2 = 1", "if(sin(id) > 0, ['a', 'new', 'all'], ['all'])")
    call = "SELECT avg(class_probs['a']), avg(class_probs['new']) FROM label_issues(t, v, half{})"
    told, plain = (_count(few, call.format(m)) for m in (", key := id, log := log", ""))
    assert told[0] != plain[0] and told[1] is not None and plain[1] is None


def test_a_tag_that_all_have_is_foreseen_for_all(few: duckdb.DuckDBPyConnection) -> None:
    found = few.execute("SELECT suggested_label FROM label_issues(t, v, half) WHERE half IS NULL")
    assert all("all" in tags for (tags,) in found.fetchall())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("label_issues(t, v, tags, task := 'classification')", "label holds lists, which are tags"),
        ("evaluate(t, tags, tags, task := 'classification')", "actual holds lists, which are tags"),
        ("review_queue(t, v, cls, id, task := 'multilabel')", "label holds no lists of text"),
        ("evaluate(t, cls, tags, task := 'multilabel')", "actual holds no lists of text"),
        ("model_strength(issues, cls, task := 'multilabel')", "label holds no lists of text"),
        ("auto_corrections(issues, id, n, task := 'multilabel')", "label holds no lists of text"),
        ("consensus(t, id, n, cls, task := 'multilabel')", "label holds no lists of text"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(
    few: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    few.execute("CREATE TABLE issues AS FROM label_issues(t, v, cls)")
    with pytest.raises(duckdb.Error) as error:
        few.execute(f"FROM {call}").fetchall()
    assert message in str(error.value)


def test_numbers_below_zero_are_judged_whatever_people_decided(
    few: duckdb.DuckDBPyConnection,
) -> None:
    few.execute("UPDATE t SET y = -1 - id")
    _log(few, "id >= 60", "exp(id % 13)", "y")
    few.execute(
        "INSERT INTO log "
        "SELECT id, 'exclude', y, NULL, 'ann', TIMESTAMP '2026-01-01' FROM t WHERE id < 60"
    )
    judged = _count(
        few, "SELECT count(label_quality) FROM label_issues(t, v, y, key := id, log := log)"
    )
    assert judged == (120,)


def test_one_gross_error_leaves_the_interval_of_the_others(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, [i % 5, i % 3]::FLOAT[] AS v,
            if(i = 7, 1e300, (i % 5)::DOUBLE + i / 1000) AS y FROM range(60) r(i)
    """)
    found = con.execute(
        "SELECT max(label_high - label_low), count(*) FILTER (is_label_issue) "
        "FROM label_issues(t, v, y)"
    )
    ((width, flagged),) = found.fetchall()
    assert width < 20 and flagged == 1


def test_a_number_as_x_is_said_to_be_a_prediction(
    few: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    few.execute("FROM label_issues(t, n, y)").fetchall()
    assert any("x is predictions of numbers" in said and "it is a field" in said for said in heard)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("SELECT 3.0 AS a, 2.0 AS b FROM range(4)", (4, 1.0, None, None, None)),
        ("SELECT 0.1 AS a, 0.2 AS b FROM range(3)", (3, 0.1, None, None, None)),
    ],
)
def test_what_cannot_be_explained_is_null(
    con: duckdb.DuckDBPyConnection, select: str, expected: tuple[object, ...]
) -> None:
    call = "evaluate(t, a, b, task := 'regression')"
    sql = f"WITH t AS ({select}) SELECT n, mae, r2, r2_low, r2_high FROM {call}"
    assert con.execute(sql).fetchall() == [pytest.approx(expected)]


def test_figures_of_huge_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i / 7 AS a, if(i = 0, 1e200, i / 7) AS b FROM range(60) r(i)"
    )
    ((mae, rmse),) = con.execute("SELECT mae, rmse FROM evaluate(t, a, b)").fetchall()
    assert (mae, rmse) == (pytest.approx(1e200 / 60), pytest.approx(1e200 / 60**0.5))


@pytest.mark.parametrize(("rows", "p_value"), [(1, 1.0), (2, 0.5), (8, 0.0078125)])
def test_equal_differences_are_no_certainty(
    con: duckdb.DuckDBPyConnection, rows: int, p_value: float
) -> None:
    con.execute(f"CREATE TABLE t AS SELECT 10 AS y, 9 AS p, 9.5 AS q FROM range({rows})")
    sql = "SELECT p_value FROM compare_models(t, y, p, q, task := 'regression')"
    assert con.execute(sql).fetchall() == [(p_value,)]


def test_no_prediction_is_wrong_where_there_is_no_tag(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT []::VARCHAR[] AS a, if(i < 2, NULL, []::VARCHAR[]) AS b "
        "FROM range(5) r(i)"
    )
    assert con.execute("SELECT n, correct, jaccard FROM evaluate(t, a, b)").fetchall() == [
        (5, 3, 0.6)
    ]
    compared = "SELECT accuracy_before, accuracy_after FROM compare_models(t, a, b, a)"
    assert con.execute(compared).fetchall() == [(0.6, 1.0)]


def test_a_letter_in_two_code_points_is_the_same_tag(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT ['\u00e9'] AS a, ['e\u0301'] AS b FROM range(3)")
    assert con.execute("SELECT correct FROM evaluate(t, a, b)").fetchall() == [(3,)]


def test_gross_errors_leave_finite_intervals(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i / 7 AS a, if(i = 3, 1e300, i / 7) AS b FROM range(50) r(i)"
    )
    call = "compare_models(t, a, b, a, task := 'regression')"
    ((low, high),) = con.execute(f"SELECT difference_low, difference_high FROM {call}").fetchall()
    assert -1e300 < low < high < 1e300


def test_health_counts_tags_that_are_missing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT if(i % 2 = 0 AND i % 20 > 0, ['a', 'b'], ['b']) AS tags,
            MAP {'a': if(i % 2 = 0, 0.98, 0.02), 'b': 0.5} AS p FROM range(200) r(i)
    """)
    columns = 'label, "rows", flagged, missing'
    found = con.execute(f"SELECT {columns} FROM label_health(t, p, tags)").fetchall()
    assert found[0] == (["a"], 90, 0, 10)
    assert con.execute(
        "SELECT count(*) FILTER (missing_tags = ['a']) FROM label_issues(t, p, tags)"
    ).fetchall() == [(10,)]
