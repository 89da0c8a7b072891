"""A package of somebody else's adds functions by the same hook as the built-in ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.functions import evaluate
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FUNCTION, SOUNDS, AMOUNTS, MODEL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
POINTS = dict(re.findall(r"\[project\.entry-points\.(\S+)\]\n +(.+)\n", PAGE))


def _install(folder: Path, name: str, code: str, points: str = "") -> None:
    """A package as pip leaves it: a module, and entry points in its metadata."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = points or f"[sqlfuncs]\n{name} = {name}:register\n"
    (metadata / "entry_points.txt").write_text(points)


def _as_the_page_says(folder: Path, name: str, code: str, group: str) -> None:
    point = POINTS[group].replace('"', "")
    _install(folder, name, code, f"[{group.strip(chr(34))}]\n{point}\n")


def _run(folder: Path, sql: str) -> subprocess.CompletedProcess[str]:
    return _run_python(
        folder,
        f"import sqlfuncs\nwith sqlfuncs.connect() as con:\n    print(con.sql({sql!r}).fetchall())",
    )


def _run_python(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_function_of_the_page_works_when_it_is_installed(tmp_path: Path) -> None:
    _as_the_page_says(tmp_path, "our_package", FUNCTION, "sqlfuncs")
    ran = _run(tmp_path, "SELECT shout(t, mark := '?'), shout(t) FROM (VALUES ('a'), (NULL)) v(t)")
    assert ran.stdout.strip() == "[('A?', 'A!'), (None, None)]", ran.stderr


def _whistle(path: Path, pitch: float) -> None:
    heard = np.sin(np.arange(8000) * 2 * np.pi * pitch / 8000) * 20_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(heard.astype(np.int16).tobytes())


@pytest.mark.slow
def test_the_kind_of_row_of_the_page_is_judged(tmp_path: Path) -> None:
    _as_the_page_says(tmp_path, "our_sounds", SOUNDS, '"sqlfuncs.rows"')
    for at in range(60):
        _whistle(tmp_path / f"{at}.wav", (300 if at % 2 else 2000) + at)
    table = (
        f"WITH t AS (SELECT '{tmp_path}/' || i || '.wav' AS path, "
        "if((i % 2 = 1) <> (i = 7), 'low', 'high') AS label FROM range(61) r(i)) "
    )
    ran = _run(
        tmp_path,
        table + "SELECT label, suggested_label, not_judged FROM label_issues(t, path, label) "
        "WHERE is_label_issue OR not_judged IS NOT NULL ORDER BY not_judged NULLS FIRST",
    )
    assert ran.stdout.strip() == (
        "[('high', 'low', None), ('high', None, 'the sound cannot be read')]"
    ), ran.stderr
    ran = _run(tmp_path, table + "SELECT count(outlier_score) FROM outliers(t, path)")
    assert "rows are not compared by sounds yet" in ran.stderr
    ran = _run(
        tmp_path,
        table + ", i AS (FROM label_issues(t, path, label)) "
        "SELECT speaks_for_given, like_given, votes FROM explain_issues(i, path, label, path)",
    )
    assert ran.stdout.strip() == "[([], [], {'embedding': 'low'})]", ran.stderr
    ran = _run(tmp_path, table + "FROM fine_tune('m', t, path, label)")
    assert "fine_tune cannot train on sounds" in ran.stderr


@pytest.mark.slow
def test_the_kind_of_label_of_the_page_is_judged(tmp_path: Path) -> None:
    _as_the_page_says(tmp_path, "our_amounts", AMOUNTS, '"sqlfuncs.tasks"')
    table = (
        "WITH t AS (SELECT [1.0, i % 9, hash(i) % 7] AS house, CASE i WHEN 7 THEN 9.5 "
        "WHEN 9 THEN NULL ELSE 100 * (i % 9) + hash(i) % 5 / 10 END::DOUBLE AS price "
        "FROM range(200) r(i)) "
    )
    ran = _run(
        tmp_path,
        table + "SELECT price, round(suggested_label, -1), typeof(suggested_label), not_judged "
        "FROM label_issues(t, house, price) WHERE is_label_issue AND abs(price - predicted_label) "
        "> 50 OR not_judged IS NOT NULL ORDER BY price NULLS LAST",
    )
    assert ran.stdout.strip() == (
        "[(9.5, 700.0, 'DOUBLE', None), (None, None, 'DOUBLE', 'the label is no number')]"
    ), ran.stderr
    ran = _run(tmp_path, table + "SELECT count(outlier_score), count(is_ambiguous), "
               "min(label_quality) < .1 FROM audit(t, house, price)")  # fmt: skip
    assert ran.stdout.strip() == "[(200, 0, True)]", ran.stderr
    ran = _run(tmp_path, table + "FROM label_health(t, house, price)")
    assert "label_health is about classes; these labels are none" in ran.stderr
    ran = _run(tmp_path, table + "FROM label_issues(t, house, price, votes := 'a' || price % 2)")
    assert "votes name classes, and these labels are none (regression)" in ran.stderr
    few = "WITH t AS (SELECT [1.0, i % 2] AS x, (i % 2)::DOUBLE AS y FROM range(99) r(i)) "
    ran = _run(tmp_path, few + "SELECT max(class_probs['1.0']) > .5 FROM label_issues(t, x, y)")
    assert ran.stdout.strip() == "[(True,)]", ran.stderr


def test_the_provider_of_the_page_is_asked(tmp_path: Path) -> None:
    _as_the_page_says(tmp_path, "our_models", MODEL, '"sqlfuncs.providers"')
    call = "llm_classify(t, ['a', 'b'], model := 'ours:please')"
    ran = _run(tmp_path, f"SELECT {call} FROM (VALUES ('please!'), ('now'), (NULL)) v(t)")
    assert ran.stdout.strip() == "[('a',), ('b',), (None,)]", ran.stderr


def test_a_kind_of_row_that_is_none(tmp_path: Path) -> None:
    _install(tmp_path, "odd", "Odd = 7\n", "[sqlfuncs.rows]\nodd = odd:Odd\n")
    ran = _run(tmp_path, "WITH t AS (SELECT 'a' AS x, 'b' AS y) FROM label_issues(t, x, y)")
    assert "'odd' is no kind of rows: odd:Odd" in ran.stderr


def test_a_kind_of_label_that_is_none(tmp_path: Path) -> None:
    _install(tmp_path, "odd", "Odd = 7\n", "[sqlfuncs.tasks]\nodd = odd:Odd\n")
    ran = _run(tmp_path, "WITH t AS (SELECT 'a' AS x, 'b' AS y) FROM label_issues(t, x, y)")
    assert "'odd' is no task: odd:Odd" in ran.stderr


def test_macros_and_tables_of_others_work_too(tmp_path: Path) -> None:
    _install(
        tmp_path,
        "others",
        """
import pyarrow as pa
from sqlfuncs.engines.duckdb.functions import SqlMacro
from sqlfuncs.functions.spec import Column, ListFunction, NativeFunction, TableFunction

def lengths(rows, *, least: int = 0):
    "How long each text is."
    return pa.StructArray.from_arrays(
        [pa.array([len(t) if len(t) >= least else None for t in rows.field("text").to_pylist()])],
        names=["length"])

def greet(name):
    "A greeting."
    return pa.array([{"said": f"hello {name}"}])

class Elsewhere(NativeFunction):
    "What only another engine has."
    name, help = "elsewhere", "Nothing here."

def register(add):
    add(TableFunction(name="lengths", compute=lengths, inputs=("text",),
                      returns=(Column("length", pa.int64(), "characters"),)))
    add(ListFunction(name="greet", compute=greet, arguments=("name",),
                     returns=(Column("said", pa.string(), "what was said"),)))
    add(SqlMacro("twice", "twice(n) AS n * 2", "Twice a number."))
    add(Elsewhere())
""",
    )
    ran = _run(
        tmp_path,
        "WITH t AS (FROM (VALUES ('abc'), ('d')) v(word)) "
        "SELECT word, length, twice(2), (SELECT said FROM greet('you')) "
        "FROM lengths(t, word, least := 2)",
    )
    assert ran.stdout.strip() == "[('abc', 3, 4, 'hello you'), ('d', None, 4, 'hello you')]", (
        ran.stderr
    )


def test_two_functions_of_one_name_are_refused(tmp_path: Path) -> None:
    code = (
        "from sqlfuncs.engines.duckdb.functions import SqlMacro\n"
        "def register(add):\n    add(SqlMacro('evaluate', 'evaluate(n) AS n', 'Ours.'))\n"
    )
    _install(tmp_path, "rival", code)
    ran = _run(tmp_path, "SELECT 1")
    assert "two packages give a SQL function evaluate: functions and rival" in ran.stderr


def test_a_package_that_fails_is_named(tmp_path: Path) -> None:
    _install(tmp_path, "broken", "def register(add):\n    raise OSError('no disk')\n")
    ran = _run(tmp_path, "SELECT 1")
    assert "the plug-in broken of sqlfuncs failed: OSError('no disk')" in ran.stderr


def test_an_engine_of_others_takes_its_own_connections(tmp_path: Path) -> None:
    _install(
        tmp_path,
        "other",
        """
import sqlite3

class Other:
    name, dialect = "other", None

    def owns(self, con):
        return isinstance(con, sqlite3.Connection)

    def register(self, con):
        con.create_function("ours", 0, lambda: 7)

ENGINE = Other()
""",
        "[sqlfuncs.engines]\nother = other:ENGINE\n",
    )
    script = """
import duckdb, sqlite3, sqlfuncs
own, con = sqlite3.connect(":memory:"), duckdb.connect()
sqlfuncs.register(own)
sqlfuncs.register(con)
con.execute("SET enable_progress_bar = false")
print(own.execute("SELECT ours()").fetchall(), con.sql("SELECT count(*) FROM sqlfuncs.models()"))
con.close()
sqlfuncs.register("neither")
"""
    ran = _run_python(tmp_path, script)
    assert ran.stdout.startswith("[(7,)] ┌"), ran.stderr
    assert (
        "CannotRegister: builtins.str is no connection in which functions can be registered. "
        "There are engines: duckdb, spark, other." in ran.stderr
    )


def test_a_column_that_was_not_declared_is_a_fault_of_the_code() -> None:
    with pytest.raises(AssertionError, match="evaluate returns no accurate"):
        evaluate.FUNCTION.result({"n": pa.array([1]), "accurate": pa.array([1.0])})
