"""auto_corrections(..., log := decisions): what reviewed rows allow to be corrected."""

from __future__ import annotations

import duckdb
import pytest

CANDIDATES = 120
REVIEW = """
INSERT INTO log
SELECT id, {action}, label, {new_label}, '{by}', NULL, now() AT TIME ZONE 'UTC'
FROM (FROM review_queue(t, probs, label, id, log := log, purpose := 'verify', budget := {budget}))
"""
TRUTH = ("if(truth = label, 'keep', 'relabel')", "CASE WHEN truth <> label THEN truth END")


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 600 rows, its issues, and an empty log.

    The first 120 rows are called otherwise than the probabilities say: nine of ten are wrong.
    """
    con.execute(f"""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
            if(i < {CANDIDATES} AND i % 10 <> 7, if(i % 2 = 0, 'b', 'a'), label) AS truth,
            if((i % 2 = 0) = (i < {CANDIDATES}), 0.1, 0.9) AS p, MAP {{'a': p, 'b': 1 - p}} AS probs
        FROM range(600) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, probs, label)")
    con.execute(
        "CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR, "
        "decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)"
    )
    return con


def _review(
    con: duckdb.DuckDBPyConnection,
    budget: int,
    action: str = TRUTH[0],
    new_label: str = TRUTH[1],
    by: str = "ann",
) -> None:
    con.execute(REVIEW.format(action=action, new_label=new_label, by=by, budget=budget))


def _proposed(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[str, str, str]]:
    return con.execute(
        "SELECT key, action, reason "
        f"FROM auto_corrections(issues, id, label, log := log{options}) ORDER BY key"
    ).fetchall()


def test_a_few_that_speak_against_it_withhold_what_the_probabilities_propose(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    t.execute("CREATE OR REPLACE TABLE t AS SELECT * REPLACE (label AS truth) FROM t")
    without = len(_proposed(t))
    _review(t, 2)
    assert len(_proposed(t)) == max(0, without - 2)
    _review(t, 1)
    assert _proposed(t) == []
    assert "not for 3" in capsys.readouterr().err


def test_a_sample_for_other_issues_is_told(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    _review(t, 40)
    t.execute("""
        DELETE FROM log
        WHERE key = (SELECT key FROM log ORDER BY sqlfuncs.main._sf_random_order(key) LIMIT 1)
    """)
    _proposed(t)
    assert "of 39 candidates that people reviewed 0 are a random sample" in capsys.readouterr().err


def test_reviewed_rows_release_the_others(t: duckdb.DuckDBPyConnection) -> None:
    _review(t, 30)
    found = _proposed(t)
    assert len(found) == CANDIDATES - 30
    reviewed = {key for (key,) in t.execute("SELECT key::INTEGER FROM log").fetchall()}
    assert not reviewed & {key for key, _, _ in found}
    assert {action for _, action, _ in found} == {"relabel"}
    assert all(
        "of 30 rows that people reviewed, drawn at random, relabelling was right for " in reason
        and reason.endswith("the 90 corrections released do good, at a risk of 0.05")
        for _, _, reason in found
    )


def test_the_probabilities_alone_decide_until_then(t: duckdb.DuckDBPyConnection) -> None:
    before = t.execute("SELECT key FROM auto_corrections(issues, id, label)").fetchall()
    assert len(before) == CANDIDATES
    _review(t, 3)
    found = _proposed(t)
    assert len(found) == CANDIDATES - 3
    assert not any("people" in reason for _, _, reason in found)


def test_corrections_that_people_refute_are_not_proposed(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    _review(t, 20, action="'keep'", new_label="NULL")
    assert _proposed(t) == []
    assert "relabelling was right for 0 and not for 20" in capsys.readouterr().err


def test_what_nobody_could_decide_counts_against(t: duckdb.DuckDBPyConnection) -> None:
    _review(t, 20, action="'needs_review'", new_label="NULL")
    assert _proposed(t) == []


@pytest.mark.parametrize(
    ("action", "new_label"),
    [
        ("'keep'", "NULL"),
        ("'relabel'", "label"),
        ("'relabel'", "'a new one'"),
        ("'exclude'", "NULL"),
    ],
)
def test_what_each_decision_counts(
    t: duckdb.DuckDBPyConnection, action: str, new_label: str
) -> None:
    """Kept is harm to both; another label, or none, is right for excluding alone."""
    _review(t, 20, action=action, new_label=new_label)
    wrong = action == "'exclude'" or new_label == "'a new one'"
    excluded = _proposed(t, ", action := 'exclude'")
    assert bool(excluded) == wrong
    assert all("excluding was right for 20" in reason for _, _, reason in excluded)
    relabelled = _proposed(t)
    assert all("people" not in reason for _, _, reason in relabelled)
    assert bool(relabelled) == wrong  # as without reviewed rows, unless people refute it


def test_decisions_of_auto_corrections_are_no_reviews(t: duckdb.DuckDBPyConnection) -> None:
    _review(t, 30, by="auto_corrections")
    assert len(_proposed(t)) == CANDIDATES
    assert not any("people" in reason for _, _, reason in _proposed(t))
    queued = t.execute(
        "SELECT count(*) FROM review_queue(t, probs, label, id, log := log, purpose := 'verify', "
        "budget := 500)"
    ).fetchall()
    assert queued == [(CANDIDATES,)]


def test_rows_reviewed_worst_first_are_no_sample(t: duckdb.DuckDBPyConnection) -> None:
    """Of 60 rows that nobody drew, those at the head of the random order by chance are few."""
    t.execute("""
        INSERT INTO log SELECT id, 'relabel', label, truth, 'ann', NULL, now() AT TIME ZONE 'UTC'
        FROM t WHERE id < 60 AND truth <> label
    """)
    assert not any("people" in reason for _, _, reason in _proposed(t))


def test_a_random_sample_of_all_rows_is_one_of_the_candidates(t: duckdb.DuckDBPyConnection) -> None:
    """As the page draws it, to estimate how many wrong labels are left."""
    t.execute(f"""
        INSERT INTO log
        SELECT id, {TRUTH[0]}, label, {TRUTH[1]}, 'bob', NULL, now() AT TIME ZONE 'UTC'
        FROM (FROM t ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 200)
    """)
    found = _proposed(t)
    assert found
    assert all("that people reviewed, drawn at random" in reason for _, _, reason in found)


def test_reviewers_who_disagree_count_as_the_latest_does(t: duckdb.DuckDBPyConnection) -> None:
    _review(t, 30)
    t.execute("""
        INSERT INTO log
        SELECT key, 'keep', old_label, NULL, 'bob', NULL, decided_at + INTERVAL 1 DAY FROM log
    """)
    assert _proposed(t) == []


def test_precision(t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]) -> None:
    assert _proposed(t, ', "precision" := 0.5') == []
    said = capsys.readouterr().err
    assert (
        "that so many are right (precision := 0.5) takes reviewed rows to show; review about "
        in said
    )
    assert "FROM review_queue(..., purpose := 'verify')" in said
    _review(t, 60)
    found = _proposed(t, ', "precision" := 0.5')
    assert found
    assert all("are right for 50% or more, at a risk of 0.05" in reason for _, _, reason in found)
    assert _proposed(t, ', "precision" := 0.95') == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (", risk := 0", "risk := 0.0 has to lie between 0 and 1"),
        (", risk := 1", "risk := 1.0 has to lie between 0 and 1"),
        (", risk := -0.1", "risk := -0.1 has to lie between 0 and 1"),
        (", risk := 'nan'::DOUBLE", "has to lie between 0 and 1"),
        (', "precision" := 1.5', "precision := 1.5 has to lie between 0 and 1"),
        (', "precision" := 90', "precision := 90.0 has to lie between 0 and 1"),
        (", \"precision\" := 'high'", "precision := 'high' has to be a number"),
    ],
)
def test_options_that_make_no_sense(t: duckdb.DuckDBPyConnection, options: str, error: str) -> None:
    with pytest.raises(duckdb.InvalidInputException) as caught:
        _proposed(t, options)
    assert error in str(caught.value)


def test_null_is_the_default(t: duckdb.DuckDBPyConnection) -> None:
    _review(t, 30)
    assert _proposed(t, ', risk := NULL, "precision" := NULL') == _proposed(t)


def test_a_log_that_does_not_fit_is_an_error(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(
        "INSERT INTO log VALUES ('0', 'keep', 'x', NULL, 'ann', NULL, TIMESTAMP '2026-01-01')"
    )
    with pytest.raises(duckdb.InvalidInputException, match="old_label is no longer the label"):
        _proposed(t)


@pytest.mark.parametrize(("least", "left"), [(0.99, 0), (0.98, CANDIDATES - 30)])
def test_a_min_confidence_narrows_what_is_tested(
    t: duckdb.DuckDBPyConnection, least: float, left: int
) -> None:
    _review(t, 30)
    assert len(_proposed(t, f", min_confidence := {least}")) == left


def test_what_was_taken_back_is_no_review(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Undone where nothing was decided before: as if nobody had looked."""
    before = _proposed(t)
    _review(t, 5, "'keep'", "NULL")
    t.execute("""
        INSERT INTO log
        SELECT key, 'needs_review', old_label, NULL, decided_by,
            sqlfuncs.main._sf_undo_reason(decided_at, false), decided_at + INTERVAL 1 MICROSECOND
        FROM log
    """)
    assert _proposed(t) == before
    assert "reviewed" not in capsys.readouterr().err
    _review(t, 5, "'needs_review'", "NULL")  # somebody looked, and could not say
    _proposed(t)
    assert "not for 5" in capsys.readouterr().err


def test_a_sample_that_does_not_decide_is_told(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _proposed(t)
    assert capsys.readouterr().err == ""
    _review(t, 3)
    found = _proposed(t)
    said = capsys.readouterr().err
    assert found and all(reason.endswith("; the model alone says so") for _, _, reason in found)
    assert "proposes what the model alone is sure of: the 3 rows reviewed do not decide it" in said
    assert "more of the 120 candidates may" in said
    _review(t, 37)
    found = _proposed(t)
    assert found and all("at a risk of 0.05" in reason for _, _, reason in found)
    assert capsys.readouterr().err == ""
    assert _proposed(t, ", risk := 1e-15")
    assert "the 40 rows reviewed do not decide it" in capsys.readouterr().err


def test_all_that_is_proposed_can_be_drawn(t: duckdb.DuckDBPyConnection) -> None:
    drawn = "FROM review_queue(t, probs, label, id, purpose := 'verify', budget := 1000)"
    queued = {str(key) for (key,) in t.execute(f"SELECT id {drawn}").fetchall()}
    assert {str(key) for key, _, _ in _proposed(t)} <= queued


def test_rows_without_a_key_are_neither_drawn_nor_proposed(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("UPDATE t SET id = NULL WHERE id % 10 = 3")
    t.execute("CREATE OR REPLACE TABLE issues AS FROM label_issues(t, probs, label)")
    queued = t.execute(
        "SELECT id FROM review_queue(t, probs, label, id, purpose := 'verify', budget := 999)"
    ).fetchall()
    assert queued and all(key is not None for (key,) in queued)
    found = _proposed(t)
    assert found and all(key is not None for key, _, _ in found)
    t.execute("CREATE TABLE made AS FROM auto_corrections(issues, id, label)")
    changed = t.execute("SELECT count(*) FROM corrections_diff(t, made, id, label)").fetchone()
    assert changed == (len(found),)
