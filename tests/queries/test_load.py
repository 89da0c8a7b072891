"""`load` and `decide` take what is meant, or say what is not clear, before anything is changed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sqlfuncs.cli.program import run_program
from sqlfuncs.cli.run import rendered
from sqlfuncs.errors import BadQueryFile, SqlfuncsError
from sqlfuncs.queries import files


def _run(con: duckdb.DuckDBPyConnection, name: str, **given: str) -> list[list[tuple[object, ...]]]:
    from sqlfuncs.engines.duckdb import statements

    sql = rendered(files.find(name), given)
    return [result.rows for result in statements.run(con, sql) if result.columns]


GOOD = {
    "plain": (b"id,text,label\n1,red apple,fruit\n2,,car\n", {}),
    "one column": (b"text\nred apple, ripe\nblue car\n", {}),
    "no rows": (b"id,text,label\n", {}),
    "no names": (b"1,red,a\n2,blue,b\n", {}),
    "BOM": (b"\xef\xbb\xbfid,text\n1,caf\xc3\xa9\n", {}),
    "latin-1": (b"id;text\n1;caf\xe9\n", {"encoding": "latin-1"}),
    "utf-16": ("id,text\n1,café\n".encode("utf-16"), {"encoding": "utf-16"}),
    "index": (b",text,label\n0,red apple,fruit\n1,blue car,car\n", {"header": "true"}),
    "index as a row": (b",text,label\n0,red apple,fruit\n", {"header": "false"}),
    "numbered": (b"a,text\n1,red\n2,blue\n", {"number_rows": "id"}),
}
REFUSED = {
    "index": (b",text,label\n0,red apple,fruit\n1,blue car,car\n", {}, "header=true"),
    "a ragged row": (
        b"id,text,label\n1,red apple,fruit\n2,blue, big,car\n",
        {},
        "another has more parts",
    ),
    "a ragged row in a long file": (
        b"id,text,label\n" + b"1,red apple,fruit\n" * 20 + b"2,blue, big,car\n",
        {},
        "one column|parts",
    ),
    "a ragged row, semicolons": (
        b"id;text;label\n1;red;a\n2;blue;big;b\n",
        {},
        "another has more parts",
    ),
    "a short head": (b"id,text\n1,a,b\n2,c,d\n", {}, "first row would be left out"),
    "latin-1": (b"id;text\n1;caf\xe9\n", {}, "not utf-8"),
    "UTF-8 as latin-1": (b"\xef\xbb\xbfid,text\n1,a\n", {"encoding": "latin-1"}, "leave encoding"),
    "utf-16 as latin-1": ("id,text\n1,a\n".encode("utf-16"), {"encoding": "latin-1"}, "utf-16"),
    "cp1252": (b"id,text\n1,\x93a\n", {"encoding": "cp1252"}, "latin-1"),
    "numbered, other case": (b"id,text\n1,a\n", {"number_rows": "ID"}, "has a column id already"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_becomes_the_table_that_it_is(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    content, given = GOOD[kind]
    file = tmp_path / "rows.csv"
    file.write_bytes(content)
    (told,) = _run(con, "load", file=str(file), **given)
    columns = con.execute("DESCRIBE train").fetchall()
    assert [row[:2] for row in told] == [row[:2] for row in columns]
    loaded = con.execute("FROM train").fetchall()
    nulls = [sum(row[at] is None for row in loaded) for at in range(len(columns))]
    percent = [round(100 * each / max(len(loaded), 1), 2) for each in nulls]
    assert [row[2:] for row in told] == [(len(loaded), pytest.approx(each)) for each in percent]
    flat = [value for row in loaded for value in row]
    if kind in ("BOM", "latin-1", "utf-16"):
        assert loaded == [(1, "café")]
    assert ("text" in flat) == (kind == "index as a row")


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_be_read_as_something_else_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    content, given, said = REFUSED[kind]
    file = tmp_path / "rows.csv"
    file.write_bytes(content)
    con.execute("CREATE TABLE train AS SELECT 'kept' AS kept")
    with pytest.raises(SqlfuncsError, match=said):
        _run(con, "load", file=str(file), **given)
    assert con.execute("FROM train").fetchall() == [("kept",)]


def test_load_says_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadQueryFile, match=r"file=rows\.csv"):
        rendered(files.find("load"), {"file": ""})
    (tmp_path / "rows.csv").write_bytes(b"id;text\n1;caf\xe9\n")
    assert run_program(["run", "load", f"file={tmp_path}/rows.csv"]) == 1
    assert "encoding=latin-1" in capsys.readouterr().err.splitlines()[-1]


TYPES = {
    "DOUBLE": ("3.0", ["3", "3.0", "3.00", "3e0"], ["3.1", "x", "2.9"]),
    "FLOAT": ("3.0", ["3", "3.0"], ["3.1"]),
    "INTEGER": ("3", ["3", "3.0"], ["3.4", "2.6", "x"]),
    "DECIMAL(9,2)": ("3.00", ["3", "3.0", "3.00"], ["3.004", "2.999"]),
    "VARCHAR": ("3", ["3"], ["3.0", "03"]),
    "DATE": ("2026-01-03", ["2026-01-03"], ["2026-01-03 23:59:00", "2026-01-04"]),
    "TIMESTAMP": (
        "2026-01-03 00:00:00",
        ["2026-01-03", "2026-01-03 00:00:00"],
        ["2026-01-03 00:00:01"],
    ),
    "BOOLEAN": ("true", ["true"], ["x"]),
    "UUID": (
        "00000000-0000-0000-0000-00000000000a",
        ["00000000-0000-0000-0000-00000000000A"],
        ["00000000-0000-0000-0000-00000000000b"],
    ),
}


@pytest.mark.parametrize("kind", TYPES)
def test_keys_are_typed_as_they_are_shown_and_never_rounded(
    con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    own, taken, refused = TYPES[kind]
    con.execute(f"CREATE TABLE train AS SELECT '{own}'::{kind} AS id, 'a' AS label")
    for key in taken:
        (told,) = _run(con, "decide", keys=key)
        assert told[0][0] == con.execute("SELECT id::VARCHAR FROM train").fetchall()[0][0]
    for key in refused:
        with pytest.raises(SqlfuncsError, match="no row has the key"):
            _run(con, "decide", keys=key)
    assert con.execute("SELECT count(*) FROM decisions").fetchall() == [(len(taken),)]
    con.execute("WITH log AS (FROM decisions) FROM apply_corrections(train, log, id, label)")


def test_a_label_is_typed_as_it_is_shown(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE train AS SELECT i AS id, (i % 2 + 1)::DOUBLE AS label FROM range(4) r(i)"
    )
    (told,) = _run(con, "decide", keys="3,3.0", new_label="1")
    assert told[0][:4] == ("3", "relabel", "2.0", "1.0")
    assert con.execute("SELECT count(*) FROM decisions").fetchall() == [(1,)]
    with pytest.raises(SqlfuncsError, match=r"no row has the label 1\.4"):
        _run(con, "decide", keys="3", new_label="1.4")


@pytest.mark.parametrize("name", ["new_label", "action", "reviewer"])
def test_an_empty_value_is_no_decision(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute("CREATE TABLE train AS SELECT 7 AS id, 'a' AS label")
    with pytest.raises(BadQueryFile, match=f"{name} is empty"):
        _run(con, "decide", keys="7", **{name: ""})


def test_a_number_that_decisions_are_about_goes_on_meaning_the_same_row(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [f"good {at},praise" for at in range(9)] + [f"bad {at},complaint" for at in range(9)]

    def load(lines: list[str], table: str = "train") -> None:
        file = tmp_path / "t.csv"
        file.write_text("text,label\n" + "".join(f"{line}\n" for line in lines))
        _run(con, "load", file=str(file), table=table, number_rows="id")

    load(["first,praise", *rows])
    load(rows)  # there are no decisions yet
    _run(con, "decide", keys="9", new_label="complaint", reviewer="ann")
    load([*rows, "last,praise"])
    with pytest.raises(SqlfuncsError, match="under its number, and decisions holds decisions"):
        load(["first,praise", *rows])
    assert con.execute("SELECT count(*), max(id) FROM train").fetchall() == [(19, 19)]
    load(["first,praise", *rows], table="other")
