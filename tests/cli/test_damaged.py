"""Files that are no database, or one that is damaged, and text that is none: an error in a line."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.cli.program import run_program

PROGRAM = [sys.executable, "-m", "sqlfuncs.cli"]
COMMANDS = {
    "run": ["run", "review_queue", "--db", "FILE"],
    "run, read only": ["run", "review_queue", "--db", "FILE", "--read-only"],
    "shell": ["shell", "FILE", "-c", "SELECT sum(hash(train)::DOUBLE) AS s FROM train"],
    "report": ["report", "FILE", "--skip", "gain", "--skip", "noisy", "--out", "OUT"],
    "review": ["review", "FILE", "--no-browser", "--port", "0"],
    "serve": ["serve", "FILE", "--port", "0"],
    "demo": ["demo", "--db", "FILE"],
}


def _damage(kind: str, data: bytes) -> bytes:
    bad = bytearray(data)
    match kind:
        case "empty":
            return b""
        case "cut in its head":
            return data[:100]
        case "cut in its catalog":
            return data[:12288]
        case "random":
            return random.Random(1).randbytes(30_000)
        case "CSV":
            return b"id,text\n1,a\n" * 100
        case "SQLite":
            return b"SQLite format 3\0" + bytes(4080)
        case "another magic":
            bad[8:12] = b"DUCX"
        case "a flipped head":
            bad[20] ^= 0xFF
        case "a flipped block":
            bad[12288 + 300] ^= 0xFF
    return bytes(bad)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("whole") / "whole.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            "CREATE TABLE train AS SELECT i AS id, 'text ' || i || repeat('x', 50) AS text, "
            "['a', 'b'][i % 2 + 1] AS label FROM range(5000) r(i); "
            "CREATE TABLE issues AS SELECT *, 0.5 AS label_quality, true AS is_label_issue, "
            "'a' AS suggested_label FROM train"
        )
    return file.read_bytes()


KINDS = [
    "empty", "cut in its head", "cut in its catalog", "random", "CSV", "SQLite", "another magic",
    "a flipped head", "a flipped block", "a folder",
]  # fmt: skip


SPAWNED = ("review", "serve")  # which would take a port, and end this process
CASES = [
    (command, kind)
    for kind in KINDS
    for command in COMMANDS
    if command not in SPAWNED or kind in ("empty", "random", "a flipped block", "a folder")
]


@pytest.mark.parametrize(("command", "kind"), CASES)
def test_a_damaged_file_is_named_in_one_line(
    tmp_path: Path, whole: bytes, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    file = tmp_path / "damaged.duckdb"
    if kind == "a folder":
        file.mkdir()
    else:
        file.write_bytes(_damage(kind, whole))
    places = {"FILE": str(file), "OUT": str(tmp_path / "out.html")}
    arguments = [places.get(word, word) for word in COMMANDS[command]]
    if command in SPAWNED:
        ran = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=300)
        code, err = ran.returncode, ran.stderr
    else:
        code, err = run_program(arguments), capsys.readouterr().err
    said = err.strip().splitlines()
    assert code in (1, 2)
    assert "Traceback" not in err
    assert str(file) in said[-1] and said[-1].startswith(("sqlfuncs: ", "Error: "))
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("command", ["run", "shell", "report"])
def test_damage_that_shows_later_is_told_of_the_file(
    tmp_path: Path, whole: bytes, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "cut.duckdb"
    file.write_bytes(whole[: len(whole) // 2])
    places = {"FILE": str(file), "OUT": str(tmp_path / "out.html")}
    assert run_program([places.get(word, word) for word in COMMANDS[command]]) == 1
    assert str(file) in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_file_whose_macros_are_called_like_built_ins_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)) as con:
        for name in ("greatest", "count", "error", "string_agg", "starts_with", "current_schema"):
            con.execute(
                f"CREATE MACRO {name}(a) AS 'nonsense'; CREATE TABLE {name} AS SELECT 1 AS a"
            )
    assert run_program(["shell", str(file), "-c", ".tables", "-c", ".schema error"]) == 0
    printed = capsys.readouterr().out
    assert "greatest" in printed and 'CREATE TABLE "error"' in printed


def test_a_new_file_with_nothing_in_it_is_not_left(tmp_path: Path) -> None:
    for given in (["file=nowhere.csv"], [f"file={tmp_path}/ragged.csv"]):
        (tmp_path / "ragged.csv").write_text("id,text\n1,a,b\n2,c\n")
        file = tmp_path / "new.duckdb"
        assert run_program(["run", "load", "--db", str(file), *given]) == 1
        assert [each.name for each in tmp_path.iterdir() if "new" in each.name] == []


@pytest.mark.parametrize(
    ("arguments", "piped"),
    [
        (["shell", "-c", b"SELECT 1 AS \xe9"], b""),
        (["run", b"\xe9.sql"], b""),
        (["run", "detect", b"table=\xff"], b""),
        (["report", b"\xff.duckdb"], b""),
        (["shell"], b"SELECT '\xff';"),
        (["shell"], b"\xff\xfeS\0E\0L\0"),
    ],
)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_bytes_that_are_no_utf_8_are_an_error(
    arguments: list[str | bytes], piped: bytes, locale: str
) -> None:
    words = [*map(os.fsencode, PROGRAM), *map(os.fsencode, arguments)]
    env = {**os.environ, "LC_ALL": locale}
    ran = subprocess.run(words, input=piped, capture_output=True, timeout=300, env=env)
    assert ran.returncode in (1, 2)
    assert b"Traceback" not in ran.stderr
    assert b"UTF-8" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("form", ["table", "markdown", "json", "csv"])
def test_an_output_that_lacks_characters_is_no_traceback(form: str) -> None:
    words = [*PROGRAM, "shell", "-c", f".mode {form}", "-c", "SELECT 'é' AS ü, 1 AS one"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(words, capture_output=True, timeout=300, env=env)
    assert b"Traceback" not in ran.stderr
    if form == "csv":  # data is right or it is not there
        assert ran.returncode == 1 and b"PYTHONIOENCODING=utf-8" in ran.stderr
    else:
        assert ran.returncode == 0 and b"one" in ran.stdout
    if form == "json":
        assert ran.stdout == b'[{"\\u00fc": "\\u00e9", "one": 1}]\n'
