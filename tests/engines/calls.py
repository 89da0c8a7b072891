"""Every public function called once on small tables, without a model that has to be trained."""

from __future__ import annotations

import duckdb

import sqlfuncs

# What is called `t`, `issues`, `log` and `votes` here is put in for the tables to call with.
CALLS = {
    "annotator_quality": "FROM annotator_quality(votes, item, who, label)",
    "apply_corrections": "FROM apply_corrections(t, log, id, label)",
    "audit": "FROM audit(t, probs, label)",
    "auto_corrections": "SELECT * EXCLUDE (decided_at) FROM auto_corrections(issues, id, label)",
    "class_report": "FROM class_report(t, label, said)",
    "compare_models": "FROM compare_models(t, label, said, truth)",
    "confusion_matrix": "FROM confusion_matrix(t, label, said)",
    "consensus": "FROM consensus(votes, item, who, label)",
    "corrections_diff": "FROM corrections_diff(t, log, id, label)",
    "disagreement": "FROM disagreement(votes, item, who, label, probs)",
    "evaluate": "FROM evaluate(t, label, said)",
    "evaluate_noisy": "FROM evaluate_noisy(t, label, said, truth)",
    "fine_tune": "SELECT error, \"rows\" FROM fine_tune('m', t, vec, label, dry_run := true)",
    "explain_issues": "FROM explain_issues(issues, vec, label, id)",
    "label_health": "FROM label_health(t, probs, label)",
    "label_issues": "FROM label_issues(t, probs, label)",
    "label_quality": "SELECT label_quality(label, probs, 'normalized_margin') AS q FROM t",
    "model_strength": "FROM model_strength(issues, label)",
    "near_duplicates": "FROM near_duplicates(t, vec)",
    "next_to_label": "FROM next_to_label(votes, item, who, label, probs)",
    "outliers": "FROM outliers(t, vec)",
    "label_set": "SELECT label_set(class_probs, 0.5) AS s FROM issues",
    "label_set_threshold": "FROM label_set_threshold(issues, log, id, label)",
    "review_curve": "FROM review_curve(issues, log, id, label, points := 3)",
    "review_queue": "FROM review_queue(t, probs, label, id, budget := 5, log := log)",
    "suggest_label": "SELECT suggest_label(label, probs) AS s FROM t",
}
# Of those that take no table, or a model's name: nothing here tells them from others.
OTHERS = {
    "cancel_job", "drop_model", "embed", "fine_tune_file", "jobs", "judge_labels",
    "llm_class_probs", "llm_classify", "llm_classify_result", "llm_estimate", "llm_paid",
    "llm_usage", "models",
}  # fmt: skip


def make_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of CALLS, in the current schema."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, 'text ' || i AS text, if(i % 3 = 0, 'a', 'b') AS truth,
            if(i % 6 = 1, if(truth = 'a', 'b', 'a'), truth) AS label,
            if(i % 7 = 0, 'a', truth) AS said,
            if(truth = 'a', 0.9, 0.2) - i / 1000 AS p, MAP {'a': p, 'b': 1 - p} AS probs,
            [i % 5, i % 7, 1.0]::FLOAT[] AS vec
        FROM range(60) r(i);
        CREATE TABLE votes AS
        SELECT i // 3 AS item, i % 3 AS who, if(i % 5 = 0, 'a', 'b') AS label,
            MAP {'a': 0.3, 'b': 0.7} AS probs
        FROM range(60) r(i);
        CREATE TABLE log AS
        SELECT id::VARCHAR AS key, if(truth = label, 'keep', 'relabel') AS action,
            label AS old_label, if(truth = label, NULL, truth) AS new_label, 'ann' AS decided_by,
            NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' + INTERVAL (id) MINUTE AS decided_at
        FROM t WHERE hash(id) % 2 = 0;
    """)


def make_issues(con: duckdb.DuckDBPyConnection) -> None:
    """The table `issues`, by our functions."""
    con.execute("CREATE TABLE issues AS FROM sqlfuncs.main.label_issues(t, probs, label)")


def outcome(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    """What a call gives: its columns and rows, as they come."""
    rows = con.execute(sql).fetchall()
    return [column[0] for column in con.description or []], rows


def outcomes(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What each of CALLS gives."""
    return {name: outcome(con, sql) for name, sql in CALLS.items()}


def connection() -> duckdb.DuckDBPyConnection:
    """A connection in memory with the tables of CALLS."""
    con = sqlfuncs.connect()
    make_tables(con)
    make_issues(con)
    return con
