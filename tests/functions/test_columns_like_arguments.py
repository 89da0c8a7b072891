"""A table may have columns that are called like the tables and options of a call."""

from __future__ import annotations

import duckdb
import pytest

CALLS = [
    "apply_corrections({t}, log, id, label)",
    "corrections_diff({t}, log, id, label)",
    "review_queue({t}, probs, label, id, log := log, budget := 5)",
    "review_queue({t}, probs, label, id, log := log, budget := 5, purpose := 'verify')",
    "review_curve({issues}, log, id, label, points := 2)",
    "auto_corrections({issues}, id, label, log := log)",
    "label_set_threshold({issues}, log, id, label)",
    "label_health({t}, probs, label, key := id, log := log)",
]
LIKE_ARGUMENTS = [
    "log",
    "tbl",
    "t",
    "issues",
    "key",
    "x",
    "points",
    "budget",
    "purpose",
    "risk",
    "coverage",
    "action",
    "model",
    "as_of",
    "sample",
    "decided_by",
    "decided_at",
    "old_label",
    "new_label",
    "reason",
    "votes",
]


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `t` and `issues`, their like with more columns, and a log of 30 decisions."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
            if((i % 2 = 0) = (i < 40), 0.1, 0.9) AS p, MAP {'a': p, 'b': 1 - p} AS probs
        FROM range(300) r(i);
        CREATE TABLE issues AS FROM label_issues(t, probs, label);
        CREATE TABLE log AS
        SELECT id AS key, 'keep' AS action, label AS old_label, NULL::VARCHAR AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
        FROM t ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 30
    """)
    more = ", ".join(f'{n} AS "{name}"' for n, name in enumerate(LIKE_ARGUMENTS))
    for name in ("t", "issues"):
        con.execute(f"CREATE TABLE more_{name} AS SELECT *, {more} FROM {name}")
    return con


@pytest.mark.parametrize("call", CALLS)
def test_they_are_not_taken_for_them(t: duckdb.DuckDBPyConnection, call: str) -> None:
    plain = t.execute(f"FROM {call.format(t='t', issues='issues')}")
    names = [f'"{column[0]}"' for column in plain.description or []]
    wanted = ", ".join(name for name in names if name != '"decided_at"')
    expected, found = (
        t.execute(f"SELECT {wanted} FROM {call.format(t=table, issues=issues)}").fetchall()
        for table, issues in (("t", "issues"), ("more_t", "more_issues"))
    )
    assert repr(found) == repr(expected)
