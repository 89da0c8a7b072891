"""The query files with which a review goes on: review_queue, decide, undo, review_progress."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from sqlfuncs.cli.run import rendered
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.errors import SqlfuncsError
from sqlfuncs.queries import files
from tests.review.tables import CLASSES, EVIL, MADE

Rows = list[dict[str, Any]]
IN_FORCE = """
SELECT key, action, new_label FROM decisions
QUALIFY row_number() OVER (PARTITION BY key ORDER BY decided_at DESC) = 1
ORDER BY key
"""


def run_query(con: duckdb.DuckDBPyConnection, query: str, **given: object) -> list[Rows]:
    sql = rendered(files.find(query), {name: str(value) for name, value in given.items()})
    return [
        [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        for result in run(con, sql)
        if result.columns
    ]


def _decide(con: duckdb.DuckDBPyConnection, keys: str, by: str, new: str = "") -> None:
    what = {"new_label": new} if new else {"action": "keep"}
    run_query(con, "decide", table="t", keys=keys, reviewer=by, **what)


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """200 rows of labels a and b, and what `detect` may have found: 40 flags."""
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label, 'text ' || i AS text
        FROM range(200) r(i)
    """)
    con.execute("""
        CREATE TABLE issues AS SELECT *, id < 40 AS is_label_issue, id / 200 AS label_quality,
            if(id < 40, if(label = 'a', 'b', 'a'), NULL) AS suggested_label, NULL AS not_judged
        FROM t
    """)
    return con


def test_decisions_are_added_and_the_latest_is_in_force(t: duckdb.DuckDBPyConnection) -> None:
    ((first, second),) = run_query(
        t, "decide", table="t", keys="4,6", new_label="b", reviewer="o'neil", reason="it's b"
    )
    assert (first["key"], first["old_label"], first["new_label"]) == ("4", "a", "b")
    assert first["decided_at"] == second["decided_at"]
    assert first["decided_by"] == "o'neil"
    run_query(t, "decide", table="t", keys="4", action="exclude", reviewer="bob")
    assert t.execute(IN_FORCE).fetchall() == [("4", "exclude", None), ("6", "relabel", "b")]
    assert t.execute("SELECT count(*) FROM decisions").fetchall() == [(3,)]
    corrected = t.execute("SELECT count(*) FROM apply_corrections(t, decisions, id, label)")
    assert corrected.fetchall() == [(199,)]


def test_a_clock_that_goes_back_changes_no_order(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, "4", "ann", "b")
    t.execute("UPDATE decisions SET decided_at = decided_at + INTERVAL 1 DAY")
    _decide(t, "4", "bob")
    assert t.execute(IN_FORCE).fetchall() == [("4", "keep", None)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keys": "4,999", "action": "keep"}, "no row has the key 999"),
        ({"keys": "4", "action": "drop"}, "relabel, keep, exclude or needs_review, not drop"),
        ({"keys": "4", "action": "relabel"}, "takes new_label="),
        ({"keys": "4", "action": "keep", "new_label": "b"}, "goes with no other action"),
        ({"keys": "4", "new_label": "c"}, "no row has the label c. There are a, b; new_class=true"),
    ],
)
def test_what_does_not_exist_is_an_error_and_nothing_is_written(
    t: duckdb.DuckDBPyConnection, given: dict[str, str], message: str
) -> None:
    with pytest.raises(SqlfuncsError, match=message):
        run_query(t, "decide", table="t", **given)
    named = t.execute("SELECT table_name FROM duckdb_tables() WHERE database_name <> 'sqlfuncs'")
    assert sorted(named.fetchall()) == [("issues",), ("t",)]


def test_a_key_of_several_rows_is_an_error(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("INSERT INTO t FROM t WHERE id = 7")
    with pytest.raises(SqlfuncsError, match="several rows have the key 7"):
        _decide(t, "7", "ann")


def test_a_new_class_if_it_is_meant(t: duckdb.DuckDBPyConnection) -> None:
    run_query(t, "decide", table="t", keys="4", new_label="c", new_class=True)
    assert t.execute(IN_FORCE).fetchall() == [("4", "relabel", "c")]


def test_undo_takes_back_step_by_step(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, "4,6", "ann", "b")
    _decide(t, "4", "ann")
    ((undone,),) = run_query(t, "undo", reviewer="ann")
    assert (undone["key"], undone["action"], undone["new_label"]) == ("4", "relabel", "b")
    assert t.execute(IN_FORCE).fetchall() == [("4", "relabel", "b"), ("6", "relabel", "b")]
    ((*rows,),) = run_query(t, "undo", reviewer="ann")
    assert [row["action"] for row in rows] == ["needs_review", "needs_review"]
    with pytest.raises(SqlfuncsError, match="no decision of ann is in force"):
        run_query(t, "undo", reviewer="ann")
    _decide(t, "4", "ann", "b")
    run_query(t, "undo", reviewer="ann")
    assert t.execute(IN_FORCE).fetchall()[0] == ("4", "needs_review", None)


def test_what_correct_wrote_is_taken_back(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, "4", "ann", "b")
    t.execute("""
        INSERT INTO decisions BY NAME
        SELECT id::VARCHAR AS key, 'relabel' AS action, label AS old_label, 'b' AS new_label,
            'auto_corrections' AS decided_by, 'b is likelier' AS reason,
            TIMESTAMP '2030-01-01' AS decided_at
        FROM t WHERE id IN (0, 6)
    """)
    ((*rows,),) = run_query(t, "undo", reviewer="auto_corrections")
    assert sorted(row["key"] for row in rows) == ["0", "6"]
    assert {row["action"] for row in rows} == {"needs_review"}
    with pytest.raises(SqlfuncsError, match="no decision of auto_corrections is in force"):
        run_query(t, "undo", reviewer="auto_corrections")
    assert t.execute(
        "SELECT count(*) FROM corrections_diff(t, decisions, id, label)"
    ).fetchone() == (1,)


def test_nobody_decides_as_the_machine(t: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SqlfuncsError, match="name who decided"):
        _decide(t, "4", "auto_corrections")


def test_what_others_decided_since_is_not_undone(t: duckdb.DuckDBPyConnection) -> None:
    """The rest of the step is, and then the step before it."""
    _decide(t, "2", "ann", "b")
    _decide(t, "4,6", "ann", "b")
    _decide(t, "4", "bob")
    for key in ("6", "2"):
        ((row,),) = run_query(t, "undo", reviewer="ann")
        assert (row["key"], row["action"]) == (key, "needs_review")
    with pytest.raises(SqlfuncsError, match="no decision of ann is in force"):
        run_query(t, "undo", reviewer="ann")
    run_query(t, "undo", reviewer="bob")
    run_query(t, "undo", reviewer="ann")
    assert t.execute(IN_FORCE).fetchall() == [(key, "needs_review", None) for key in "246"]


def test_the_queue_leaves_out_what_is_decided_and_takes_back_what_is_undone(
    t: duckdb.DuckDBPyConnection,
) -> None:
    def queue(**given: object) -> list[int]:
        return [row["id"] for row in run_query(t, "review_queue", log="decisions", **given)[0]]

    _decide(t, "0,1", "ann")
    assert queue(budget=2) == [2, 3]
    run_query(t, "undo", reviewer="ann")
    with pytest.raises(SqlfuncsError, match="order is worst or random, not best"):
        queue(order="best")
    drawn = queue(order="random", budget=200)
    assert sorted(drawn) == list(range(200)) != drawn
    t.execute("CREATE OR REPLACE TABLE issues AS FROM issues ORDER BY random()")
    assert queue(order="random", budget=5) == drawn[:5]


def test_rows_without_a_key_are_not_drawn_to_be_verified(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""
        CREATE OR REPLACE TABLE issues AS
        SELECT * REPLACE (if(id % 10 = 3, NULL, id) AS id), {a: 0.5, b: 0.5} AS unused,
            .9 AS suggested_confidence,
            MAP {'a': if((label = 'a') = is_label_issue, .05, .95),
                'b': if((label = 'a') = is_label_issue, .95, .05)} AS class_probs
        FROM issues
    """)
    (drawn,) = run_query(t, "review_queue", purpose="verify", budget=100)
    assert len(drawn) == 36
    assert all(row["id"] is not None for row in drawn)


def test_progress_by_reviewer_of_flags_and_of_what_is_left(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, "0,1,2", "ann", "b")  # 1 was b: nothing is wrong with it
    _decide(t, "3", "bob")
    _decide(t, "5", "bob")
    run_query(t, "undo", reviewer="bob")
    t.execute(
        "INSERT INTO decisions VALUES "
        "('8', 'relabel', 'a', 'b', 'auto_corrections', NULL, now() AT TIME ZONE 'UTC')"
    )
    reviewers, (flags,), (left,) = run_query(t, "review_progress")
    by = {row["decided_by"]: row for row in reviewers}
    assert (by["ann"]["relabelled"], by["bob"]["kept"], by["bob"]["undone"]) == (2, 2, 1)
    assert by["ann"]["kept"] == 1
    assert (flags["reviewed"], flags["wrong"], flags["flags_reviewed"]) == (4, 2, 4)
    assert flags["precision"] == 0.5
    assert 0.1 < flags["precision_low"] < 0.5 < flags["precision_high"] < 0.9
    assert "Review 20 rows of review_queue order=random" in left["wrong_labels_left"]
    drawn = run_query(t, "review_queue", order="random", budget=50)[0]
    for row in drawn:
        _decide(
            t,
            str(row["id"]),
            "cy",
            *(["b" if row["id"] % 2 == 0 else "a"] if row["id"] < 40 else []),
        )
    _, (flags,), (left,), curve = run_query(t, "review_progress", curve=True)
    assert left["random_rows_reviewed"] >= 50
    assert left["wrong_among_them"] == sum(row["id"] < 40 for row in drawn)
    assert "have wrong labels (95 %)" in left["wrong_labels_left"]
    assert curve[0]["reviewed"] == flags["reviewed"]
    assert curve[0]["errors_left_low"] <= curve[0]["errors_left"] <= curve[0]["errors_left_high"]
    # What is excluded, and what was not judged, says nothing of the others.
    run_query(t, "decide", table="t", keys=str(drawn[3]["id"]), action="exclude", reviewer="cy")
    t.execute("UPDATE issues SET label_quality = NULL WHERE id IN (20, 21, 22)")
    *_, (left,), curve = run_query(t, "review_progress", curve=True)
    low, high = curve[0]["errors_left_low"], curve[0]["errors_left_high"]
    assert f"{low:.0f} to {high:.0f} have wrong labels" in left["wrong_labels_left"]
    tables = t.execute("SELECT table_name FROM duckdb_tables() WHERE table_name = '_reviewed'")
    assert tables.fetchall() == []


def test_answers_about_rows_without_a_label_give_them_one(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("CREATE TABLE answers AS SELECT id, 'b' AS label FROM t")
    t.execute("UPDATE t SET label = NULL WHERE id = 3")
    for _ in range(2):
        run_query(t, "take_review", table="t", reviewer="ann")
    log = t.execute("SELECT action, new_label FROM reviewed_decisions WHERE key = '3'")
    assert log.fetchall() == [("relabel", "b")]
    kept = t.execute("SELECT DISTINCT old_label FROM reviewed_decisions WHERE action = 'keep'")
    assert kept.fetchall() == [("b",)]
    assert t.execute("SELECT count(*) FROM reviewed WHERE label <> 'b'").fetchall() == [(0,)]


def test_the_queue_learns_as_that_of_the_page_does(con: duckdb.DuckDBPyConnection) -> None:
    """Flags of one class turn out wrong: those of the other come before the rest of it."""
    con.execute(MADE.format(rows=300), [list(CLASSES), EVIL])
    con.execute("CREATE TABLE issues AS FROM label_issues(train, probs, label)")
    wanted = {"x": "probs", "budget": 20, "log": "decisions", "learn": True}
    kept = con.execute(
        "SELECT string_agg(id, ',' ORDER BY id) FROM "
        "(FROM issues WHERE is_label_issue AND label = $1 ORDER BY id LIMIT 7)", [CLASSES[0]]
    ).fetchall()[0][0]  # fmt: skip
    run_query(con, "decide", keys=kept, reviewer="ann")
    queue = run_query(con, "review_queue", **wanted)[0]
    expected = con.execute(
        "SELECT id FROM review_queue(train, probs, label, id, budget := 20, log := decisions)"
    ).fetchall()
    assert [row["id"] for row in queue] == [key for (key,) in expected]
    assert CLASSES[0] not in {row["given"] for row in queue[:10]}
    for given, message in (
        ({"log": ""}, "log=decisions"), ({"order": "random"}, "changes the order worst"),
    ):  # fmt: skip
        with pytest.raises(SqlfuncsError, match=message):
            run_query(con, "review_queue", **{**wanted, **given})


def test_a_log_of_another_type_is_about_the_same_rows(sample: duckdb.DuckDBPyConnection) -> None:
    """Keys and labels of DOUBLE, and a log that a file or another program made BIGINT of."""
    sample.execute(
        "CREATE TABLE train AS SELECT id::DOUBLE AS id, text, "
        "list_position(['account', 'billing', 'delivery', 'product'], label)::DOUBLE AS label "
        "FROM requests"
    )
    sample.execute("CREATE TABLE issues AS FROM label_issues(train, text, label)")
    ((key, old),) = sample.execute(
        "SELECT key, old_label FROM auto_corrections(issues, id, label) ORDER BY key LIMIT 1"
    ).fetchall()
    sample.execute(
        f"CREATE TABLE decisions AS SELECT {key}::BIGINT AS key, 'keep' AS action, {old}::BIGINT "
        "AS old_label, NULL::BIGINT AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason, "
        "TIMESTAMP '2024-01-01' AS decided_at"
    )
    count = "SELECT count(*) FROM decisions"
    run_query(sample, "correct")
    assert sample.execute("SELECT label FROM corrected WHERE id = ?", [key]).fetchall() == [(old,)]
    after = sample.execute(count).fetchall()
    assert after > [(1,)]
    run_query(sample, "correct")
    assert sample.execute(count).fetchall() == after
    sample.execute("CREATE TABLE answers AS SELECT id, label::BIGINT AS label FROM train LIMIT 5")
    run_query(sample, "take_review", reviewer="bob")
    found = sample.execute("SELECT DISTINCT action FROM reviewed_decisions").fetchall()
    assert found == [("keep",)]
