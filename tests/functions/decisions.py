"""A decision log to test with."""

from __future__ import annotations

import duckdb

COLUMNS = (
    "key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR, "
    "decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP"
)
Decision = tuple[str | None, str | None, str | None, str | None, int]

# What is wrong with a log, as (key, action, old_label, new_label, day), and the error's parts.
# They are about the table `t`: 1 a, 2 b, 3 NULL.
FAULTS: dict[str, tuple[list[Decision], list[str]]] = {
    "stale": (
        [("1", "relabel", "b", "c", 1), ("2", "keep", "c", None, 1), ("3", "exclude", "x", "", 1)],
        ["2 (old_label c, now b)", "1 (old_label b, now a)", "3 (old_label x, now NULL)"],
    ),
    "unknown key": (
        [("9", "relabel", "a", "b", 1), ("8", "exclude", "a", None, 1)],
        ["not in the table", "8, 9"],
    ),
    "unknown action": (
        [("1", "Relabel", "a", "b", 1), ("2", None, "b", None, 1)],
        ["1 (Relabel)", "2 (NULL)", "relabel, keep, exclude, needs_review"],
    ),
    "no new_label": (
        [("1", "relabel", "a", None, 1), ("2", "relabel", "b", None, 1)],
        ["without a new_label", "1, 2"],
    ),
    "of one moment": (
        [("1", "relabel", "a", "b", 1), ("1", "keep", "a", None, 1)],
        ["same moment", ": 1"],
    ),
    "of one moment, other labels": (
        [("1", "relabel", "a", "b", 1), ("1", "relabel", "a", "c", 1)],
        ["same moment", ": 1"],
    ),
    "NULL key": ([(None, "keep", "a", None, 1)], ["not in the table", "NULL"]),
}


def decide(con: duckdb.DuckDBPyConnection, *decisions: Decision, name: str = "log") -> None:
    """A log of decisions (key, action, old_label, new_label, day of January 2026)."""
    con.execute(f"CREATE OR REPLACE TABLE {name} ({COLUMNS})")
    for key, action, old, new, day in decisions:
        con.execute(
            f"INSERT INTO {name} VALUES (?, ?, ?, ?, 'ann', NULL, make_date(2026, 1, ?))",
            [key, action, old, new, day],
        )


def three_rows(con: duckdb.DuckDBPyConnection) -> None:
    """The table `t`: 1 a, 2 b, 3 NULL."""
    con.execute("CREATE TABLE t AS FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL)) v(id, label)")
