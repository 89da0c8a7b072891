from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.errors import BadInput, CannotRegister

CALL = "SELECT sqlfuncs.label_quality('a', MAP {'a': 0.7, 'b': 0.3})"
BARE = "SELECT label_quality('a', MAP {'a': 0.7, 'b': 0.3})"
TRAIN = (
    "CREATE TABLE t AS SELECT i AS id, 'text ' || (i % 7) AS text, 'c' || (i % 2) AS label "
    "FROM range(40) r(i)"
)


def test_bare_and_qualified_names(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(CALL).fetchall() == con.execute(BARE).fetchall() == [(0.7,)]


def test_registering_twice_changes_nothing() -> None:
    with duckdb.connect() as con:
        sqlfuncs.register(con)
        sqlfuncs.register(con)
        sqlfuncs.register(con.cursor())
        assert con.execute(CALL).fetchall() == [(0.7,)]


def test_every_cursor_sees_the_functions(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(TRAIN)
    with con.cursor() as cursor:
        found = cursor.execute("SELECT count(*) FROM sqlfuncs.label_issues(t, text, label)")
        assert found.fetchall() == [(40,)]


def test_a_second_connection_to_the_same_file(tmp_path: Path) -> None:
    file = str(tmp_path / "a.duckdb")
    with sqlfuncs.connect(file) as first, duckdb.connect(file) as second:
        sqlfuncs.register(second)
        first.close()
        assert second.execute("SELECT count(*) FROM sqlfuncs.models()").fetchall() == [(0,)]


def test_a_cursor_may_be_what_is_registered_and_dropped() -> None:
    with duckdb.connect() as con:
        sqlfuncs.register(con.cursor())
        for _ in range(20):
            assert con.execute("SELECT count(*) FROM sqlfuncs.models()").fetchall() == [(0,)]


def test_nothing_is_left_in_the_file(tmp_path: Path) -> None:
    file = str(tmp_path / "mine.duckdb")
    with sqlfuncs.connect(file) as con:
        con.execute(TRAIN)
        con.execute("FROM label_issues(t, text, label)").fetchall()
    with duckdb.connect(file) as bare:
        assert bare.execute("SHOW ALL TABLES").fetchall()[0][2] == "t"
        assert len(bare.execute("SHOW ALL TABLES").fetchall()) == 1
        left = bare.execute(
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal "
            "OR function_name LIKE '%\\_sf\\_%' ESCAPE '\\'"
        )
        assert left.fetchall() == []


def test_a_read_only_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(TRAIN)
    before = file.read_bytes()
    with sqlfuncs.connect(file, read_only=True) as con:
        assert len(con.execute("FROM label_issues(t, text, label)").fetchall()) == 40
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            con.execute("CREATE TABLE u AS FROM t")
    with duckdb.connect(str(file), read_only=True) as foreign:
        sqlfuncs.register(foreign)
        assert foreign.execute(CALL).fetchall() == [(0.7,)]
    assert file.read_bytes() == before


def test_inside_a_transaction_registering_is_refused_and_harmless() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (a INTEGER)")
        con.begin()
        con.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(CannotRegister, match="COMMIT or ROLLBACK"):
            sqlfuncs.register(con)
        con.commit()
        assert con.execute("FROM t").fetchall() == [(1,)]
        sqlfuncs.register(con)
        assert con.execute(CALL).fetchall() == [(0.7,)]


def test_functions_see_what_a_transaction_has_not_committed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.begin()
    con.execute(TRAIN.replace("TABLE", "TEMP TABLE"))
    assert len(con.execute("FROM label_issues(t, text, label)").fetchall()) == 40
    con.rollback()
    assert con.execute(BARE).fetchall() == [(0.7,)]


def test_a_file_called_like_our_catalog(tmp_path: Path) -> None:
    with pytest.raises(CannotRegister, match="Rename the file"):
        sqlfuncs.connect(tmp_path / "sqlfuncs.duckdb")
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{tmp_path / 'sqlfuncs.duckdb'}' AS sqlfuncs")
        with pytest.raises(CannotRegister, match="ATTACH"):
            sqlfuncs.register(con)


@pytest.mark.parametrize("name", ["it's.duckdb", 'quote".duckdb', "emoji 🎈.duckdb", "a.b.duckdb"])
def test_odd_file_names(tmp_path: Path, name: str) -> None:
    with sqlfuncs.connect(tmp_path / name) as con:
        con.execute(TRAIN)
        assert con.execute(BARE).fetchall() == [(0.7,)]
        assert con.execute("SELECT count(*) FROM t").fetchall() == [(40,)]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to look like something " * 10)
    with pytest.raises(BadInput, match="cannot be opened as a DuckDB database"):
        sqlfuncs.connect(file)
    assert file.read_text().startswith("not a database")


def test_many_threads_call_at_once(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(TRAIN)
    expected = con.execute("FROM label_issues(t, text, label)").fetchall()
    got: list[object] = []

    def call() -> None:
        with con.cursor() as cursor:
            got.append(cursor.execute("FROM sqlfuncs.label_issues(t, text, label)").fetchall())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected] * 4


def test_the_catalog_documents_every_function(con: duckdb.DuckDBPyConnection) -> None:
    undocumented = con.execute(
        "SELECT function_name FROM duckdb_functions() "
        "WHERE database_name = 'sqlfuncs' AND coalesce(comment, '') = ''"
    ).fetchall()
    assert undocumented == []


def test_a_process_that_forgets_to_close_ends_quietly(tmp_path: Path) -> None:
    script = (
        "import sqlfuncs\n"
        f"con = sqlfuncs.connect({str(tmp_path / 'x.duckdb')!r})\n"
        f"print(con.execute({BARE!r}).fetchall())\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[(0.7,)]\n", "")
