from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.queries import files
from tests.cli.program import PROGRAM, called, spawned
from tests.waiting import patient

ROWS = '''\
-- title: Some rows
-- param n integer = 2: how many
-- param name text = it's: any text
SELECT i AS "a ""b""", i / 3 AS third, {{ name | literal }} AS name, NULL AS nothing,
    [i, NULL] AS many, {'x': 0.5::DOUBLE, 'y': 'z'} AS s, i = 1 AS first, DATE '2026-11-22' AS day,
    'pipe | line' || chr(10) || 'break, "quote" 🎈' AS odd, 'nan'::DOUBLE AS nan,
    MAP {'k': 1.25::DECIMAL(5, 2)} AS m
FROM range(1, {{ n | literal }} + 1) r(i)
'''


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A query file whose result holds a value of every kind."""
    file = tmp_path / "rows.sql"
    file.write_text(ROWS, encoding="utf-8")
    return file


def _query(tmp_path: Path, sql: str) -> Path:
    file = tmp_path / "query.sql"
    file.write_text(sql, encoding="utf-8")
    return file


def test_csv(rows: Path) -> None:
    ran = called("run", rows, "--format", "csv")
    assert ran.returncode == 0
    header, first, second = csv.reader(io.StringIO(ran.stdout))
    assert header == [
        'a "b"', "third", "name", "nothing", "many", "s", "first", "day", "odd", "nan", "m"
    ]  # fmt: skip
    assert first == [
        "1", str(1 / 3), "it's", "", "[1, null]", '{"x": 0.5, "y": "z"}', "true", "2026-11-22",
        'pipe | line\nbreak, "quote" 🎈', "nan", '{"k": 1.25}',
    ]  # fmt: skip
    assert second[:2] == ["2", str(2 / 3)]


def test_json(rows: Path) -> None:
    ran = called("run", rows, "--format", "json")
    assert ran.returncode == 0
    assert ran.stdout.count("\n") == 1
    first, second = json.loads(ran.stdout)
    assert first == {
        'a "b"': 1, "third": 1 / 3, "name": "it's", "nothing": None, "many": [1, None],
        "s": {"x": 0.5, "y": "z"}, "first": True, "day": "2026-11-22",
        "odd": 'pipe | line\nbreak, "quote" 🎈', "nan": None, "m": {"k": 1.25},
    }  # fmt: skip
    assert second["first"] is False


def test_markdown(rows: Path) -> None:
    ran = called("run", rows, "--format", "markdown")
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0
    assert lines[0].startswith('| a "b" | third | name | nothing | many |')
    assert set(lines[1].split()) == {"|", "---"}
    assert lines[2] == (
        "| 1 | 0.3333 | it's | NULL | [1, NULL] | {x: 0.5, y: z} | true | 2026-11-22 "
        '| pipe \\| line break, "quote" 🎈 | nan | {k: 1.25} |'
    )
    assert len(lines) == 4


def test_a_table_for_people(rows: Path) -> None:
    ran = called("run", rows, "n=100")
    assert ran.returncode == 0
    assert "(100 rows, the first 40 shown)" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 160
    narrow = called("run", _query(rows.parent, "SELECT 1 / 3 AS third, NULL AS nothing"))
    assert [line.split() for line in narrow.stdout.splitlines()[1:4:2]] == [
        ["│", "third", "│", "nothing", "│"],
        ["│", "0.3333", "│", "NULL", "│"],
    ]


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_no_rows_and_nothing_to_show(rows: Path, tmp_path: Path, form: str) -> None:
    ran = called("run", rows, "n=0", "--format", form)
    assert ran.returncode == 0
    assert ran.stdout == "[]\n" if form == "json" else "third" in ran.stdout
    ran = called("run", _query(tmp_path, "CREATE TABLE t (a INTEGER);"), "--format", form)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_results_on_stdout_and_remarks_on_stderr(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute("""
            CREATE TABLE train AS SELECT i AS id, CASE WHEN i = 3 THEN NULL ELSE
                'text ' || (i % 7) END AS text, 'c' || (i % 2) AS label FROM range(40) r(i)
        """)
    ran = called("run", "fine_tune", "--db", db, "--format", "json")
    assert ran.returncode == 0
    ((row,),) = map(json.loads, ran.stdout.splitlines())
    assert (row["model"], row["version"], row["rows"]) == ("my_model", 1, 39)
    assert "left out of training: the text is NULL (1 row)" in ran.stderr
    assert "fine_tune 1/1: 1 row in" in ran.stderr
    again = called("run", "fine_tune", "--db", db, "--format", "json")
    ((same,),) = map(json.loads, again.stdout.splitlines())
    assert same == row
    assert "version 1 was trained on exactly these rows; it is reused" in again.stderr
    listed = spawned("models", "--format", "json")
    ((model,),) = map(json.loads, listed.stdout.splitlines())
    assert (model["model"], model["version"]) == ("my_model", 1)


def test_a_remark_is_one_line_where_stderr_is_no_terminal(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute("""
            CREATE TABLE issues AS SELECT i AS id, 'a' AS label, true AS is_label_issue,
                'b' AS suggested_label, 0.9 AS suggested_confidence, 'b' AS predicted_label,
                MAP {'a': 0.1, 'b': 0.9} AS class_probs, NULL::VARCHAR AS not_judged
            FROM range(40) r(i)
        """)
        con.execute("CREATE TABLE train AS SELECT id, label FROM issues")
    ran = called("run", "correct", "--db", db)
    assert ran.returncode == 0
    (remark,) = [line for line in ran.stderr.splitlines() if "proposes nothing" in line]
    assert "always saying the commonest label agrees with 100.0 %; review about" in remark
    assert remark.endswith("and give the decisions: log := ...")


def test_show_runs_nothing(rows: Path, tmp_path: Path) -> None:
    db = tmp_path / "not made.duckdb"
    ran = called("run", rows, "n=7", "name=a'b", "--show", "--db", db)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "'a''b' AS name" in ran.stdout
    assert "range(1, 7 + 1)" in ran.stdout
    assert not db.exists()
    assert called("run", "detect", "--show").stdout.startswith('CREATE OR REPLACE TABLE "issues')


def test_read_only(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE TABLE t AS SELECT 7 AS seven")
    before = db.read_bytes()
    ran = called("run", _query(tmp_path, "FROM t"), "--db", db, "--read-only", "--format", "csv")
    assert (ran.returncode, ran.stdout) == (0, "seven\n7\n")
    ran = called("run", _query(tmp_path, "DROP TABLE t"), "--db", db, "--read-only")
    assert ran.returncode == 1
    assert "read-only" in ran.stderr
    assert db.read_bytes() == before
    ran = called("run", _query(tmp_path, "FROM t"), "--db", tmp_path / "no.db", "--read-only")
    assert ran.returncode == 1
    assert "no.db cannot be opened" in ran.stderr


def test_a_query_that_does_not_exist() -> None:
    ran = called("run", "detekt")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "there is no file detekt" in ran.stderr
    assert all(file.name in ran.stderr for file in files.shipped())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "detect", "train"], 2, "'train' is no parameter: write name=value; it accepts"),
        (["run"], 2, "Missing argument"),
        (["run", "detect", "--format", "xml"], 2, "'xml' is not one of"),
        (["run", "detect", "--nothing"], 2, "No such option"),
        (["nothing"], 2, "No such command"),
        (["run", "detect", "tabel=x"], 1, "detect has no parameter tabel; it accepts"),
        (["run", "detect", "seed=x"], 1, "seed=x is not of type integer; it accepts"),
        (["run", "gain"], 1, "gain needs models=...; it accepts"),
        (["run", "gain", "models="], 1, "gain"),
        (["run", "detect", "table="], 1, "detect"),
        (["run", "detect"], 1, "Table with name train does not exist"),
        (["run", "detect", "--db", "/"], 1, "cannot be opened as a DuckDB database"),
        (["run", "load", "file=/nowhere.csv"], 1, "nowhere.csv"),
    ],
)
def test_mistakes_end_with_their_code_and_say_why(
    arguments: list[str], code: int, said: str
) -> None:
    ran = called(*arguments, env={"COLUMNS": "500"})
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr


@pytest.mark.parametrize(
    ("query", "given", "said"),
    [
        ("review_progress", "log=log", "issues=... (table, default issues): a result of detect"),
        ("review_queue", "", "issues=... (table, default issues): a result of detect"),
        ("undo", "", "log=... (table, default decisions): the decision log"),
        ("review_queue", "budget=0", "budget is how many rows: 1 or more"),
        (
            "review_queue",
            "log=train issues=train",
            "train is no decision log: it has no column key",
        ),
        ("decide", "keys=1 log=train", "train is no decision log"),
        ("undo", "log=train", "train is no decision log"),
        ("review_progress", "log=train", "train is no decision log"),
        ("detect", "table=pg.train", "pg is no schema here and no database that is attached"),
        ("undo", "log=pg.main.log", """-c "ATTACH '...' AS pg" -c ".read undo ..."\n"""),
    ],
)
def test_what_a_table_should_be_is_said(tmp_path: Path, query: str, given: str, said: str) -> None:
    db = tmp_path / "mine.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE TABLE train AS SELECT 1 AS id, 'a' AS label, 'b' AS text, "
            "true AS is_label_issue, 0.5 AS label_quality, 'c' AS suggested_label")  # fmt: skip
        con.execute("CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label "
            "VARCHAR, decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)")  # fmt: skip
    ran = called("run", query, *given.split(), "--db", db)
    assert ran.returncode == 1
    assert said in ran.stderr


def test_a_file_into_which_nothing_came_is_gone(tmp_path: Path) -> None:
    ran = called("run", "undo", "--db", tmp_path / "typo.duckdb")
    assert ran.returncode == 1
    assert list(tmp_path.glob("typo*")) == []
    query = _query(tmp_path, "CREATE MACRO half(x) AS x / 2; SELECT nothing;")
    assert called("run", query, "--db", tmp_path / "mine.duckdb").returncode == 1
    with duckdb.connect(str(tmp_path / "mine.duckdb")) as con:
        assert con.execute("SELECT half(4)").fetchall() == [(2.0,)]


def test_help_and_version_are_no_mistakes() -> None:
    for arguments in (["--help"], ["-h"], ["run", "-h"], ["demo", "--help"], ["--version"]):
        assert called(*arguments).returncode == 0
    assert spawned("--help").returncode == 0


def test_the_third_of_several_statements_fails(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    query = _query(
        tmp_path,
        "CREATE TABLE one AS SELECT 1 AS a;\nSELECT a FROM one;\nSELECT nothing FROM one;\n"
        "CREATE TABLE four AS SELECT 4 AS a;\nSELECT 5;",
    )
    ran = spawned("run", query, "--db", db, "--format", "csv", env={"COLUMNS": "500"})
    assert (ran.returncode, ran.stdout) == (1, "a\n1\n")
    assert "statement 3 of 5 failed" in ran.stderr
    assert "(statements 1 to 2 ran, statements 4 to 5 did not run)" in ran.stderr
    assert '"nothing" not found' in ran.stderr
    with duckdb.connect(str(db)) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("one",)]


def test_an_error_while_rows_are_computed_is_an_error(tmp_path: Path) -> None:
    late = "SELECT CASE WHEN i = 90000 THEN error('late') END FROM range(99999) r(i)"
    query = _query(tmp_path, late)
    ran = called("run", query)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "late" in ran.stderr


def test_after_a_syntax_error_nothing_ran(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    query = _query(tmp_path, "CREATE TABLE one AS SELECT 1 AS a;\nSELEC 2;")
    ran = called("run", query, "--db", db)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "nothing was run" in ran.stderr
    assert "SELEC" in ran.stderr
    with duckdb.connect(str(db)) as con:
        assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def test_a_template_that_is_wrong_names_file_and_line(tmp_path: Path) -> None:
    ran = called("run", _query(tmp_path, "SELECT 1,\n{{ x | literal"))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "query, line 2" in ran.stderr
    ran = called("run", _query(tmp_path, "SELECT {{ (1 // 0) | literal }}"))
    assert ran.returncode == 1  # BUG: a traceback of ZeroDivisionError


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "old.sql"
    file.write_bytes("SELECT 'Größe'".encode("latin-1"))
    ran = called("run", file)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is not UTF-8" in ran.stderr


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    for text in ("", "-- title: Nothing\n", ";", "/* nothing */"):
        ran = called("run", _query(tmp_path, text))
        assert (ran.returncode, ran.stdout) == (0, "")


def test_a_failing_function_says_one_plain_thing(tmp_path: Path) -> None:
    query = _query(tmp_path, "SELECT llm_classify('x', model := 'nothing')")
    ran = called("run", query, env={"COLUMNS": "500"})
    assert ran.returncode == 1
    assert ran.stderr.startswith("sqlfuncs: there is no model 'nothing'. No model has been trained")
    assert "UDF" not in ran.stderr


def test_queries_lists_every_parameter() -> None:
    ran = called("queries")
    assert (ran.returncode, ran.stderr) == (0, "")
    for file in files.shipped():
        assert f"{file.name}: {file.title}\n  {file.answers}\n" in ran.stdout
        for parameter in file.parameters:
            assert f"    {parameter.describe()}\n" in ran.stdout


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_models_where_none_has_been_trained(form: str) -> None:
    ran = called("models", "--format", form)
    assert ran.returncode == 0
    assert ran.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        "queries",
        "run {rows} n=20000 --format csv",
        "run {rows} n=20000 --format json",
        "run {rows}",
        "run detect --show",
    ],
)
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_pipe_that_is_closed_early(rows: Path, arguments: str, reader: str) -> None:
    command = f"{sys.executable} -m sqlfuncs.cli {arguments.format(rows=rows)}"
    ran = subprocess.run(
        ["bash", "-c", f"{command} | {reader}"], capture_output=True, text=True, timeout=300
    )
    assert "Traceback" not in ran.stderr
    assert "BrokenPipe" not in ran.stderr
    assert ran.stdout.count("\n") == (reader != "true")


def test_a_column_called_count_is_shown_and_a_count_of_changes_is_not(tmp_path: Path) -> None:
    query = tmp_path / "counts.sql"
    query.write_text(
        'CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2); SELECT 7 AS "Count"; '
        "PIVOT t ON a USING count(*);"
    )
    ran = called("run", str(query), "--format", "json")
    assert ran.stdout.splitlines() == ['[{"Count": 7}]', '[{"1": 1, "2": 1}]'], ran.stderr


def test_a_missing_column_shows_what_the_file_accepts(tmp_path: Path) -> None:
    query = tmp_path / "mine.sql"
    query.write_text(
        "-- param col column = nosuch: what to count\n"
        "SELECT {{ col | ident }} FROM (SELECT 1 AS a);"
    )
    ran = called("run", str(query))
    assert ran.returncode == 1
    assert "col=... (column, default nosuch): what to count" in ran.stderr


def test_a_missing_table_in_a_new_database_says_how_to_name_a_file(tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("FROM mine")
    ran = called("run", file)
    assert ran.returncode == 1
    assert "Name the file of yours: --db mine.duckdb" in ran.stderr
    assert "--db" not in called("run", file, "--db", tmp_path / "x.duckdb").stderr


LONG = "SELECT sum(hash(i)) AS never FROM range(100000000000) r(i)"


def test_a_time_limit_ends_it_and_keeps_what_was_done(tmp_path: Path) -> None:
    db = tmp_path / "mine.duckdb"
    begun = time.monotonic()
    ran = spawned(
        *("run", _query(tmp_path, f"CREATE TABLE t AS SELECT 7 AS seven; {LONG}")),
        *("--db", db, "--timeout", "2"),
    )
    assert (ran.returncode, ran.stdout) == (124, "")
    assert "query 1/2: 1 row in" in ran.stderr
    assert "stopped after 2 s, as asked" in ran.stderr
    assert time.monotonic() - begun < patient(10)
    ran = spawned("run", _query(tmp_path, "FROM t"), "--db", db, "--format", "json")
    assert (ran.returncode, ran.stdout) == (0, '[{"seven": 7}]\n')
    assert "query 1/1: 1 row in" in ran.stderr


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A database that another process has open until it is written to."""
    db = tmp_path / "it's mine.duckdb"
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(); input(); con.close()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(db)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield db, process
        process.kill()


def test_a_file_that_another_process_has_open(
    tmp_path: Path, held: tuple[Path, subprocess.Popen[str]]
) -> None:
    db, process = held
    query = _query(tmp_path, "SELECT 7 AS seven")
    for read_only in ([], ["--read-only"]):
        ran = called("run", query, "--db", db, *read_only)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert f"(PID {process.pid})" in ran.stderr
        assert "--wait SECONDS" in ran.stderr
    waiting = subprocess.Popen(
        [*PROGRAM, "run", str(query), "--db", str(db), "--wait", "60", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert waiting.stderr is not None
    assert f"(PID {process.pid})" in waiting.stderr.readline()
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    out, _ = waiting.communicate(timeout=300)
    assert (waiting.returncode, out) == (0, '[{"seven": 7}]\n')
