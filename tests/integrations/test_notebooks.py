"""Notebooks: the magics in a real kernel, the whole loop by nbclient and by marimo, the charts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, SAMPLE
from tests.integrations.tools import TOOLS, needs_tools
from tests.waiting import patient

NOTEBOOKS = ROOT / "docs" / "notebooks"
pytestmark = [needs_tools, pytest.mark.slow]
Cell = dict[str, Any]

RUN = """
import json, sys
import nbformat
from nbclient import NotebookClient
asked = json.load(sys.stdin)
if "file" in asked:
    book = nbformat.read(asked["file"], 4)
else:
    book = nbformat.v4.new_notebook()
book.cells += [nbformat.v4.new_code_cell(source) for source in asked["cells"]]
NotebookClient(book, timeout=300, allow_errors=True).execute()
print(json.dumps([cell for cell in book.cells if cell.cell_type == "code"]))
"""
INTERRUPTED = """
import json, sys, time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel()

def run(code, interrupt_after=None):
    told, begun = [], None
    asked = client.execute(code)
    if interrupt_after:
        time.sleep(interrupt_after)
        begun = time.monotonic()
        manager.interrupt_kernel()
    while True:
        message = client.get_iopub_msg(timeout=300)
        if message["parent_header"].get("msg_id") == asked:
            told.append((message["msg_type"], json.dumps(message["content"])))
            if message["content"].get("execution_state") == "idle":
                return told, None if begun is None else time.monotonic() - begun

run("%load_ext sqlfuncs")
run("%sqlfuncs SET VARIABLE kept = 41")
run("%sqlfuncs CREATE TABLE t AS SELECT 'x' || hash(i) AS t, i % 2 AS l FROM range(60000) s(i)")
told, seconds = run(sys.argv[1], 3)
after, _ = run("%sqlfuncs SELECT getvariable('kept') + 1 AS answer")
manager.shutdown_kernel(now=True)
print(json.dumps({"told": told, "seconds": seconds, "after": after}))
"""


def _python(code: str, *arguments: str, stdin: str = "") -> str:
    ran = subprocess.run(
        [str(TOOLS / "python"), "-c", code, *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _cells(*cells: str, file: Path | None = None) -> list[Cell]:
    """Cells with their outputs, run in one kernel."""
    asked = {"cells": cells} if file is None else {"cells": cells, "file": str(file)}
    found: list[Cell] = json.loads(_python(RUN, stdin=json.dumps(asked)))
    return found


def _text(cell: Cell) -> str:
    """All that a cell printed or showed, as text."""
    shown = ""
    for output in cell["outputs"]:
        shown += output.get("text", "") + output.get("data", {}).get("text/plain", "")
        shown += "\n".join(output.get("traceback", []))
    return shown


def test_the_whole_loop_in_jupyter() -> None:
    cells = _cells(
        "import json\nprint(json.dumps([int(given.correct[0]), int(corrected.correct[0]), "
        "int(given.n[0]), len(curve), len(worst), int(confusions.n.sum()), "
        "int(qualities.n.sum())]))",
        file=NOTEBOOKS / "labels.ipynb",
    )
    wrong = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert wrong == []
    assert "UsageError" not in "".join(map(_text, cells))
    given, corrected, n, points, worst, tested, judged = json.loads(_text(cells[-1]))
    assert (n, points, worst, tested, judged) == (400, 21, 10, 400, 1500)
    assert 300 < given < corrected
    charts = [cell for cell in cells if "vega" in json.dumps(cell["outputs"])]
    assert len(charts) == 4


def test_the_notebook_is_kept_without_outputs() -> None:
    book = json.loads((NOTEBOOKS / "labels.ipynb").read_text(encoding="utf-8"))
    assert [c.get("outputs", []) for c in book["cells"]] == [[]] * len(book["cells"])


def test_the_whole_loop_in_marimo(tmp_path: Path) -> None:
    file = tmp_path / "labels_marimo.py"  # marimo writes beside it
    shutil.copy(NOTEBOOKS / "labels_marimo.py", file)
    page = tmp_path / "labels.html"
    exported = subprocess.run(
        [str(TOOLS / "marimo"), "export", "html", str(file), "-o", str(page)],
        capture_output=True, encoding="utf-8", timeout=280,
    )  # fmt: skip
    assert exported.returncode == 0, exported.stderr
    assert "vega" in page.read_text(encoding="utf-8")
    given, corrected = json.loads(
        _python(
            "import json, sys; sys.path.insert(0, sys.argv[1])\n"
            "from labels_marimo import app\n"
            "_, named = app.run()\n"
            "print(json.dumps([int(r.correct[0]) for r in named['accuracies'].values()]))",
            str(tmp_path),
        ).splitlines()[-1]
    )
    assert 300 < given < corrected


def test_each_statement_is_computed_once() -> None:
    cells = _cells(
        "%load_ext sqlfuncs",
        "import duckdb\nseen = []\ncon = duckdb.connect()\n"
        "def counted(i: int) -> int:\n    seen.append(i)\n    return i\n"
        "con.create_function('counted', counted, side_effects=True)",
        "%sqlfuncs --db con",
        "%%sqlfuncs\nSELECT counted(i::INT) AS a FROM range(10) r(i);\n"
        "SELECT counted(i::INT) + 100 AS b FROM range(7) r(i)",
        "print(len(seen))",
        "%%sqlfuncs kept <<\nSELECT counted(i::INT) AS i, [i] AS many, DATE '2026-11-23' AS day "
        "FROM range(3) r(i)",
        "print(len(seen), type(kept).__name__, kept.dtypes['day'], kept.i.sum())",
        "%%sqlfuncs\nagain << SELECT label_quality('a', MAP {'a': 0.25}) AS q",
        "print(again.q[0])",
        "value = %sqlfuncs SELECT 42 AS answer\nprint(value.answer[0])",
    )
    assert [_text(cells[at]).strip() for at in (4, 8, 9)] == ["17", "0.25", "42"]
    assert _text(cells[6]).split() == ["20", "DataFrame", "datetime64[us]", "3"]
    assert "106" in _text(cells[3])
    assert "9" in _text(cells[3]).splitlines()[10]
    assert _text(cells[5]) == ""


def test_mistakes_are_said_in_a_line(tmp_path: Path) -> None:
    table = f"CREATE TABLE t AS FROM '{SAMPLE}' LIMIT 60"
    said = [
        _text(cell)
        for cell in _cells(
            "%load_ext sqlfuncs",
            f"%sqlfuncs {table}",
            "%%sqlfuncs\nFROM label_issues(t, txt, label)",
            "%%sqlfuncs\nSELECT 1;\nFROM label_issues(t, text, label, model := 'nix')",
            "%sqlfuncs --query nothing table=t",
            "%sqlfuncs --query detect tabel=t",
            "%%sqlfuncs --query detect t\nSELECT 1",
            "%%sqlfuncs some words\nSELECT 1",
            "%sqlfuncs",
            f"%sqlfuncs --db '{tmp_path}/no/file.duckdb'",
            "%%sqlfuncs\nnone << CREATE TABLE u AS SELECT 1 AS a",
            "%%sqlfuncs\nSELEC 1",
            "%sqlfuncs SELECT count(*) AS n FROM t",
        )
    ]
    expected = (
        '"txt" not found', "statement 2 of 2 failed (nothing ran before it)", "no shipped query",
        "it accepts", "is no parameter", "not understood", "nothing to run", "cannot be opened",
        "no statement gave rows", "nothing was run",
    )  # fmt: skip
    for shown, words in zip(said[2:-1], expected, strict=True):
        assert words in shown or words.replace("nothing ran before it", "statement 1 ran") in shown
        assert "UsageError" in shown
        assert "Traceback" not in shown
    assert "60" in said[-1]


@pytest.mark.parametrize(
    "code",
    [
        "%sqlfuncs SELECT count(*) FROM range(20_000_000_000) r(i) WHERE hash(i) % 7 = 0",
        "%sqlfuncs SELECT count(*) FROM near_duplicates(t, t)",
    ],
    ids=["of DuckDB", "of ours"],
)
def test_the_interrupt_stops_a_statement(code: str) -> None:
    found = json.loads(_python(INTERRUPTED, code))
    assert found["seconds"] < patient(1.5)
    assert "nothing half done was kept" in dict(found["told"])["stream"]
    assert "42" in dict(found["after"])["execute_result"]


def test_long_work_has_a_bar() -> None:
    cells = _cells(
        "%load_ext sqlfuncs",
        "%sqlfuncs CREATE TABLE t AS SELECT 'x' || hash(i) AS t, i % 2 AS l FROM range(20000) r(i)",
        "%sqlfuncs SELECT count(*) AS n FROM label_issues(t, t, l)",
        "%sqlfuncs SELECT 1 AS a",
    )
    assert "VBox()" in _text(cells[2])
    assert "VBox()" not in _text(cells[3])
    assert "20000" in _text(cells[2])


def test_charts_are_valid_and_take_nothing_else() -> None:
    told = json.loads(
        _python("""
import json
import duckdb
import pandas as pd
import sqlfuncs
from sqlfuncs import plots

told = {}
def refused(name, call):
    try:
        call()
    except sqlfuncs.errors.BadInput as error:
        told[name] = str(error)

with sqlfuncs.connect() as con:
    con.execute("CREATE TABLE said AS SELECT 'a' AS label, if(i < 7, 'a', NULL) AS p "
        "FROM range(9) r(i)")
    evaluated = con.sql("FROM evaluate(said, label, p)")
    matrix = con.sql("FROM confusion_matrix(said, label, p)")
    told["gain"] = plots.gain({"it's <b>": evaluated, "two": evaluated.df()}).to_dict()
    told["matrix"] = plots.confusion_matrix(matrix.to_arrow_table()).to_dict()
    curve = [{"reviewed": 1, "errors_left": 2.0, "errors_left_low": 1.0, "errors_left_high": 3.0}]
    told["curve"] = plots.review_curve(curve).to_dict()
    refused("other", lambda: plots.review_curve(matrix))
    refused("number", lambda: plots.confusion_matrix(7))
    refused("empty", lambda: plots.confusion_matrix(matrix.df().head(0)))
    refused("gain of other", lambda: plots.gain({"a": matrix}))
print(json.dumps(told))
""")
    )
    (point,) = [row for row in told["gain"]["data"]["values"] if row["model"] == "two"]
    assert point["accuracy"] == pytest.approx(7 / 9)
    assert {row["n"] for row in told["matrix"]["data"]["values"]} >= {7}
    assert [layer["mark"]["type"] for layer in told["curve"]["layer"]] == ["area", "line"]
    assert "no column reviewed, errors_left" in told["other"]
    assert "takes a result of confusion_matrix, not int" in told["number"]
    assert "has no rows" in told["empty"]
    assert "takes a result of evaluate" in told["gain of other"]


def test_the_examples_of_the_magic() -> None:
    _python(
        "import doctest, sys\nfrom sqlfuncs.integrations import notebook\n"
        "found = doctest.testmod(notebook)\nsys.exit(found.failed or not found.attempted)"
    )


def test_without_altair_it_says_what_to_install(tmp_path: Path) -> None:
    code = "from sqlfuncs import plots\nplots.gain({})"
    blind = (tmp_path / "altair.py", "raise ImportError('not here')\n")
    blind[0].write_text(blind[1])
    ran = subprocess.run(
        [str(TOOLS / "python"), "-c", code], capture_output=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, timeout=300,
    )  # fmt: skip
    assert "pip install 'sqlfuncs[notebook]'" in ran.stderr
