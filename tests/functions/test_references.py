"""The functions in SQL give what they give without an engine, on tables and logs at random."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functions import references
from tests.functions.decisions import Decision, decide

LABELS = ("a", "b", "it's")
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
labels = st.sampled_from([*LABELS, None])
tables = st.dictionaries(st.sampled_from("123456"), labels, min_size=1)


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, str | None], list[Decision], int]:
    """A table of labels by key; a log, most of it sound; and a day until which it counts."""
    table = draw(tables)
    log: list[Decision] = []
    for _ in range(draw(st.integers(0, 6))):
        key = draw(st.sampled_from(sorted(table)))
        is_sound = draw(st.integers(0, 9)) > 0
        old = table[key] if is_sound else draw(labels)
        new = draw(st.sampled_from(LABELS) if is_sound else labels)
        action = draw(st.sampled_from(references.ACTIONS if is_sound else ("Relabel", "keep")))
        key = key if is_sound else draw(st.sampled_from([key, "9"]))
        log.append((key, action, old, new, draw(st.integers(1, 8))))
    return table, log, draw(st.integers(1, 8))


def _load(con: duckdb.DuckDBPyConnection, table: dict[str, str | None], log: Any) -> None:
    con.execute("CREATE OR REPLACE TABLE t (id VARCHAR, label VARCHAR)")
    con.executemany("INSERT INTO t VALUES (?, ?)", [list(row) for row in table.items()])
    decide(con, *log)


@MANY
@given(case=cases())
def test_corrections(
    con: duckdb.DuckDBPyConnection, case: tuple[dict[str, str | None], list[Decision], int]
) -> None:
    table, log, until = case
    _load(con, table, log)
    arguments = f"(t, log, id, label, as_of := '2026-01-0{until}')"
    apply, diff = (
        f"SELECT * FROM {name}{arguments}" for name in ("apply_corrections", "corrections_diff")
    )
    if references.is_at_fault(table, log, until):
        for sql in (apply, diff):
            with pytest.raises(duckdb.InvalidInputException, match="nothing was applied"):
                con.execute(sql).fetchall()
        return
    assert dict(con.execute(apply).fetchall()) == references.applied(table, log, until)
    found = [row[:4] for row in con.execute(diff).fetchall()]
    assert found == references.changed(table, log, until)


probabilities = st.floats(0, 1, width=32) | st.sampled_from(
    [0.5, None, float("nan"), float("inf"), float("-inf")]
)
rows = st.lists(
    st.tuples(labels, st.none() | st.dictionaries(st.sampled_from([*LABELS, "c"]), probabilities)),
    min_size=1,
    max_size=20,
)


@MANY
@given(given=rows)
def test_suggestions(
    con: duckdb.DuckDBPyConnection, given: list[tuple[str | None, dict[str, float | None] | None]]
) -> None:
    con.execute("CREATE OR REPLACE TABLE p (n INTEGER, label VARCHAR, probs MAP(VARCHAR, DOUBLE))")
    for n, (label, probs) in enumerate(given):
        names, values = (None, None) if probs is None else (list(probs), list(probs.values()))
        con.execute(
            "INSERT INTO p SELECT $1, $2, CASE WHEN $3 IS NULL THEN NULL "
            "ELSE MAP($3::VARCHAR[], $4::DOUBLE[]) END",
            [n, label, names, values],
        )
    found = con.execute("SELECT suggest_label(label, probs) FROM p ORDER BY n").fetchall()
    assert [label for (label,) in found] == [references.suggested(*row) for row in given]
