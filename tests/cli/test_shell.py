"""`sqlfuncs shell` with the prompt of our own, at a real terminal and by a pipe."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

import sqlfuncs
from sqlfuncs.cli.prompt.completion import Names
from sqlfuncs.engines.duckdb import catalog
from tests.cli.program import PROGRAM, called
from tests.conftest import SAMPLE
from tests.waiting import patient

PROMPT = "sqlfuncs>"
LONG = "SELECT count(*) FROM range(20_000_000_000) r(i) WHERE hash(i) % 7 = 0;\r"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """The prompt on a new file, at a terminal of 100 columns."""
    arguments = [*PROGRAM[1:], "shell", str(tmp_path / "it's mine.duckdb"), "--with", "prompt"]
    running = pexpect.spawn(
        PROGRAM[0], arguments, encoding="utf-8", timeout=300, dimensions=(30, 100)
    )
    running.expect(PROMPT)
    yield running
    running.close(force=True)


def test_several_lines_completion_errors_and_dot_commands(
    terminal: pexpect.spawn[str], home: Path
) -> None:
    terminal.send("CREATE TABLE two AS SELECT i, 'x;' AS told\r")
    terminal.send("FROM range(2) r(i);\r")
    terminal.expect("2 rows")
    terminal.expect(PROMPT)
    terminal.send("SELECT tol\t || 'y' AS made FROM tw\t;\r")
    terminal.expect("x;y")
    terminal.send("SELECT nothing;\r")
    terminal.expect('"nothing" was not found')
    terminal.expect(PROMPT)
    terminal.send(".mode json\r")
    terminal.expect(PROMPT)
    terminal.send("SELECT label_qual\t'a', MAP {'a': 0.25}) AS q;\r")
    terminal.expect(re.escape('[{"q": 0.25}]'))
    terminal.expect(PROMPT)
    terminal.send(".bogus\r")
    terminal.expect("no command of this prompt")
    terminal.expect(PROMPT)
    terminal.send("CREATE SECRET s (TYPE http, BEARER_TOKEN 'hush');\r")
    terminal.expect(PROMPT)
    terminal.sendeof()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    kept = home / "history"
    assert "SELECT told || 'y' AS made FROM two;" in kept.read_text(encoding="utf-8")
    assert "hush" not in kept.read_text(encoding="utf-8")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "statement",
    [
        LONG,
        "SELECT count(*) FROM near_duplicates((SELECT 'x' || hash(i) AS t "
        "FROM range(200_000) r(i)), t);\r",
    ],
    ids=["of DuckDB", "of ours"],
)
def test_ctrl_c_stops_a_statement_and_nothing_else(
    terminal: pexpect.spawn[str], statement: str
) -> None:
    terminal.send("SET VARIABLE kept = 41;\r")
    terminal.expect(PROMPT)
    if "near" in statement:
        terminal.send(
            "CREATE TEMP TABLE many AS SELECT 'x' || hash(i) AS t FROM range(200_000) r(i);\r"
        )
        terminal.expect(PROMPT)
        statement = "SELECT count(*) FROM near_duplicates(many, t);\r"
    terminal.send(statement)
    time.sleep(3)
    begun = time.monotonic()
    terminal.sendintr()
    terminal.expect("nothing half done was kept")
    assert time.monotonic() - begun < patient(1)
    terminal.expect(PROMPT)
    terminal.send("SELECT getvariable('kept') + 1 AS answer;\r")
    terminal.expect("42")


def test_ctrl_c_puts_away_what_was_typed(terminal: pexpect.spawn[str]) -> None:
    terminal.send("SELECT 'half")
    terminal.sendintr()
    terminal.expect(PROMPT)
    terminal.send("SELECT 'who' || 'le';\r")
    terminal.expect("whole")
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)


def test_a_pipe_is_run_until_something_fails(tmp_path: Path) -> None:
    text = f"""
    CREATE TABLE train AS FROM '{SAMPLE}' LIMIT 200;
    .mode json
    .tables
    SELECT ';' AS a, -- ; no end
        2 AS b; SELECT 3 AS c;
    .read detect.sql text=text label=label
    SELECT nothing;
    SELECT 'never' AS ran"""
    ran = called("shell", tmp_path / "new.duckdb", piped=text)
    assert ran.returncode == 1
    tables, first, second, *detected = (json.loads(line) for line in ran.stdout.splitlines())
    assert tables == [{"name": "train", "kind": "table", "rows": 200}]
    assert (first, second) == ([{"a": ";", "b": 2}], [{"c": 3}])
    assert sum(row["rows"] for row in detected[-1]) == 200
    assert '"nothing"' in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_template_takes_its_variables(tmp_path: Path) -> None:
    text = """-- param n integer = 2: how many
    .mode csv
    SET VARIABLE param_n = 3;
    SELECT {{ n | literal }} + 1 AS m;
    """
    file = tmp_path / "more.sql"
    file.write_text("-- param n integer = 2: how many\nSELECT {{ n | literal }} AS n;\n")
    ran = called("shell", piped=f"{text}\n.read '{file}'\n.read '{file}' n=7\n.read '{file}' m=7\n")
    assert ran.stdout.split() == ["m", "4", "n", "3", "n", "7"]
    assert (ran.returncode, "m" in ran.stderr) == (1, True)


def test_one_statement_by_an_option() -> None:
    ran = called("shell", "-c", "SELECT 40 + 2 AS answer; SELECT 1 AS one")
    assert ran.returncode == 0
    assert "42" in ran.stdout
    assert "one" in ran.stdout
    ran = called("shell", "-c", "SELECT 1 AS first", "-c", "SELECT 2 AS second;", "-c", ".tables")
    assert ran.returncode == 0
    assert "first" in ran.stdout and "second" in ran.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (".schema nothing", "there is no table nothing; there are: none"),
        (".mode wide", "table, csv, json, markdown"),
        (".timer maybe", "on or off"),
        (".read", "detect"),
        (".read nothing.sql", "there is no file nothing.sql"),
        (".help nothing", "label_issues"),
        ('.read "half', "No closing quotation"),
    ],
)
def test_a_wrong_dot_command_says_what_there_is(line: str, says: str) -> None:
    ran = called("shell", piped=f"{line}\n")
    assert ran.returncode == 1
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_others_are_asked_for_by_name() -> None:
    ran = called("shell", "--with", "harlequin", piped="SELECT 1;")
    assert ran.returncode == 2
    assert "harlequin needs a terminal" in ran.stderr


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("FROM label_i", "label_issues("),
        ("SELECT we", '"we ird"'),
        ("SELECT tex", "text"),
        ("SEL", "SELECT"),
        ("sel", "select"),
        (".re", ".read"),
        (".mode j", "json"),
        (".read detec", "detect"),
        (".schema t", "t"),
        (".help evalu", "evaluate"),
    ],
)
def test_names_complete(typed: str, first: str) -> None:
    with sqlfuncs.connect() as con:
        con.execute('CREATE TABLE t AS SELECT 1 AS text, 2 AS "we ird"')
        names = catalog.names(con)
    asked = CompleteEvent(completion_requested=True)
    found = [c.text for c in Names(lambda: names).get_completions(Document(typed), asked)]
    assert found[0] == first
    assert len(found) == len({text.lower() for text in found})
