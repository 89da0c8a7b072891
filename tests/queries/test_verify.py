"""The query files verify, review_queue purpose=verify and correct, on one log."""

from __future__ import annotations

import duckdb
import pytest

from sqlfuncs.errors import SqlfuncsError
from tests.queries.test_reviewing import run_query

CANDIDATES = 120


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `train` of 600 rows, 120 of them called otherwise than is likely, and `answers`.

    Of those 120 nine in ten are wrong.
    """
    con.execute(f"""
        CREATE TABLE train AS
        SELECT i AS id, 'row ' || i AS text, if(i % 2 = 0, 'a', 'b') AS label,
            if((i % 2 = 0) = (i < {CANDIDATES}), 0.1, 0.9) AS p, MAP {{'a': p, 'b': 1 - p}} AS probs
        FROM range(600) r(i);
        CREATE TABLE answers AS
        SELECT id, if(id < {CANDIDATES} AND id % 10 <> 7, if(label = 'a', 'b', 'a'), label) AS label
        FROM train;
        CREATE TABLE issues AS FROM label_issues(train, probs, label)
    """)
    return con


def _queue(t: duckdb.DuckDBPyConnection, **given: object) -> list[int]:
    return [row["id"] for row in run_query(t, "review_queue", purpose="verify", **given)[0]]


def test_the_queue_is_that_of_the_function(t: duckdb.DuckDBPyConnection) -> None:
    own = t.execute(
        "SELECT id FROM review_queue(train, probs, label, id, purpose := 'verify', budget := 500)"
    ).fetchall()
    assert [(key,) for key in _queue(t, budget=500)] == own
    assert len(own) == CANDIDATES


def test_answers_are_taken_in_the_order_of_the_queue(t: duckdb.DuckDBPyConnection) -> None:
    expected = _queue(t, budget=30)
    for budget in (15, 30, 30):
        run_query(t, "verify", budget=budget)
    found = t.execute("SELECT key::INTEGER FROM decisions").fetchall()
    assert sorted(key for (key,) in found) == sorted(expected)
    assert not {*_queue(t, log="decisions", budget=500)} & set(expected)


def test_a_row_without_an_answer_ends_the_sample(t: duckdb.DuckDBPyConnection) -> None:
    third = _queue(t, budget=3)[2]
    t.execute("DELETE FROM answers WHERE id = ?", [third])
    assert run_query(t, "verify")[-1][0]["answered"] == 2
    assert _queue(t, log="decisions", budget=1) == [third]


def test_the_whole_way(t: duckdb.DuckDBPyConnection) -> None:
    """A sample is answered, the others are corrected; later answers win, and corrections stay."""
    shown = run_query(t, "verify", budget=30)[-1][0]
    assert shown["answered"] == 30
    assert shown["suggestion_right"] + shown["label_right"] == 30
    run_query(t, "correct")
    made = t.execute("""
        SELECT count(*), any_value(reason) FROM decisions WHERE decided_by = 'auto_corrections'
    """).fetchall()[0]
    assert made[0] == CANDIDATES - 30
    assert "of 30 rows that people reviewed, drawn at random" in made[1]
    right = "SELECT count(*) FROM {} AS t JOIN answers AS a USING (id) WHERE t.label = a.label"
    before = t.execute(right.format("train")).fetchall()[0][0]
    after = t.execute(right.format("corrected")).fetchall()[0][0]
    assert after > before + 60
    assert run_query(t, "verify", budget=40)[-1][0]["answered"] == 40
    run_query(t, "correct")
    in_force = t.execute("""
        SELECT d.who, count(*) FROM (
            SELECT arg_max({who: decided_by}, decided_at) AS d FROM decisions GROUP BY key
        ) GROUP BY ALL ORDER BY ALL
    """).fetchall()
    assert in_force == [("auto_corrections", CANDIDATES - 40), ("reviewer", 40)]


def test_what_was_proposed_before_rests_on_the_sample_then(t: duckdb.DuckDBPyConnection) -> None:
    reasons = """
        SELECT count(*), count(*) FILTER (contains(reason, 'people reviewed')) FROM (
            SELECT arg_max(reason, decided_at) AS reason FROM decisions
            WHERE decided_by = 'auto_corrections' AND key NOT IN (
                SELECT key FROM decisions WHERE decided_by = 'reviewer'
            ) GROUP BY key
        )
    """
    run_query(t, "correct")
    assert t.execute(reasons).fetchall() == [(CANDIDATES, 0)]
    run_query(t, "verify", budget=30)
    for _ in range(2):
        run_query(t, "correct")
    assert t.execute(reasons).fetchall() == [(CANDIDATES - 30, CANDIDATES - 30)]
    assert t.execute("SELECT count(*) FROM decisions").fetchall() == [
        (CANDIDATES + 30 + CANDIDATES - 30,)  # proposed, reviewed, and proposed by the sample, once
    ]


def test_a_sample_that_refutes_withdraws_what_was_proposed(t: duckdb.DuckDBPyConnection) -> None:
    run_query(t, "correct")
    proposed = t.execute("SELECT count(*) FROM decisions WHERE action = 'relabel'").fetchall()
    assert proposed == [(CANDIDATES,)]
    run_query(t, "verify", answers="train", budget=20)  # every label is right, says somebody
    run_query(t, "correct")
    assert t.execute("""
        SELECT count(*) FROM corrected AS c JOIN train AS t USING (id) WHERE c.label <> t.label
    """).fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("query", "given", "error"),
    [
        ("verify", {"budget": 0}, "budget is how many rows: 1 or more"),
        ("verify", {"budget": ""}, "budget is how many rows: 1 or more"),
        ("verify", {"answer": "nope"}, "nope"),
        ("verify", {"issues": "train"}, "class_probs"),
        ("review_queue", {"purpose": "all"}, "purpose is find or verify"),
        ("review_queue", {"purpose": "verify", "order": "random"}, "leave learn and order out"),
        ("correct", {"risk": 0}, "risk := 0.0 has to lie between 0 and 1"),
        ("correct", {"precision": 90}, "precision := 90.0 has to lie between 0 and 1"),
    ],
)
def test_what_makes_no_sense(
    t: duckdb.DuckDBPyConnection, query: str, given: dict[str, object], error: str
) -> None:
    with pytest.raises(SqlfuncsError) as caught:
        run_query(t, query, **given)
    assert error in str(caught.value)


_OF_TAGS = "MAP {'a': .5, 'b': .5}"


@pytest.mark.parametrize(
    ("label", "suggested", "probs"),
    [
        ("id::INTEGER", "(id + 1)::INTEGER", "NULL::MAP(VARCHAR, DOUBLE)"),
        ("id + .5::DOUBLE", "id + 1.5::DOUBLE", "NULL::MAP(VARCHAR, DOUBLE)"),
        ("['a']", "['a', 'b']", _OF_TAGS),
        ("['a', 'a']", "['a', 'b']", "NULL::MAP(VARCHAR, DOUBLE)"),
    ],
)
def test_of_labels_that_are_no_classes_all_that_is_flagged_is_drawn(
    con: duckdb.DuckDBPyConnection, label: str, suggested: str, probs: str
) -> None:
    con.execute(f"""
        CREATE TABLE issues AS
        SELECT id, 'x' AS text, {label} AS label, .1 AS label_quality, id % 3 = 0 AS is_label_issue,
            if(id % 3 = 0, if(id = 3, {label}, {suggested}), NULL) AS suggested_label,
            if(id % 3 = 0, .9, NULL) AS suggested_confidence, {probs} AS class_probs,
            NULL::VARCHAR AS not_judged
        FROM range(30) AS r(id)
    """)
    (drawn,) = run_query(con, "review_queue", purpose="verify", budget=100)
    assert sorted(row["id"] for row in drawn) == [0, *range(6, 30, 3)]


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("if(id % 2 = 0, 'a', 'b')::ENUM ('a', 'b')", "'late'"),
        ("DATE '2026-01-01' + id::INTEGER % 2", "'late'"),
        ("(id % 2)::INTEGER", "'1.5'"),
        ("(id % 2 + .5)::DECIMAL(5, 2)", "'late'"),
        ("if(id % 2 = 0, ['a'], ['a', 'b'])", "'a, b'"),
        ("if(id % 2 = 0, 'a', 'b')", "''"),
    ],
)
@pytest.mark.parametrize("query", ["verify", "take_review"])
def test_answers_that_are_no_labels_leave_no_decision(
    con: duckdb.DuckDBPyConnection, query: str, label: str, answer: str
) -> None:
    """Decisions that no label can be made of would stand in the way of all others, for good."""
    con.execute(f"""
        CREATE TABLE issues AS
        SELECT id, {label} AS label, .1 AS label_quality, true AS is_label_issue,
            lead({label}) OVER (ORDER BY id) AS suggested_label, .9 AS suggested_confidence,
            MAP {{(min({label}) OVER ())::VARCHAR: .1, (max({label}) OVER ())::VARCHAR: .9}}
                AS class_probs,
            NULL::VARCHAR AS not_judged
        FROM range(9) AS r(id);
        CREATE TABLE train AS SELECT id, label FROM issues;
        CREATE TABLE answers AS SELECT id, {answer} AS label FROM train
    """)
    with pytest.raises(SqlfuncsError, match="nothing was applied: decisions whose new_label"):
        run_query(con, query)
    log = "decisions" if query == "verify" else "reviewed_decisions"
    assert con.execute(f"SELECT count(*) FROM {log}").fetchall() == [(0,)]
