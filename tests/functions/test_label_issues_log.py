"""label_issues(..., key := column, log := decisions): what a reviewed sample teaches the rest."""

from __future__ import annotations

import duckdb
import pytest

LOG = """
CREATE OR REPLACE TABLE log AS
SELECT id AS key, if(truth = label, 'keep', '{wrong}') AS action, label AS old_label,
    CASE WHEN truth <> label AND '{wrong}' = 'relabel' THEN truth END AS new_label,
    '{by}' AS decided_by, NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
FROM t ORDER BY {order} LIMIT {rows}
"""
RANDOM = "sqlfuncs.main._sf_random_order(id)"
LOGGED = ", key := id, log := log"


def _log(con: duckdb.DuckDBPyConnection, rows: int, **changes: str) -> None:
    con.execute(
        LOG.format(**{"wrong": "relabel", "by": "ann", "order": RANDOM, **changes}, rows=rows)
    )


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t`: of 1,200 rows a third are called c and are b; the model has learned that."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 3 = 0, 'a', if(i % 3 = 1, 'b', 'c')) AS label,
            if(label = 'c' AND i % 4 > 0, 'b', label) AS truth,
            MAP {'a': if(label = 'a', .8, .1), 'b': if(label = 'b', .8, .1),
                'c': if(label = 'c', .8, .1)} AS probs
        FROM range(1200) r(i)
    """)
    return con


def _found(con: duckdb.DuckDBPyConnection, options: str = "") -> tuple[float, ...]:
    """How many rows are flagged, how many of these are wrong, and of how many b is suggested."""
    return con.execute(f"""
        SELECT count(*) FILTER (is_label_issue),
            count(*) FILTER (is_label_issue AND label <> truth),
            count(*) FILTER (is_label_issue AND suggested_label = truth)
        FROM label_issues(t, probs, label{options})
    """).fetchone()  # type: ignore[return-value]


@pytest.mark.parametrize("wrong", ["relabel", "exclude"])
def test_what_the_model_cannot_know_is_learned(t: duckdb.DuckDBPyConnection, wrong: str) -> None:
    assert _found(t) == (0, 0, 0)
    _log(t, 100, wrong=wrong)
    flagged, are_wrong, suggested = _found(t, LOGGED)
    assert are_wrong == 300 == 0.75 * flagged
    # Where rows are only excluded, nobody has said what they are.
    assert suggested == (300 if wrong == "relabel" else suggested)


def test_quality_is_how_often_a_label_is_right(t: duckdb.DuckDBPyConnection) -> None:
    _log(t, 200)
    for label, said, is_so in t.execute(f"""
        SELECT label, avg(label_quality), avg((label = truth)::INTEGER)
        FROM label_issues(t, probs, label{LOGGED}) GROUP BY label
    """).fetchall():
        assert abs(said - is_so) < 0.1, label


def test_a_label_that_is_likelier_right_is_not_flagged(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("UPDATE t SET truth = if(label = 'c' AND id % 20 < 9, 'b', label)")
    _log(t, 900)
    assert _found(t, LOGGED) == (0, 0, 0)


def test_the_table_and_what_models_say_stay(t: duckdb.DuckDBPyConnection) -> None:
    _log(t, 100)
    assert t.execute(f"""
            SELECT count(*) FROM label_issues(t, probs, label) w
            JOIN label_issues(t, probs, label{LOGGED}) l USING (id)
            WHERE w.label = l.label AND w.predicted_label = l.predicted_label
                AND w.class_probs = l.class_probs
        """).fetchone() == (1200,)


def test_a_row_is_not_judged_by_its_own_decision(t: duckdb.DuckDBPyConnection) -> None:
    """Of the rows called a, one is found wrong: it is as likely right as before, all but."""
    _log(t, 100)
    t.execute("""
        UPDATE log SET action = 'relabel', new_label = 'b'
        WHERE key = (SELECT min(key) FROM log WHERE old_label = 'a')
    """)
    least, most = t.execute(f"""
        SELECT min(label_quality), max(label_quality) FROM label_issues(t, probs, label{LOGGED})
        WHERE label = 'a'
    """).fetchone()  # type: ignore[misc]
    assert least > most - 0.1 > 0.7


@pytest.mark.parametrize(
    ("rows", "by", "action"),
    [
        (0, "ann", "keep"),
        (19, "ann", None),
        (300, "auto_corrections", None),
        (300, "ann", "needs_review"),
    ],
)
def test_what_is_no_sample_calibrates_nothing(
    t: duckdb.DuckDBPyConnection, rows: int, by: str, action: str | None
) -> None:
    before = t.execute("FROM label_issues(t, probs, label)").fetchall()
    _log(t, rows, by=by)
    if action:
        t.execute("UPDATE log SET action = ?, new_label = NULL", [action])
    assert t.execute(f"FROM label_issues(t, probs, label{LOGGED})").fetchall() == before


def test_chosen_rows_calibrate_nothing(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    before = t.execute("FROM label_issues(t, probs, label)").fetchall()
    _log(t, 300, order="label = truth, id")
    assert t.execute(f"FROM label_issues(t, probs, label{LOGGED})").fetchall() == before
    assert "too few to estimate by" in capsys.readouterr().err


def test_a_log_of_null_is_none(t: duckdb.DuckDBPyConnection) -> None:
    before = t.execute("FROM label_issues(t, probs, label)").fetchall()
    for options in (", log := NULL", ", key := NULL, log := NULL", ", key := id"):
        assert t.execute(f"FROM label_issues(t, probs, label{options})").fetchall() == before


def test_a_score_or_cut_by_name_stays(t: duckdb.DuckDBPyConnection) -> None:
    _log(t, 100)
    for option, column in (
        ("method := 'normalized_margin'", "label_quality"),
        ("cut := 'both'", "is_label_issue"),
    ):
        assert t.execute(f"""
                SELECT count(*) FROM label_issues(t, probs, label, {option}) w
                JOIN label_issues(t, probs, label, {option}{LOGGED}) l USING (id)
                WHERE w.{column} IS DISTINCT FROM l.{column}
            """).fetchone() == (0,)


def test_models_learn_labels_as_decided(con: duckdb.DuckDBPyConnection) -> None:
    """All labels of a kind of row are wrong; people said so of some, chosen as they came."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 2 AS side, ['red', 'blue'][side + 1] AS truth,
            if(i < 120, 'red', truth) AS label,
            [10.0 * side + sin(i), cos(i * 7), if(i < 120, 5.0, 0)] AS x
        FROM range(400) r(i)
    """)
    _log(con, 100, order="id")
    without, learned = (
        con.execute(f"""
            SELECT avg((predicted_label = truth)::INTEGER) FROM label_issues(t, x, label{options})
            WHERE id BETWEEN 100 AND 119
        """).fetchone()[0]  # type: ignore[index]
        for options in ("", LOGGED)
    )
    assert without < 0.8 < 0.95 < learned


def test_decided_labels_of_every_kind(con: duckdb.DuckDBPyConnection) -> None:
    """Numbers; a class that was not there before; one that nobody leaves; rows without a label."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, [i % 3 * 4.0 + sin(i), cos(i)] AS x,
            if(i = 7, NULL, if(i = 8, 9, i % 3)) AS label,
            CASE WHEN i = 8 THEN 0 WHEN i % 3 = 2 THEN 5 ELSE i % 3 END AS truth
        FROM range(300) r(i)
    """)
    _log(con, 290)
    con.execute("DELETE FROM log WHERE key = 7")
    rows = con.execute(f"""
        SELECT id, label, is_label_issue, suggested_label, typeof(suggested_label), not_judged
        FROM label_issues(t, x, label{LOGGED}) ORDER BY id
    """).fetchall()
    assert rows[7][2:4] == (False, 1)
    assert "no label" in rows[7][5] or "NULL" in rows[7][5]
    assert rows[8][5] == "people left no row with this label, so no model could learn it"
    assert {row[4] for row in rows} == {"BIGINT"}
    assert {row[3] for row in rows if row[1] == 2 and row[2]} == {5}
    assert sum(row[2] for row in rows if row[1] == 2) > 90


def test_rows_that_were_verified_teach_too(con: duckdb.DuckDBPyConnection) -> None:
    """The random sample of candidates: found right, all others look right too."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 2 AS truth, if(i % 5 = 0, 1 - truth, truth) AS label,
            MAP {'0': if(truth = 0, .7, .3), '1': if(truth = 1, .7, .3)} AS probs
        FROM range(600) r(i)
    """)
    con.execute("""
        CREATE TABLE log AS
        SELECT id AS key, 'keep' AS action, label AS old_label, NULL::INTEGER AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
        FROM review_queue(t, probs, label, id, purpose := 'verify') ORDER BY review_rank LIMIT 40
    """)
    flags = "SELECT count(*) FILTER (is_label_issue) FROM label_issues(t, probs, label{})"
    assert con.execute(flags.format("")).fetchone() == (120,)
    assert con.execute(flags.format(LOGGED)).fetchone() == (0,)


def test_those_that_were_verified_say_nothing_of_rates(con: duckdb.DuckDBPyConnection) -> None:
    """Candidates are wrong more often than others: the rate of wrong labels is not theirs."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 2 AS truth, if(i % 5 = 0, 1 - truth, truth) AS label,
            MAP {'0': if(truth = 0, .7, .3), '1': if(truth = 1, .7, .3)} AS probs
        FROM range(600) r(i)
    """)
    con.execute("""
        CREATE TABLE log AS
        SELECT id AS key, 'relabel' AS action, label AS old_label, truth AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
        FROM review_queue(t, probs, label, id, purpose := 'verify') ORDER BY review_rank LIMIT 40
    """)
    rates = "SELECT label, error_rate, error_rate_low FROM label_health(t, probs, label{})"
    assert con.execute(rates.format(LOGGED)).fetchall() == con.execute(rates.format("")).fetchall()
    with pytest.raises(duckdb.Error, match=r"drawn at random; \d are reviewed"):
        con.execute(f"FROM label_issues(t, probs, label{LOGGED}, false_flags := 0.2)")


def test_the_suggestion_is_another_label(t: duckdb.DuckDBPyConnection) -> None:
    """The given one is the likeliest still, but less likely than the others together."""
    t.execute("""
        UPDATE t SET truth = if(label = 'c' AND id % 10 > 3, if(id % 10 > 6, 'a', 'b'), label)
    """)
    _log(t, 600)
    found = t.execute(f"""
        SELECT DISTINCT label, suggested_label FROM label_issues(t, probs, label{LOGGED})
        WHERE is_label_issue ORDER BY ALL
    """).fetchall()
    assert found and {label for label, _ in found} == {"c"}
    assert all(suggested in ("a", "b") for _, suggested in found)


def test_what_a_cut_by_name_flags_is_no_likelier_right(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(
        "UPDATE t SET truth = label, probs = MAP {'a': .3, 'b': .3, 'c': .4} WHERE id % 5 = 0"
    )
    _log(t, 300)
    found = t.execute(f"""
        SELECT count(*), max(label_quality)
        FROM label_issues(t, probs, label, cut := 'predicted_neq_given'{LOGGED})
        WHERE is_label_issue
    """).fetchone()
    assert found is not None
    assert found[0] == 160
    assert found[1] <= 0.5


def test_false_flags(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""
        UPDATE t SET probs = MAP {'a': .1, 'b': .1 + id / 10000, 'c': .8 - id / 10000}
        WHERE label = 'c' AND truth = 'b'
    """)
    _log(t, 300)
    flagged, are_wrong, _ = _found(t, f"{LOGGED}, false_flags := 0.1")
    assert flagged > 100
    assert are_wrong >= 0.9 * flagged


def test_false_flags_at_a_risk(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""
        UPDATE t SET probs = MAP {'a': .1, 'b': .7, 'c': .2}
        WHERE label = 'c' AND (truth = 'b' OR id % 16 = 0)
    """)
    _log(t, 300)
    without = _found(t)
    assert without[0] > without[1] > 0.7 * without[0]
    assert _found(t, f"{LOGGED}, false_flags := 0.4, risk := 0.05")[:2] == without[:2]
    assert _found(t, f"{LOGGED}, false_flags := 0.02, risk := 0.05") == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("false_flags := 0.1", "takes what people decided of a random sample"),
        ("false_flags := 0.1, key := id", "takes what people decided of a random sample"),
        (f"false_flags := 0{LOGGED}", "has to lie between 0 and 1"),
        (f"false_flags := 1{LOGGED}", "has to lie between 0 and 1"),
        (f"false_flags := 'nan'::DOUBLE{LOGGED}", "has to lie between 0 and 1"),
        ("risk := 0.05", "is about false_flags := 0.1"),
        (f"risk := 0.05{LOGGED}", "is about false_flags := 0.1"),
        (f"false_flags := 0.1, risk := 0{LOGGED}", "has to lie between 0 and 1"),
        (f"false_flags := 0.1, risk := 1{LOGGED}", "has to lie between 0 and 1"),
        (f"false_flags := 0.1, cut := 'both'{LOGGED}", "says how many rows are flagged"),
        (f"false_flags := 0.1{LOGGED}", "takes 20 reviewed rows that were drawn at random; 19 are"),
    ],
)
def test_false_flags_that_nothing_can_tell(
    t: duckdb.DuckDBPyConnection, options: str, said: str
) -> None:
    _log(t, 19)
    with pytest.raises(duckdb.Error, match=said):
        t.execute(f"FROM label_issues(t, probs, label, {options})")


def test_the_quality_with_false_flags_is_that_without(t: duckdb.DuckDBPyConnection) -> None:
    _log(t, 300)
    differ = t.execute(f"""
        SELECT count(*) FROM label_issues(t, probs, label{LOGGED}) l
        JOIN label_issues(t, probs, label{LOGGED}, false_flags := 0.9) f USING (id)
        WHERE l.label_quality <> f.label_quality
    """).fetchone()
    assert differ == (0,)


@pytest.mark.parametrize(
    ("label", "action", "said"),
    [
        ("NULL::VARCHAR", "relabel", "no row can be judged: "),
        ("label", "exclude", "people have excluded every row: none is left to learn from"),
    ],
)
@pytest.mark.parametrize("function", ["label_issues", "audit", "label_health"])
def test_where_nothing_is_left(
    t: duckdb.DuckDBPyConnection, label: str, action: str, said: str, function: str
) -> None:
    t.execute(f"""
        CREATE TABLE u AS SELECT id, {label} AS label, [sin(id), cos(id)] AS x, truth FROM t;
        CREATE TABLE log AS
        SELECT id AS key, '{action}' AS action, label AS old_label,
            CASE '{action}' WHEN 'relabel' THEN truth END AS new_label, 'ann' AS decided_by,
            NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
        FROM u
    """)
    with pytest.raises(duckdb.Error, match=said):
        t.execute(f"FROM {function}(u, x, label{LOGGED})")


def test_audit_too(t: duckdb.DuckDBPyConnection) -> None:
    _log(t, 100)
    columns = "id, label_quality, is_label_issue, suggested_label"
    audited = t.execute(f"SELECT {columns} FROM audit(t, probs, label{LOGGED}) ORDER BY id")
    rows = audited.fetchall()
    issues = t.execute(f"SELECT {columns} FROM label_issues(t, probs, label{LOGGED}) ORDER BY id")
    assert rows == issues.fetchall()
    assert sum(row[2] for row in rows) == 400
