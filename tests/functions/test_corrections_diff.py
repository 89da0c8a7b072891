from __future__ import annotations

import duckdb
import pytest

from tests.functions.decisions import FAULTS, decide, three_rows

COLUMNS = ["key", "old_label", "new_label", "action", "decided_by"]


def _diff(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[object, ...]]:
    return con.execute(f"FROM corrections_diff(t, log, id, label{options})").fetchall()


def test_only_changes_are_listed_in_order_of_their_keys(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS id, 'a' AS label FROM range(1, 12) r(i)")
    decide(
        con,
        ("10", "relabel", "a", "b", 1),
        ("9", "exclude", "a", "b", 1),
        ("2", "keep", "a", "b", 1),
        ("3", "needs_review", "a", "b", 1),
        ("4", "relabel", "a", "a", 1),
        ("5", "relabel", "a", "b", 1),
        ("5", "keep", "a", None, 2),
    )
    found = con.execute("FROM corrections_diff(t, log, id, label)")
    assert [column[0] for column in found.description or []] == COLUMNS
    assert found.fetchall() == [
        (9, "a", None, "exclude", "ann"),
        (10, "a", "b", "relabel", "ann"),
    ]


def test_it_is_the_difference_that_applying_makes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS id, 'l' || i % 3 AS label FROM range(200) r(i)")
    decide(con)
    con.execute(
        "INSERT INTO log SELECT id, ['relabel', 'keep', 'exclude', 'needs_review'][1 + id % 4], "
        "label, 'l' || (id // 5) % 3, 'ann', NULL, make_timestamp(2026, 1, 1 + id % 2, 0, 0, 0) "
        "FROM t WHERE id % 3 > 0"
    )
    for moment in ("NULL", "'2026-01-01'"):
        made = con.execute(
            "SELECT b.id, b.label, a.label, CASE WHEN a.id IS NULL THEN 'exclude' ELSE 'relabel' "
            f"END FROM t b LEFT JOIN apply_corrections(t, log, id, label, as_of := {moment}) a "
            "USING (id) WHERE a.label IS DISTINCT FROM b.label ORDER BY id"
        ).fetchall()
        assert len(made) > 20
        assert [row[:4] for row in _diff(con, f", as_of := {moment}")] == made


def test_as_of(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "a", "b", 1), ("3", "relabel", None, "c", 2))
    assert _diff(con, ", as_of := '2025-01-01'") == []
    assert _diff(con, ", as_of := '2026-01-01'") == [(1, "a", "b", "relabel", "ann")]
    assert _diff(con)[1:] == [(3, None, "c", "relabel", "ann")]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_faults_that_applying_lists(con: duckdb.DuckDBPyConnection, fault: str) -> None:
    three_rows(con)
    decisions, parts = FAULTS[fault]
    decide(con, *decisions)
    with pytest.raises(duckdb.InvalidInputException, match="nothing was applied") as caught:
        _diff(con)
    assert all(part in str(caught.value) for part in parts)


def test_an_empty_log_and_an_empty_table(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con)
    assert _diff(con) == []
    con.execute("DELETE FROM t")
    assert _diff(con) == []


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("INTEGER", "1", "-2"),
        ("BOOLEAN", "true", "false"),
        ("ENUM('a', 'b')", "a", "b"),
        ("DATE", "2026-01-01", "2024-02-29"),
    ],
)
@pytest.mark.parametrize("key", ["INTEGER", "VARCHAR", "UUID"])
def test_keys_and_labels_have_the_types_of_the_table(
    con: duckdb.DuckDBPyConnection, kind: str, old: str, new: str, key: str
) -> None:
    value = "ba3b8d40-6d4c-4a56-9d0c-1f0e3c2a5b11" if key == "UUID" else "7"
    con.execute(f"CREATE TABLE t (id {key}, label {kind})")
    con.execute("INSERT INTO t VALUES (NULL, NULL), (?, ?)", [value, old])
    decide(con, (value, "relabel", old, new, 1))
    found = con.execute("FROM corrections_diff(t, log, id, label)")
    types = [str(column[1]) for column in found.description or []]
    assert types == [key, kind, kind, "VARCHAR", "VARCHAR"]
    row = con.execute(
        "SELECT key::VARCHAR, old_label::VARCHAR, new_label::VARCHAR "
        "FROM corrections_diff(t, log, id, label)"
    ).fetchall()
    assert row == [(value, old, new)]


def test_the_label_has_to_be_a_column(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con)
    with pytest.raises(duckdb.InvalidInputException, match="label has to be a column of the table"):
        con.execute("FROM corrections_diff(t, log, id, upper(label))").fetchall()


def test_odd_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute('CREATE TABLE "odd"".na\nme 🎈" AS SELECT 1 AS "K.""ey", \'a\' AS "la\nbel 🎈"')
    decide(con, ("1", "relabel", "a", "b", 1))
    found = con.execute(
        'WITH input AS (FROM "odd"".na\nme 🎈") '
        'FROM corrections_diff(input, log, "K.""ey", "la\nbel 🎈")'
    )
    assert found.fetchall() == [(1, "a", "b", "relabel", "ann")]
