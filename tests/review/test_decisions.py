from __future__ import annotations

import random
from dataclasses import replace

import duckdb
import pytest

from sqlfuncs.errors import Conflict, SqlfuncsError
from sqlfuncs.review.decisions import MACHINE, Decision, Decisions
from tests.queries.test_reviewing import run_query


def _decision(key: str, action: str, by: str, second: int, new: str | None = None) -> Decision:
    return Decision(key, action, "a", new, by, None, f"2026-01-01 00:00:{second:02d}")


def test_the_latest_decision_is_in_force_whoever_made_it() -> None:
    log = Decisions([_decision("1", "keep", "ann", 1), _decision("1", "exclude", "bob", 2)])
    found = log.in_force("1")
    assert found is not None and (found.action, found.decided_by) == ("exclude", "bob")
    assert log.in_force("2") is None
    assert log.version("1") == "2" and log.version("2") == ""
    assert log.version("2") == ""


def test_a_step_is_taken_back_as_one() -> None:
    log = Decisions([_decision(key, "relabel", "ann", 1, "b") for key in "123"])
    undone = log.undoing("ann")
    assert [(each.key, each.action) for each in undone] == [(k, "needs_review") for k in "123"]
    for each in undone:
        log.add(replace(each, decided_at="2026-01-01 00:00:09"))
    assert log.in_force("1") is None
    with pytest.raises(Conflict, match="no decision of ann is in force"):
        log.undoing("ann")


def test_what_somebody_else_decided_since_stands() -> None:
    """The rest of a step is taken back, and then the step before it."""
    log = Decisions([_decision("0", "keep", "ann", 0)])
    for each in [
        *(_decision(key, "keep", "ann", 1) for key in "12"),
        _decision("1", "exclude", "bob", 2),
    ]:
        log.add(each)
    for second, key in enumerate("20", 3):
        (undone,) = log.undoing("ann")
        assert (undone.key, undone.action) == (key, "needs_review")
        log.add(replace(undone, decided_at=f"2026-01-01 00:00:{second:02d}"))
    with pytest.raises(Conflict, match="no decision of ann is in force"):
        log.undoing("ann")


def test_what_a_machine_says_later_hinders_no_undo() -> None:
    log = Decisions([_decision("1", "keep", "ann", 1), _decision("1", "relabel", MACHINE, 2, "b")])
    (undone,) = log.undoing("ann")
    assert (undone.action, undone.decided_by) == ("needs_review", "ann")


@pytest.mark.parametrize("seed", range(6))
def test_the_query_file_undo_does_the_same(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Random decisions and undos of two reviewers, in SQL; this module reads the log alike."""
    dice = random.Random(seed)
    con.execute("CREATE TABLE t AS SELECT i AS id, 'a' AS label FROM range(3) r(i)")
    con.execute("INSERT INTO t VALUES (3, 'b')")
    in_sql: list[str] = []
    for _ in range(14):
        by = dice.choice(["ann", "bob"])
        keys = ",".join(sorted({str(dice.randrange(3)) for _ in range(dice.randint(1, 2))}))
        if dice.random() < 0.4 and in_sql:
            by = MACHINE if dice.random() < 0.2 else by
            told = Decisions(_read(con))
            try:
                expected = sorted((d.key, d.action, d.new_label) for d in told.undoing(by))
            except Conflict:
                with pytest.raises(SqlfuncsError):
                    run_query(con, "undo", reviewer=by)
                continue
            ((*rows,),) = run_query(con, "undo", reviewer=by)
            assert [(r["key"], r["action"], r["new_label"]) for r in rows] == expected
        else:
            given = dice.choice([{"new_label": "b"}, {"action": "keep"}, {"action": "exclude"}])
            run_query(con, "decide", table="t", keys=keys, reviewer=by, **given)
            if dice.random() < 0.2:
                con.execute(
                    "UPDATE decisions SET decided_by = $1 "
                    "WHERE decided_at = (SELECT max(decided_at) FROM decisions)",
                    [MACHINE],
                )
            in_sql.append(keys)


def _read(con: duckdb.DuckDBPyConnection) -> list[Decision]:
    rows = con.execute(
        "SELECT key, action, old_label, new_label, decided_by, reason, decided_at::VARCHAR "
        "FROM decisions ORDER BY decided_at, key"
    )
    return [Decision(*row) for row in rows.fetchall()]


def test_undone_a_proposal_of_a_machine_waits_for_somebody_again() -> None:
    log = Decisions([_decision("1", "relabel", MACHINE, 1, "b"), _decision("1", "keep", "ann", 2)])
    (undone,) = log.undoing("ann")
    assert (undone.action, undone.new_label, undone.decided_by) == ("needs_review", None, "ann")
    log.add(replace(undone, decided_at="2026-01-01 00:00:09"))
    assert log.of_people("1") is None


def test_what_a_machine_says_later_takes_nothing_back() -> None:
    log = Decisions([_decision("1", "keep", "ann", 1), _decision("1", "relabel", MACHINE, 2, "b")])
    found = log.of_people("1")
    assert found is not None and found.action == "keep"
