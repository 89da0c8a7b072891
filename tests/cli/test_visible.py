"""Nothing of the data, of a name or of an error moves a terminal's cursor, hides or turns text."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect
import pytest

from sqlfuncs import work
from sqlfuncs.cli import show
from sqlfuncs.cli.program import run_program
from sqlfuncs.cli.progress import Bars
from sqlfuncs.visible import visible

UNSEEN = [
    "\x1b]0;title\x07", "\x1b[2J", "\x1b[31m", "\b\b\b", "\r", "\x00", "\x07", "\x7f", "\x9b2J",
    "\x85", "\u202e", "\u2066", "\u2069", "\u200f", "\u200b", "\u2028", "\ufeff", "\U000e0041",
]  # fmt: skip


def _is_seen(text: str) -> bool:
    return text == visible(text)


@pytest.mark.parametrize("text", UNSEEN)
def test_what_could_not_be_seen_is_spelt(text: str) -> None:
    shown = visible(f"a{text}b")
    assert shown.isprintable() and "\\" in shown
    assert shown.startswith("a") and shown.endswith("b")


@pytest.mark.parametrize(
    "text", ["a\tb\nc", "naïve ‘quotes’ 🎈 عربي 日本語", "👩\u200d🔬", "می\u200cخواهم"]
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "unseen",
    ["\x1b]0;title\x07", "".join(each for each in UNSEEN if each != "\0")],
    ids=["a", "all"],
)
def test_every_place_of_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unseen: str
) -> None:
    name = f"n{unseen}m"
    quoted = '"' + name + '"'
    table = (
        f"CREATE TABLE {quoted} AS SELECT '{name}' AS {quoted}, MAP {{'{name}': ['{name}']}} AS x"
    )
    csv = tmp_path / "rows.csv"
    csv.write_text(f'id,"text{unseen}"\n1,"{name}"\n', newline="")
    query = tmp_path / "query.sql"
    query.write_text(f"-- title: {name}\n-- param p text: it\nSELECT nothing_{{{{ p | ident }}}}")
    db = str(tmp_path / "a.duckdb")
    calls = [
        ["shell", db, "-c", table, "-c", f"FROM {quoted}", "-c", ".tables", "-c", ".schema"],
        ["shell", db, "-c", ".mode markdown", "-c", f"FROM {quoted}"],
        ["shell", db, "-c", f"SELECT {quoted}"],
        ["shell", db, "-c", f".tables {name}"],
        ["shell", db, "-c", f".schema {name}"],
        ["shell", db, "-c", f".{name}"],
        ["shell", db, "-c", f"SELECT error('{name}')"],
        ["run", "load", "--db", db, f"file={csv}", "table=rows"],
        ["run", "load", "--db", db, f"file={name}"],
        ["run", "load", "--db", db, f"{name}=1"],
        ["run", "detect", "--db", db, f"table={name}", f"text={name}"],
        ["run", str(query), f"p={name}"],
        ["run", name],
        [name],
        ["shell", "--with", name],
        ["report", name],
        ["report", db, "--table", name],
        ["models", "fetch", name],
    ]
    for arguments in calls:
        run_program(arguments)
        printed = capsys.readouterr()
        assert _is_seen(printed.out), (arguments, printed.out)
        assert _is_seen(printed.err), (arguments, printed.err)


@pytest.mark.parametrize("unseen", UNSEEN)
def test_remarks_and_progress(unseen: str, capsys: pytest.CaptureFixture[str]) -> None:
    work.Quiet().show(f"the server said {unseen}")
    bars = Bars()
    bars.show(f"the server said {unseen}")
    bars.started(work.Task(f"reading {unseen}", 3))
    show.heading(f"title {unseen}")
    show.sql(f"SELECT '{unseen}'")
    printed = capsys.readouterr()
    assert _is_seen(printed.err) and printed.err.count("the server said") == 2


def test_data_that_is_piped_is_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    value = "\x1b[2J\u202ex"
    show.result(["a"], [[value]], "csv")
    show.result(["a"], [[value]], "json")
    show.written(f"SELECT '{value}'")
    csv, json, sql = (f"a\n{value}\n", '[{"a": "\\u001b[2J\u202ex"}]\n', f"SELECT '{value}'\n")
    assert capsys.readouterr().out == csv + json + sql


@pytest.mark.parametrize("form", ["csv", "json", "table", "markdown"])
def test_data_at_a_terminal_can_be_seen(form: str) -> None:
    sql = "SELECT chr(27) || ']0;owned' || chr(7) || chr(8238) || 'end' AS a"
    arguments = ["-m", "sqlfuncs.cli", "shell", "-c", f".mode {form}", "-c", sql]
    running = pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=300)
    running.expect("end")
    running.expect(pexpect.EOF)
    written = str(running.before)
    assert "\x1b]0;" not in written and "\u202e" not in written and "\x07" not in written
    running.close()
