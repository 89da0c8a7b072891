"""The macros in a file beside the compiled Python: the same functions, with it and without."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from tests.engines.calls import connection, outcomes


@pytest.fixture(autouse=True)
def compiled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for what is compiled."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "compiled"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("macros.*"))


def _lies_in(con: duckdb.DuckDBPyConnection) -> str:
    """Where the database of the macros is; "" in memory."""
    sql = "SELECT coalesce(path, '') FROM duckdb_databases() WHERE database_name = 'sqlfuncs'"
    ((path,),) = con.execute(sql).fetchall()
    return str(path)


def test_every_function_gives_the_same(compiled_in: Path) -> None:
    with connection() as con:
        assert _lies_in(con) == ""
        expected = repr(outcomes(con))
    (file,) = _files(compiled_in)
    with connection() as con, connection() as other:
        assert _lies_in(con) == _lies_in(other) == str(file)
        assert repr(outcomes(con)) == expected
    assert _files(compiled_in) == [file]


def test_instances_are_told_apart() -> None:
    sqlfuncs.connect().close()
    with sqlfuncs.connect() as one, sqlfuncs.connect() as other:
        numbers = {con.execute("SELECT _sf_instance()").fetchall()[0] for con in (one, other)}
        assert len(numbers) == 2
        assert one.cursor().execute("SELECT _sf_instance()").fetchall()[0] in numbers


def test_nothing_is_written_where_python_keeps_nothing(
    compiled_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with sqlfuncs.connect() as con:
        assert con.execute("SELECT count(*) FROM models()").fetchall() == [(0,)]
    assert _files(compiled_in) == []


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "a folder", *map(str, range(6))])
def test_a_damaged_file_is_written_anew(compiled_in: Path, damage: str) -> None:
    sqlfuncs.connect().close()
    (file,) = _files(compiled_in)
    whole = bytearray(file.read_bytes())
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    elif damage in ("empty", "text", "cut"):
        file.write_bytes({"empty": b"", "text": b"id,text\n", "cut": bytes(whole[:20000])}[damage])
    else:
        for place in random.Random(damage).sample(range(len(whole)), 2000):
            whole[place] ^= 0xFF
        file.write_bytes(whole)
    for _ in range(2):
        with connection() as con:
            con.execute("FROM evaluate(t, label, said)").fetchall()
    assert file.is_dir() == (damage == "a folder")


def test_a_session_that_may_open_no_files_has_them_in_memory(compiled_in: Path) -> None:
    sqlfuncs.connect().close()
    with duckdb.connect(config={"enable_external_access": "false"}) as con:
        sqlfuncs.register(con)
        assert _lies_in(con) == ""
        assert con.execute("SELECT count(*) FROM sqlfuncs.models()").fetchall() == [(0,)]


def test_a_place_that_cannot_be_written_is_done_without(compiled_in: Path) -> None:
    compiled_in.write_text("no folder")
    with sqlfuncs.connect() as con:
        assert _lies_in(con) == ""
    assert compiled_in.read_text() == "no folder"


def test_files_of_other_versions_go_when_nobody_has_read_them_for_a_day(compiled_in: Path) -> None:
    sqlfuncs.connect().close()
    (file,) = _files(compiled_in)
    old, new = (file.with_name(f"macros.1.0.0.{name}.duckdb") for name in ("old", "new"))
    for other, age in ((old, 2), (new, 0)):
        other.write_bytes(b"")
        os.utime(other, (time.time() - age * 86_400,) * 2)
    file.unlink()
    sqlfuncs.connect().close()
    assert _files(compiled_in) == sorted([file, new])


@pytest.mark.slow  # each of the four compiles every module
def test_processes_that_begin_at_once(compiled_in: Path) -> None:
    sql = "SELECT label_quality('a', MAP {'a': 0.5, 'b': 0.5})"
    code = f"import sqlfuncs; print(sqlfuncs.connect().execute({sql!r}).fetchall())"
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled_in), "PYTHONDONTWRITEBYTECODE": ""}
    several = [
        subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [each.communicate(timeout=300)[0] for each in several] == [b"[(0.5,)]\n"] * 4
    assert len(_files(compiled_in)) == 1
