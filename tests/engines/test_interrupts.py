"""`con.interrupt()` is heard while a function works, and by nobody else's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs import work
from sqlfuncs.llm import usage
from tests.waiting import patient


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """A call that asks about 1,600 texts for 200 s."""
    script = tmp_path / "slow.json"
    script.write_text(json.dumps({"seconds": 1.0}))
    return f"sqlfuncs.llm_classify(text, ['a', 'b'], model := 'fake:{script}')"


def _texts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'text ' || i AS text FROM range(1600) r(i)")


def _asked() -> int:
    return sum(used.asked for used in usage.used())


def _interrupted(con: duckdb.DuckDBPyConnection, sql: str, *, after: float = 1.0) -> float:
    """How long it took to stop a query."""
    at: list[float] = []

    def interrupt() -> None:
        at.append(time.monotonic())
        con.interrupt()

    timer = threading.Timer(after, interrupt)
    timer.start()
    with pytest.raises(duckdb.Error):
        con.execute(sql).fetchall()
    ended = time.monotonic()
    timer.join()
    return ended - at[0]


@pytest.mark.parametrize("way", ["connect", "cursor", "duplicate", "register", "second"])
def test_asking_stops(slow: str, way: str, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "f.duckdb")) as own, sqlfuncs.connect() as ours:
        con = own if way in ("register", "second") else ours
        if con is own:
            sqlfuncs.register(own)
        _texts(con)
        if way == "second":
            con = duckdb.connect(str(tmp_path / "f.duckdb"))
            sqlfuncs.register(con)
        elif way in ("cursor", "duplicate"):
            con = getattr(con, way)()
        assert con.description is None or way not in ("cursor", "duplicate")
        assert _interrupted(con, f"SELECT count({slow}) FROM t") < patient(5)  # of 200
        assert con.execute("SELECT count(*) FROM t").fetchall() == [(1600,)]
        asked = _asked()
        time.sleep(1)
        assert _asked() - asked <= 8  # which were under way
        con.close()


def test_a_query_of_another_cursor_goes_on(slow: str) -> None:
    with sqlfuncs.connect() as con:
        _texts(con)
        other = con.cursor()
        found: list[object] = []
        sql = f"SELECT count({slow}) FROM (FROM t LIMIT 60)"
        thread = threading.Thread(target=lambda: found.append(other.execute(sql).fetchall()))
        thread.start()
        time.sleep(0.3)
        unlike = slow.replace("['a', 'b']", "['a', 'c']")
        _interrupted(con, f"SELECT count({unlike}) FROM t", after=0.5)
        thread.join()
        assert found == [[(60,)]]


def test_a_table_function_stops(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS SELECT 'a text of ' || hash(i) || ' words ' || hash(i * 7) AS text,
            CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END AS label FROM range(60000) r(i)
    """)
    sql = "SELECT count(*) FROM label_issues(t, text, label)"
    assert _interrupted(con, sql, after=2.0) < patient(5)


def test_an_interrupt_that_came_before_is_not_for_the_next_query(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.interrupt()
    call = "llm_classify(text, ['a', 'b'], model := 'fake:')"
    assert con.execute(f"SELECT count({call}) FROM (SELECT 'a' AS text)").fetchall() == [(1,)]


def test_calls_are_told_apart() -> None:
    with work.call("one"):
        work.interrupt("other")
        work.check()
        with work.call("other"):
            work.interrupt("other")
            with pytest.raises(sqlfuncs.errors.Cancelled):
                work.check()
        work.check()
        heard = work.interruptible(lambda: work.interrupt("one"))
        assert heard is None
        with pytest.raises(sqlfuncs.errors.Cancelled):
            work.check()
    with work.call("one"):
        work.check()


def test_the_class_of_connections_is_as_it_was(tmp_path: Path) -> None:
    script = """
import duckdb, sqlfuncs
with sqlfuncs.connect() as con:
    con.interrupt()
    with duckdb.connect() as other:
        assert other.cursor().execute("SELECT 1").fetchall() == [(1,)]
        other.interrupt()
print("fine")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("fine\n", "")
