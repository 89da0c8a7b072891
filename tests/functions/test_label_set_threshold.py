"""label_set_threshold(issues, log, key, label): from which rows, and where they are too few."""

from __future__ import annotations

import math

import duckdb
import pytest


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `issues` of 50 rows, and an empty log."""
    con.execute("""
        CREATE TABLE issues AS
        SELECT i AS id, 'a' AS label, i / 100 AS p, MAP {'a': 1 - p, 'b': p} AS class_probs
        FROM range(50) r(i);
        CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
            decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)
    """)
    return con


def _decide(t: duckdb.DuckDBPyConnection, rows: int, action: str, new_label: str = "NULL") -> None:
    t.execute(f"""
        INSERT INTO log
        SELECT id, '{action}', label, {new_label}, 'ann', NULL, now() AT TIME ZONE 'UTC'
        FROM issues ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT {rows}
    """)


def _found(t: duckdb.DuckDBPyConnection, options: str = "") -> tuple[float, int, float]:
    [row] = t.execute(f"FROM label_set_threshold(issues, log, id, label{options})").fetchall()
    return row


def test_the_quantile_of_the_reviewed(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, 19, "keep")
    t.execute("UPDATE log SET action = 'relabel', new_label = 'b' WHERE key::INTEGER % 2 = 0")
    # What is more likely than b is a, with 1 - id / 100; nothing is than a.
    drawn = t.execute("""
        SELECT if(action = 'keep', 0, 1 - key::INTEGER / 100) FROM log
    """).fetchall()
    coverage, reviewed, threshold = _found(t)
    assert (coverage, reviewed) == (0.9, 19)
    assert threshold == pytest.approx(sorted(score for (score,) in drawn)[17])  # ceil(20 * .9) th
    assert threshold > 0.5


@pytest.mark.parametrize("rows", [0, 1, 8])
def test_too_few_are_sets_of_all_labels(t: duckdb.DuckDBPyConnection, rows: int) -> None:
    _decide(t, rows, "keep")
    assert _found(t) == (0.9, rows, math.inf)


def test_another_label_is_the_right_one_where_people_say_so(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, 20, "relabel", "'b'")
    assert _found(t)[1] == 20
    assert _found(t)[2] > 0.9  # b is the less likely in each


def test_a_label_that_no_map_names_is_in_no_set(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, 20, "relabel", "'new'")
    assert _found(t)[1:] == (20, math.inf)


@pytest.mark.parametrize("action", ["exclude", "needs_review"])
def test_what_has_no_right_label_does_not_count(t: duckdb.DuckDBPyConnection, action: str) -> None:
    _decide(t, 20, action)
    assert _found(t)[1] == 0


def test_rows_reviewed_out_of_order_do_not_count(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, 50, "keep")
    t.execute("""
        DELETE FROM log WHERE key::INTEGER IN (
            SELECT id FROM issues ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 1 OFFSET 5
        )
    """)
    assert _found(t)[1] == 5


@pytest.mark.parametrize("coverage", ["0", "1", "90", "-0.1"])
def test_a_coverage_that_makes_no_sense(t: duckdb.DuckDBPyConnection, coverage: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="has to lie between 0 and 1"):
        _found(t, f", coverage := {coverage}")


def test_null_is_the_default(t: duckdb.DuckDBPyConnection) -> None:
    _decide(t, 20, "relabel", "'b'")
    assert _found(t, ", coverage := NULL") == _found(t)
    assert _found(t, ", coverage := 0.5")[2] < _found(t)[2]
