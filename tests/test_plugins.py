"""A package of somebody else's adds functions by the same hook as the built-in ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

EXAMPLE = re.search(
    r"```python\n(.*?)```", (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"), re.DOTALL
)


def _install(folder: Path, name: str, code: str) -> None:
    """A package as pip leaves it: a module, and an entry point in its metadata."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[sqlfuncs]\n{name} = {name}:register\n")


def _run(folder: Path, sql: str) -> subprocess.CompletedProcess[str]:
    script = (
        f"import sqlfuncs\nwith sqlfuncs.connect() as con:\n    print(con.sql({sql!r}).fetchall())"
    )
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_example_of_the_page_works_when_it_is_installed(tmp_path: Path) -> None:
    assert EXAMPLE is not None
    _install(tmp_path, "our_package", EXAMPLE[1])
    ran = _run(tmp_path, "SELECT shout(t, mark := '?'), shout(t) FROM (VALUES ('a'), (NULL)) v(t)")
    assert ran.stdout.strip() == "[('A?', 'A!'), (None, None)]", ran.stderr


def test_macros_and_tables_of_others_work_too(tmp_path: Path) -> None:
    _install(
        tmp_path,
        "others",
        """
import pyarrow as pa
from sqlfuncs.functions.spec import Column, ListFunction, SqlMacro, TableFunction

def lengths(rows, *, least: int = 0):
    "How long each text is."
    return pa.StructArray.from_arrays(
        [pa.array([len(t) if len(t) >= least else None for t in rows.field("text").to_pylist()])],
        names=["length"])

def greet(name):
    "A greeting."
    return pa.array([{"said": f"hello {name}"}])

def register(add):
    add(TableFunction(name="lengths", compute=lengths, inputs=("text",),
                      returns=(Column("length", pa.int64(), "characters"),)))
    add(ListFunction(name="greet", compute=greet, arguments=("name",),
                     returns=(Column("said", pa.string(), "what was said"),)))
    add(SqlMacro("twice", "twice(n) AS n * 2", "Twice a number."))
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
        "from sqlfuncs.functions.spec import SqlMacro\n"
        "def register(add):\n    add(SqlMacro('evaluate', 'evaluate(n) AS n', 'Ours.'))\n"
    )
    _install(tmp_path, "rival", code)
    ran = _run(tmp_path, "SELECT 1")
    assert "two packages give a SQL function evaluate: macros and rival" in ran.stderr


def test_a_package_that_fails_is_named(tmp_path: Path) -> None:
    _install(tmp_path, "broken", "def register(add):\n    raise OSError('no disk')\n")
    ran = _run(tmp_path, "SELECT 1")
    assert "the plug-in broken of sqlfuncs failed: OSError('no disk')" in ran.stderr
