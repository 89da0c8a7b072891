"""When decisions were made: the types of decided_at, odd moments, clocks and time zones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.cli.statements import run as statements
from sqlfuncs.engines.duckdb.reporting import ReportedDatabase
from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
from sqlfuncs.errors import SqlfuncsError
from tests.queries.test_reviewing import run_query

Read = Callable[[duckdb.DuckDBPyConnection], object]

# About row 4, which is called a: ann relabels it to b on September 28, bob keeps it on October 2.
LOG = """
CREATE OR REPLACE TABLE decisions AS
SELECT '4' AS key, action, 'a' AS old_label, new_label, decided_by, NULL::VARCHAR AS reason,
    {moment} AS decided_at
FROM (VALUES ('relabel', 'b', 'ann', TIMESTAMP '2026-09-28 10:00:00'),
    ('needs_review', NULL, 'bob', TIMESTAMP '2026-10-02 09:00:00')
) v(action, new_label, decided_by, made)
"""
IN_ORDER = {
    "TIMESTAMP": "made",
    "TIMESTAMP_S": "made::TIMESTAMP_S",
    "TIMESTAMP_MS": "made::TIMESTAMP_MS",
    "TIMESTAMP_NS": "made::TIMESTAMP_NS",
    "TIMESTAMPTZ": "made AT TIME ZONE 'UTC'",
    "DATE": "made::DATE",
}
NO_MOMENTS = {
    "VARCHAR, month first": "strftime(made, '%-m/%-d/%Y %H:%M')",
    "VARCHAR, ISO": "made::VARCHAR",
    "INTEGER": "epoch(made)::INTEGER",
    "BIGINT": "epoch_us(made)",
    "DOUBLE": "epoch(made)",
    "DECIMAL": "epoch(made)::DECIMAL(18, 2)",
    "TIME": "made::TIME",
    "TIMETZ": "made::TIME::TIMETZ",
    "INTERVAL": "made - TIMESTAMP '2026-01-01'",
    "JSON": "to_json(made)",
    "ENUM": "decided_by::ENUM('ann', 'bob')",
    "BOOLEAN": "decided_by = 'ann'",
    "LIST": "[made]",
    "STRUCT": "{'at': made}",
}


def _table(call: str) -> Read:
    return lambda con: con.execute(f"SELECT * FROM {call}").fetchall()


def _query(name: str, **given: object) -> Read:
    return lambda con: run_query(con, name, **given)


def _report(name: str, **given: str) -> Read:
    def read(con: duckdb.DuckDBPyConnection) -> object:
        source = ReportedDatabase(con, statements)
        given_ = {"table": "t", "key": "id", "label": "label", "text": "text", "x": "probs"}
        for each in ("rows", name) if name != "rows" else ("rows",):
            figure = source.run(each, {**given_, "log": "decisions", **given})
        return list(figure.rows)

    return read


def _page(con: duckdb.DuckDBPyConnection) -> object:
    table = ReviewedTable(con, table="t", text="text", label="label", key="id", x="probs")
    return [(each.action, each.decided_by) for each in table.log()]


READERS: dict[str, Read] = {
    "apply_corrections": _table("apply_corrections(t, decisions, id, label)"),
    "corrections_diff": _table("corrections_diff(t, decisions, id, label)"),
    "as_of": _table("apply_corrections(t, decisions, id, label, as_of := '2026-10-05')"),
    "review_queue": _table("review_queue(t, probs, label, id, log := decisions)"),
    "review_curve": _table("review_curve(issues, decisions, id, label)"),
    "_sf_reviewed": _table("sqlfuncs.main._sf_reviewed(t, decisions, id, label)"),
    "correct": _query("correct", table="t"),
    "decide": _query("decide", table="t", keys="6", action="keep"),
    "undo": _query("undo", reviewer="bob"),
    "take_review": _query("take_review", table="t", log="decisions"),
    "review_queue.sql": _query("review_queue", log="decisions"),
    "review_queue.sql learn": _query(
        "review_queue", log="decisions", learn=True, table="t", x="probs"
    ),
    "review_progress": _query("review_progress"),
    "report rows": _report("rows"),
    "report reviewers": _report("reviewers"),
    "page": _page,
}
WRITERS = {"correct", "decide", "undo", "take_review"}


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("""
        CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label, 'text ' || i AS text,
            MAP {'a': if(i % 2 = 0, 0.8, 0.3), 'b': if(i % 2 = 0, 0.2, 0.7)} AS probs
        FROM range(60) r(i)
    """)
    con.execute("CREATE TABLE issues AS FROM label_issues(t, probs, label)")
    con.execute("CREATE TABLE answers AS SELECT id, 'b' AS label FROM t WHERE id = 8")
    # What tells how many wrong labels are left has to be drawn from all over the ranking.
    con.execute(
        "CREATE TABLE others AS SELECT id::VARCHAR AS key, 'keep' AS action, label AS old_label, "
        "NULL::VARCHAR AS new_label, 'cy' AS decided_by, NULL::VARCHAR AS reason, "
        "TIMESTAMP '2026-01-01' AS decided_at FROM t WHERE id % 5 = 0"
    )
    return con


def _rows(con: duckdb.DuckDBPyConnection) -> object:
    return con.execute("SELECT count(*), any_value(typeof(decided_at)) FROM decisions").fetchall()


@pytest.mark.parametrize("reader", READERS)
def test_what_has_no_order_in_time_is_refused_by_whoever_reads_the_log(
    t: duckdb.DuckDBPyConnection, reader: str
) -> None:
    for kind, moment in NO_MOMENTS.items():
        t.execute(LOG.format(moment=moment))
        before = _rows(t)
        with pytest.raises((duckdb.Error, SqlfuncsError)) as raised:
            READERS[reader](t)
        said = str(raised.value)
        assert "decided_at" in said and "TIMESTAMP" in said, (kind, said)
        if kind.startswith("VARCHAR"):
            assert "strptime(decided_at, '%m/%d/%Y %H:%M')" in said, said
            assert "decided_at::TIMESTAMP" in said, said
        assert "Please report" not in said
        assert _rows(t) == before, kind
    t.execute("ALTER TABLE decisions DROP decided_at")
    missing = r"no column decided_at|does not have a column with name \"decided_at\""
    with pytest.raises((duckdb.Error, SqlfuncsError), match=missing):
        READERS[reader](t)


@pytest.mark.parametrize("reader", READERS)
def test_the_latest_decision_is_in_force_in_every_type_of_moment(
    t: duckdb.DuckDBPyConnection, reader: str
) -> None:
    found = {}
    for kind, moment in IN_ORDER.items():
        t.execute(LOG.format(moment=moment))
        t.execute("INSERT INTO decisions BY NAME FROM others")
        needs = {"page": "TIMESTAMP"}.get(reader, kind)
        if kind != needs or (reader in WRITERS and kind == "DATE"):
            with pytest.raises((duckdb.Error, SqlfuncsError), match="ALTER decided_at TYPE"):
                READERS[reader](t)
            continue
        seen = READERS[reader](t)
        if reader in WRITERS:
            last = t.execute(
                "SELECT typeof(decided_at), key, action, new_label FROM decisions ORDER BY "
                "decided_at DESC LIMIT 1"
            ).fetchall()
            assert [row[0] for row in last] == [
                {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(kind, kind)
            ]
            seen = [row[1:] for row in last]
        found[kind] = str(seen)
    if reader not in ("report reviewers", "review_progress"):  # which show the moments
        assert len(set(found.values())) == 1, found
    if reader == "undo":  # of bob's decision, which was the latest: ann's is in force again
        assert "('4', 'relabel', 'b')" in found["TIMESTAMP"]


ODD = ("infinity", "-infinity", "0044-03-15 (BC)", "9999-12-31", "12000-01-01", "290000-01-01")


@pytest.mark.parametrize("reader", READERS)
def test_a_moment_that_no_calendar_has_is_named(t: duckdb.DuckDBPyConnection, reader: str) -> None:
    for moment in (*(f"TIMESTAMP '{odd}'" for odd in ODD), "NULL::TIMESTAMP"):
        t.execute(LOG.format(moment=f"if(decided_by = 'ann', {moment}, made)"))
        before = _rows(t)
        with pytest.raises((duckdb.Error, SqlfuncsError)) as raised:
            READERS[reader](t)
        said = str(raised.value)
        assert "decided_at of the decision about 4 is" in said, (moment, said)
        assert "between the years 1 and 9998" in said
        assert _rows(t) == before


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("kind", [kind for kind in IN_ORDER if kind != "DATE"])
def test_what_is_decided_now_comes_after_a_clock_that_was_ahead(
    t: duckdb.DuckDBPyConnection, zone: str, kind: str
) -> None:
    """By an hour, a time zone, or three years: what is decided later is in force, and stays so."""
    for ahead in ("0 HOUR", "1 HOUR", "14 HOUR", "3 YEAR"):
        t.execute(f"SET TimeZone = '{zone}'")
        t.execute("DROP TABLE IF EXISTS decisions")
        run_query(t, "decide", table="t", keys="4,6", new_label="b", reviewer="ann")
        moment = IN_ORDER[kind].replace("made", f"(decided_at + INTERVAL {ahead})", 1)
        t.execute(f"CREATE TABLE older AS SELECT * REPLACE ({moment} AS decided_at) FROM decisions")
        t.execute("DROP TABLE decisions; ALTER TABLE older RENAME TO decisions")
        t.execute("SET TimeZone = 'America/Los_Angeles'")
        run_query(t, "decide", table="t", keys="4", action="exclude", reviewer="bob")
        run_query(t, "take_review", table="t", log="decisions", reviewer="cy")
        diff = t.execute("SELECT key, action FROM corrections_diff(t, decisions, id, label)")
        assert diff.fetchall() == [(4, "exclude"), (6, "relabel"), (8, "relabel")]
        t.execute(f"SET TimeZone = '{zone}'")
        run_query(t, "undo", reviewer="bob")
        with pytest.raises(SqlfuncsError, match="no decision of bob is in force"):
            run_query(t, "undo", reviewer="bob")
        diff = t.execute("SELECT key, action FROM corrections_diff(t, decisions, id, label)")
        assert diff.fetchall() == [(4, "relabel"), (6, "relabel"), (8, "relabel")]


def test_moments_are_written_in_utc(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("SET TimeZone = 'Asia/Tokyo'")
    run_query(t, "decide", table="t", keys="4", action="keep")
    run_query(t, "take_review", table="t", log="taken")
    ReviewedTable(t, table="t", text="text", label="label", key="id", log="by_page").append([])
    t.execute("CREATE TABLE proposed AS FROM auto_corrections(issues, id, label)")
    for log in ("decisions", "taken", "proposed"):
        late = t.execute(
            f"SELECT count(*) FROM {log} "
            "WHERE abs(epoch(decided_at - (now() AT TIME ZONE 'UTC'))) > 600"
        )
        assert late.fetchall() == [(0,)], log


@pytest.mark.parametrize(
    ("as_of", "label"),
    [
        ("'2026-10-02 08:59'", "b"),
        ("'2026-10-02 09:00'", "a"),
        ("'2026-10-02 10:30:00+02'", "b"),
        ("'2026-10-02 11:30:00+02:00'", "a"),
        ("'2026-10-02T08:30:00Z'", "b"),
        ("TIMESTAMPTZ '2026-10-02 10:30:00+02'", "b"),
        ("TIMESTAMPTZ '2026-10-02 11:00:00+02'", "a"),
        ("DATE '2026-10-02'", "b"),
    ],
)
def test_back_in_time_is_in_utc_too(t: duckdb.DuckDBPyConnection, as_of: str, label: str) -> None:
    t.execute("SET TimeZone = 'Asia/Tokyo'")
    t.execute(LOG.format(moment="made"))
    found = t.execute(
        f"SELECT label FROM apply_corrections(t, decisions, id, label, as_of := {as_of}) "
        "WHERE id = 4"
    )
    assert found.fetchall() == [(label,)]


MADE = """
CREATE TABLE train AS SELECT i AS id, if(i % 20 = 7, other, own) AS label, 'text ' || i AS text,
    MAP {own: 0.95, other: 0.05} AS probs
FROM range(200) r(i), LATERAL (
    SELECT if(i % 2 = 0, 'a', 'b') AS own, if(i % 2 = 0, 'b', 'a') AS other
)
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Asia/Tokyo", "America/New_York"),
        ("America/New_York", "Asia/Tokyo"),
    ],
)
@pytest.mark.parametrize("ahead", ["0 HOUR", "9 HOUR"], ids=["utc log", "local log of before"])
def test_proposals_are_withdrawn_wherever_the_clock_stands(
    tmp_path: Path, before: str, after: str, ahead: str
) -> None:
    """`sqlfuncs run correct` in processes of two time zones; a repeated run adds nothing."""
    db = tmp_path / "f.duckdb"

    def correct(zone: str) -> tuple[int, int, int]:
        subprocess.run(
            [sys.executable, "-m", "sqlfuncs.cli", "run", "correct", "--db", str(db)],
            check=True, capture_output=True, env={**os.environ, "TZ": zone},
        )  # fmt: skip
        with duckdb.connect(str(db)) as con:
            changed, logged = (
                "SELECT count(*) FROM train JOIN corrected USING (id) "
                "WHERE train.label <> corrected.label",
                "SELECT count(*), count(*) FILTER (action = 'keep') FROM decisions",
            )
            ((changes,),) = con.execute(changed).fetchall()
            ((rows, withdrawn),) = con.execute(logged).fetchall()
        return changes, rows, withdrawn

    import sqlfuncs

    with sqlfuncs.connect(str(db)) as con:
        con.execute(MADE)
        con.execute("CREATE TABLE issues AS FROM label_issues(train, probs, label)")
    changes, rows, _ = correct(before)
    assert changes == rows == 10
    with duckdb.connect(str(db)) as con:
        con.execute(f"UPDATE decisions SET decided_at = decided_at + INTERVAL {ahead}")
        con.execute(
            "UPDATE issues SET is_label_issue = false, suggested_label = NULL WHERE id % 40 = 7"
        )
    assert correct(after) == (5, 15, 5)
    assert correct(after) == (5, 15, 5)
