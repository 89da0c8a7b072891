"""What an undo is, who is a person, what a random sample is: said once in SQL, once in Python."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.review.decisions import MACHINE, Decision, Decisions
from tests.conftest import ROOT

SAID = ("'auto_corrections'", "'undo of ", "'review ' ||")
WHERE = {
    "_sf_is_person.sql",
    "_sf_auto_corrections.sql",  # which writes it
    "correct.sql",  # and so does this
    "_sf_undone.sql",
    "_sf_undo_reason.sql",
    "_sf_random_order.sql",
    "3-_sf_is_person.sql",  # once more for Spark, as are those who are drawn at random
    "3-_sf_random_order.sql",
}


def test_each_rule_is_written_down_once() -> None:
    folders = (ROOT / "queries", ROOT / "sqlfuncs" / "report", ROOT / "sqlfuncs" / "engines")
    files = [file for folder in folders for file in folder.rglob("*.sql")]
    assert len(files) > 60
    found = {file.name for file in files if any(each in _code(file) for each in SAID)}
    assert found == WHERE


def _code(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


@pytest.mark.parametrize("who", [MACHINE, "ann", "", None])
def test_who_is_a_person(con: duckdb.DuckDBPyConnection, who: str | None) -> None:
    ((said,),) = con.execute("SELECT sqlfuncs.main._sf_is_person($1)", [who]).fetchall()
    assert said == Decision("1", "keep", "a", decided_by=who).decides


@pytest.mark.parametrize(
    "reason", ["undo of 2026-01-01 00:00:00", "undo", "", None, "not undo of 1"]
)
def test_what_is_an_undo(con: duckdb.DuckDBPyConnection, reason: str | None) -> None:
    ((said,),) = con.execute("SELECT sqlfuncs.main._sf_undone($1)", [reason]).fetchall()
    assert (said is not None) == Decision("1", "keep", "a", reason=reason).is_undo


def test_what_is_undone_is_told_in_one_way(con: duckdb.DuckDBPyConnection) -> None:
    moment = "2026-01-01 00:00:00.5"
    (written,) = Decisions([Decision("7", "keep", "a", None, "ann", None, moment)]).undoing("ann")
    ((said, read),) = con.execute(
        "SELECT said, sqlfuncs.main._sf_undone(said) FROM (SELECT "
        "sqlfuncs.main._sf_undo_reason(TIMESTAMP '2026-01-01 00:00:00.5', false) AS said)"
    ).fetchall()
    assert (said, read) == (written.reason, moment)


@pytest.mark.parametrize("key", ["7", "7.5", "it's"])
def test_the_random_order(con: duckdb.DuckDBPyConnection, key: str) -> None:
    ((said,),) = con.execute("SELECT sqlfuncs.main._sf_random_order($1)", [key]).fetchall()
    assert said == hashlib.md5(f"review {key}".encode()).hexdigest()
