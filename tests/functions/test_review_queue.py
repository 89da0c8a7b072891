from __future__ import annotations

import duckdb
import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from sqlfuncs.learning.detection.review_ranking import quality_after_review
from tests.functions.decisions import COLUMNS, FAULTS, decide, three_rows

ADDED = [
    "review_rank",
    "label_quality",
    "is_label_issue",
    "suggested_label",
    "predicted_label",
    "class_probs",
]
ANSWERS = """
INSERT INTO log
SELECT id, if(label = true_label, 'keep', 'relabel'), label, true_label, 'ann', NULL,
    now() AT TIME ZONE 'UTC'
FROM review_queue(requests, text, label, id, log := log)
"""


def _points(con: duckdb.DuckDBPyConnection, kind: str = "VARCHAR") -> None:
    """The table `t`: 60 rows around two points; rows 5 and 6 have the other one's label."""
    con.execute(f"""
        CREATE OR REPLACE TABLE t AS
        SELECT i AS id, [cos(i), sin(i) + 8 * (i % 2)]::FLOAT[] AS x,
            if(i IN (5, 6), 1 - i % 2, i % 2)::VARCHAR::{kind} AS label
        FROM range(60) r(i)
    """)


def _ids(con: duckdb.DuckDBPyConnection, options: str = "") -> list[object]:
    found = con.execute(f"SELECT id FROM review_queue(t, x, label, id{options})").fetchall()
    return [row[0] for row in found]


def test_columns_and_order(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    found = con.execute("FROM review_queue(t, x, label, id, budget := 5)")
    assert [c[0] for c in found.description or []] == ["id", "x", "label", *ADDED]
    rows = found.df()
    assert rows.review_rank.tolist() == [1, 2, 3, 4, 5]
    assert set(rows.id[:2]) == {5, 6}
    assert rows.is_label_issue.tolist() == [True, True, False, False, False]
    assert dict(zip(rows.id[:2], rows.suggested_label[:2], strict=True)) == {5: "1", 6: "0"}
    assert rows.suggested_label[2:].isna().all()
    assert rows.label_quality.is_monotonic_increasing
    assert rows.label_quality.between(0, 1).all()


def test_without_decisions_it_is_the_order_of_label_issues(
    sample: duckdb.DuckDBPyConnection,
) -> None:
    queued = sample.execute(
        "SELECT id, label_quality FROM review_queue(requests, text, label, id, budget := 2000)"
    ).fetchall()
    judged = sample.execute(
        "SELECT id, label_quality FROM label_issues(requests, text, label) "
        "ORDER BY label_quality, id::VARCHAR"
    ).fetchall()
    assert queued == judged


@pytest.mark.parametrize("kind", ["VARCHAR", "INTEGER", "DOUBLE", "ENUM('0', '1')"])
def test_labels_of_any_type(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    _points(con, kind)
    con.execute("CREATE TABLE q AS FROM review_queue(t, x, label, id, budget := 2)")
    found = con.execute(
        "SELECT DISTINCT typeof(label) = typeof(suggested_label), label <> suggested_label FROM q"
    )
    assert found.fetchall() == [(True, True)]


def test_decided_rows_leave_the_queue(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    decide(
        con,
        ("5", "relabel", "0", "1", 1),
        ("6", "keep", "1", None, 1),
        ("7", "exclude", "1", None, 1),
        ("8", "needs_review", "0", None, 1),
        ("9", "keep", "1", None, 1),
        ("9", "needs_review", "1", None, 2),
    )
    queued = _ids(con, ", log := log, budget := 1000")
    assert sorted(map(str, queued)) == sorted(str(i) for i in range(60) if i not in (5, 6, 7))
    labels = con.execute(
        "SELECT bool_and(q.label = t.label) FROM review_queue(t, x, label, id, log := log) AS q "
        "JOIN t AS t USING (id)"
    )
    assert labels.fetchall() == [(True,)]


def test_the_model_learns_what_was_decided(con: duckdb.DuckDBPyConnection) -> None:
    """The group on the right is wrong throughout; 24 answers tell the model so."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, [i % 3 * 6 + cos(i), sin(i)]::FLOAT[] AS x,
            if(i % 3 = 0, 'a', 'b') AS label
        FROM range(90) r(i)
    """)
    decide(con, *((str(i), "relabel", "b", "c", 1) for i in range(2, 74, 3)))
    predicted = con.execute(
        "SELECT id % 3, mode(predicted_label), min(review_rank) FROM "
        "review_queue(t, x, label, id, log := log, budget := 90) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [row[:2] for row in predicted] == [(0, "a"), (1, "b"), (2, "c")]
    assert predicted[2][2] == 1
    decide(con, *((str(i), "exclude", "b", None, 1) for i in range(2, 90, 3)))
    alone = con.execute(
        "SELECT DISTINCT map_keys(class_probs) FROM review_queue(t, x, label, id, log := log)"
    )
    assert alone.fetchall() == [(["a", "b"],)]
    assert len(_ids(con, ", log := log")) == 60


def test_answers_find_more_errors_than_one_ranking(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute(f"CREATE TABLE log ({COLUMNS})")
    for _ in range(4):
        sample.execute(ANSWERS)
    found = sample.execute("SELECT count(*), count(*) FILTER (action = 'relabel') FROM log")
    ((reviewed, in_rounds),) = found.fetchall()
    one_go = "FROM review_queue(requests, text, label, id, budget := 400) WHERE label <> true_label"
    ((at_once,),) = sample.execute(f"SELECT count(*) {one_go}").fetchall()
    assert reviewed == 400
    assert in_rounds >= at_once
    assert in_rounds >= 210  # of 273


def test_neither_order_nor_threads_nor_the_log_s_order_change_anything(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _points(con)
    con.execute("INSERT INTO t SELECT id + 100, x, label FROM t")  # every row twice: ties
    decide(con, ("5", "relabel", "0", "1", 1), ("6", "keep", "1", None, 1))
    expected = con.execute("FROM review_queue(t, x, label, id, log := log)").fetchall()
    con.execute("CREATE TABLE u AS FROM t ORDER BY hash(id)")
    con.execute("CREATE TABLE l AS FROM log ORDER BY key DESC; SET threads = 1")
    assert con.execute("FROM review_queue(u, x, label, id, log := l)").fetchall() == expected


def test_views_ctes_names_and_options(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    decide(con, ("5", "relabel", "0", "1", 1))
    con.execute("CREATE TEMP VIEW v AS FROM log")
    expected = _ids(con, ", log := log")
    assert 5 not in expected
    assert _ids(con, ", log := v") == expected
    assert _ids(con, ", log := 'log'") == expected
    given = "WITH a AS (FROM t), b AS (FROM log) SELECT id FROM"
    found = con.execute(f"{given} sqlfuncs.review_queue(a, x, label, id, log := b)").fetchall()
    assert [row[0] for row in found] == expected
    assert _ids(con, ", log := NULL, budget := NULL, model := NULL") == _ids(con)
    odd = 'SELECT id AS log, x AS tbl, label AS "it\'s", id AS "key", 1 AS budget FROM t'
    found = con.execute(
        f'WITH o AS ({odd}) SELECT log FROM review_queue(o, tbl, "it\'s", "key", log := log)'
    ).fetchall()
    assert [row[0] for row in found] == expected


def test_keys_of_any_type(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    for key in (
        "id::VARCHAR",
        "DATE '2026-01-01' + id::INTEGER",
        "{k: id}",
        "md5(id::VARCHAR)::UUID",
    ):
        con.execute(f"CREATE OR REPLACE TABLE k AS SELECT *, {key} AS k FROM t")
        con.execute(
            "CREATE OR REPLACE TABLE log AS SELECT k AS key, 'keep' AS action, label AS old_label, "
            "NULL AS new_label, 'ann' AS decided_by, now() AS decided_at FROM k WHERE id < 7"
        )
        left = con.execute("SELECT count(*) FROM review_queue(k, x, label, k, log := log)")
        assert left.fetchall() == [(53,)]


def test_rows_that_cannot_be_judged_are_not_queued(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    con.execute("UPDATE t SET x = NULL WHERE id = 5; UPDATE t SET label = NULL WHERE id = 6")
    con.execute("INSERT INTO t VALUES (NULL, [0.1, 0.2], '0')")
    queued = _ids(con, ", budget := 1000")
    assert None in queued
    assert 5 not in queued
    assert 6 not in queued


def test_your_own_probabilities(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, 'a' AS label, MAP {'a': i / 40, 'b': 1 - i / 40} AS x
        FROM range(40) r(i);
        INSERT INTO t VALUES (50, 'b', MAP {'a': 0.1, 'b': 0.9})
    """)
    assert _ids(con, ", budget := 3") == [0, 1, 2]
    found = con.execute("SELECT class_probs = x FROM review_queue(t, x, label, id, budget := 1)")
    assert found.fetchall() == [(True,)]
    decide(con, ("0", "keep", "a", None, 1), ("1", "keep", "a", None, 1))
    ((quality,),) = con.execute(
        "SELECT label_quality FROM review_queue(t, x, label, id, log := log) WHERE id = 2"
    ).fetchall()
    assert quality > 2 / 40  # what looked as bad was right


def test_nothing_left_to_review(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    decide(
        con,
        *((str(i), "keep", str(1 - i % 2 if i in (5, 6) else i % 2), None, 1) for i in range(60)),
    )
    assert _ids(con, ", log := log") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_log_are_listed(con: duckdb.DuckDBPyConnection, fault: str) -> None:
    three_rows(con)
    decisions, parts = FAULTS[fault]
    decide(con, *decisions)
    with pytest.raises(duckdb.InvalidInputException) as caught:
        con.execute("FROM review_queue(t, label, label, id, log := log)").fetchall()
    assert [part for part in parts if part not in str(caught.value)] == []


def test_a_table_with_a_column_of_ours(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, x, label)")
    with pytest.raises(duckdb.InvalidInputException, match="which review_queue adds"):
        con.execute("FROM review_queue(issues, x, label, id)").fetchall()


def _drawn(rng: np.random.Generator, rates: list[float]) -> tuple[np.ndarray, ...]:
    """Rows of two groups, whose labels are wrong at these rates, and a model that says half."""
    group = rng.integers(2, size=400)
    wrong = rng.random(400) < np.array(rates)[group]
    probs = np.where(group[:, None] == 1, [0.45, 0.55], [0.55, 0.45])
    quality = np.clip(0.5 + 0.05 * rng.standard_normal(400), 0, 1)
    return np.zeros(400, dtype=int), probs, quality, wrong


def test_reviewed_rows_teach_which_group_is_wrong() -> None:
    rng = np.random.default_rng(0)
    given, probs, quality, wrong = _drawn(rng, [0.1, 0.8])
    reviewed = quality < np.quantile(quality, 0.2)
    after = quality_after_review(given, probs, quality, reviewed, wrong)
    rest = ~reviewed
    before = average_precision_score(wrong[rest], -quality[rest])
    assert average_precision_score(wrong[rest], -after[rest]) > before + 0.2
    assert ((after >= 0) & (after <= 1)).all()


def test_rows_reviewed_because_they_look_bad_bias_nothing() -> None:
    """A model that is right about chances stays as it is, whatever was picked by its word."""
    rng = np.random.default_rng(0)
    given = np.zeros(4000, dtype=int)
    quality = rng.random(4000)
    wrong = rng.random(4000) > quality
    probs = np.tile([0.5, 0.5], (4000, 1))
    reviewed = quality < 0.3
    after = quality_after_review(given, probs, quality, reviewed, wrong)
    assert np.abs(after - quality).max() < 0.05


@pytest.mark.parametrize(("purpose", "left"), [("'find'", 59), ("NULL", 59), ("'verify'", 2)])
def test_what_is_proposed_is_decided_but_to_those_who_verify(
    con: duckdb.DuckDBPyConnection, purpose: str, left: int
) -> None:
    _points(con)
    decide(con, ("5", "relabel", "0", "1", 1))
    con.execute("UPDATE log SET decided_by = 'auto_corrections'")
    assert len(_ids(con, f", log := log, purpose := {purpose}")) == left


def test_an_unknown_purpose_names_those_there_are(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    with pytest.raises(duckdb.InvalidInputException, match="It may be 'find', 'verify'"):
        _ids(con, ", purpose := 'all'")
