"""Tables that live elsewhere: docs/attached.md runs as it stands, on real servers and formats."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import needs_local
from tests.examples import ATTACHED as PAGE
from tests.examples import differs
from tests.integrations import servers
from tests.integrations.attached import PREFIXES, SERVERS, Ran, attaching, python, run_in, section
from tests.integrations.attached_checks import KEYS, ROWS
from tests.integrations.tools import needs_attached

pytestmark = needs_attached
LACKS = {"PostgreSQL": servers.lacks_postgres, "MySQL and MariaDB": servers.lacks_mariadb}

# What is asked of a table and its log: rows that differ from the sample; row 6, which somebody else
# has changed; by how many decisions a row was written; what the log says of row 6.
DIFFER = """
SELECT count(*) FROM {at}train AS t JOIN 'data/support_requests.csv' AS given USING (id)
WHERE t.label <> given.label
"""
SOMEBODY = "SELECT label FROM {at}train WHERE id = 6"
WRITTEN = "SELECT count(*) FROM {at}decisions WHERE action = 'keep' AND reason = 'written'"
LOG_OF_6 = "SELECT action, reason FROM {at}decisions WHERE key = 6 ORDER BY decided_at"
FLAGGED = "SELECT count(*) FROM issues WHERE is_label_issue"


def needed(name: str) -> None:
    """Skip the test where the server of a section is not on this machine."""
    lacks = LACKS.get(name, lambda: None)()
    if lacks:
        pytest.skip(lacks)


def ran(name: str, folder: Path) -> Ran:
    needed(name)
    questions = [each.format(at=PREFIXES[name]) for each in (DIFFER, SOMEBODY, WRITTEN, LOG_OF_6)]
    with SERVERS[name]() as found:
        return run_in(folder, found, name, [*questions, FLAGGED])


@needs_local
@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
def test_corrections_go_back_where_the_table_lives(name: str, tmp_path: Path) -> None:
    done = ran(name, tmp_path)
    for each in done.examples:
        assert each.expected is None or not differs(each.expected, each.printed), each
    [[differ]], somebody, [[written]], log, [[flagged]] = done.written
    assert isinstance(written, int) and isinstance(flagged, int)
    assert 100 < written < flagged < 500
    assert differ == written + 1  # and row 6, which somebody else has changed
    assert somebody == [["account"]]
    assert log[-1] == ["needs_review", "changed meanwhile"]

    [[differ]], somebody, _, log, _ = done.taken_back
    assert (differ, somebody) == (1, [["account"]])
    assert log[0][0] == "relabel", "the log is only added to"


# What each format takes, by rows of the page's table.
STATEMENTS = {
    "`CREATE TABLE ... AS`": ["CREATE TABLE {at}made AS FROM {t}"],
    "`INSERT`": ["INSERT INTO {t} VALUES (9, 'z')"],
    "`UPDATE ... FROM`": [
        "UPDATE {t} AS t SET label = c.new FROM changes AS c "
        "WHERE t.id = c.id AND t.label IS NOT DISTINCT FROM c.old",
        "DELETE FROM {t} AS t USING changes AS c WHERE t.id = c.id AND t.label = 'gone'",
    ],
    "`MERGE INTO` of updates alone": [
        "MERGE INTO {t} AS t USING changes AS c ON t.id = c.id "
        "WHEN MATCHED THEN UPDATE SET label = c.new"
    ],
    "`MERGE INTO` of updates and deletes": [
        "MERGE INTO {t} AS t USING changes AS c ON t.id = c.id "
        "WHEN MATCHED AND c.new = 'z' THEN DELETE WHEN MATCHED THEN UPDATE SET label = c.new"
    ],
    "`CREATE OR REPLACE TABLE ... AS`": ["CREATE OR REPLACE TABLE {at}more AS FROM {t}"],
    "`ROLLBACK`": [
        "BEGIN",
        "INSERT INTO {t} VALUES (10, 'z')",
        "INSERT INTO {copy} VALUES (10, 'z')",
        "ROLLBACK",
        "SELECT CASE WHEN count(*) > 0 THEN error('it is there') END FROM {t} WHERE id = 10",
    ],
    "the table as it was": ["FROM {t} AT ({version})"],
}


def _cells() -> dict[str, dict[str, bool]]:
    """What the table of the page says: what is taken, by row and format."""
    head, _, *rows = re.findall(r"(?m)^\|.*\|$", PAGE.read_text(encoding="utf-8"))[:11]
    names = [
        each.strip().replace("MySQL, MariaDB", "MySQL and MariaDB") for each in head.split("|")
    ]
    return {
        cells[1].strip(): {
            name: cell.strip().startswith("yes")
            for name, cell in zip(names[2:-1], cells[2:-1], strict=True)
        }
        for cells in (row.split("|") for row in rows)
    }


def _checked(folder: Path, found: servers.Environment, what: str, *given: object) -> Any:
    """What a function of attached_checks returns."""
    asked = ("-m", "tests.integrations.attached_checks", what, json.dumps(given))
    return json.loads(python(folder, found, *asked))


@pytest.mark.parametrize("name", SERVERS)
def test_what_a_format_takes_is_what_the_page_says(name: str, tmp_path: Path) -> None:
    needed(name)
    at = PREFIXES[name]
    names = {"at": at, "t": f"{at}t", "copy": f"{at}copy", "version": "TIMESTAMP => now()"}
    with SERVERS[name]() as found:
        if name == "Delta":
            _checked(tmp_path, found, "delta_tables", ["t", "copy"])
            makes = ["LOAD delta; ATTACH 't' AS t (TYPE delta); ATTACH 'copy' AS copy (TYPE delta)"]
            names |= {"at": "t.", "version": "VERSION => 0"}
        else:
            makes = _made(name, found, "t", "copy")
        makes += ["CREATE TABLE changes AS SELECT 1 AS id, 'a' AS old, 'b' AS new"]
        statements = {k: [each.format(**names) for each in v] for k, v in STATEMENTS.items()}
        errors = _checked(tmp_path, found, "taken", makes, statements)
    said = {
        what: next(cells[name] for row, cells in _cells().items() if row.startswith(what))
        for what in STATEMENTS
    }
    assert {what: error is None for what, error in errors.items()} == said, errors


def _made(name: str, found: servers.Environment, *tables: str) -> list[str]:
    """The statements that attach and make tables of one row."""
    schema = ["CREATE SCHEMA ice.support"] if name == "Iceberg" else []
    make = [f"CREATE TABLE {PREFIXES[name]}{each} AS {ROWS}" for each in tables]
    return [attaching(name, found), *schema, *make]


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("PostgreSQL", "could not serialize access due to concurrent update"),
        ("MySQL and MariaDB", ""),  # the server looks at the label at the moment it writes
        ("DuckLake", "conflict"),
        ("Iceberg", "branch main has changed"),
    ],
)
def test_what_somebody_changes_between_begin_and_commit_stays(
    name: str, refused: str, tmp_path: Path
) -> None:
    needed(name)
    t = f"{PREFIXES[name]}t"
    theirs = f"UPDATE {t} SET label = 'theirs' WHERE id = 1"
    mine = f"UPDATE {t} SET label = 'mine' WHERE id = 1 AND label = 'a'"
    if name == "MySQL and MariaDB":
        guarded = "UPDATE support.t SET label = ''mine'' WHERE id = 1 AND label <=> ''a''"
        mine = f"CALL mysql_execute('my', '{guarded}')"
    with SERVERS[name]() as found:
        said, rows = _checked(
            tmp_path, found, "meanwhile", _made(name, found, "t"), t, theirs, mine
        )
    assert rows == [[1, "theirs"]]
    assert refused in said
    assert bool(said) == bool(refused), said


def test_an_iceberg_table_is_read_without_its_catalog(tmp_path: Path) -> None:
    with servers.iceberg() as found:
        makes = [*_made("Iceberg", found, "t"), "INSERT INTO ice.support.t VALUES (2, 'b')"]
        rows = _checked(tmp_path, found, "scanned", makes, found["ICEBERG_TABLES"])
    assert sorted(rows) == [[1, "a"], [2, "b"]]


def test_names_and_keys_of_any_kind(tmp_path: Path) -> None:
    needed("PostgreSQL")
    with servers.postgres() as found:
        attach = attaching("PostgreSQL", found)
        written = _checked(tmp_path, found, "keyed", attach)
        refused, changes = _checked(tmp_path, found, "without_rows", attach)
    # The two rows without a key stay; the one without a label gets its own.
    assert written == {kind: [[[kind]], [["a", 2], ["b", 3]]] for kind in KEYS}
    assert "there is nothing to judge" in refused
    assert changes == []


def test_a_log_of_mysql_tells_decisions_of_one_second_apart(tmp_path: Path) -> None:
    name = "MySQL and MariaDB"
    needed(name)
    (log,) = [
        each
        for each in re.findall(r"```sql\n(.*?)```", section(name), re.DOTALL)
        if "DATETIME(6)" in each
    ]
    with servers.mariadb() as server:
        read = ".read decide table=my.t log=my.decisions keys=1 reviewer=ann new_label="
        said = _shell(
            tmp_path, server, attaching(name, server), log,
            "CREATE TABLE my.t AS SELECT 1 AS id, 'a' AS label UNION ALL VALUES (2, 'b'), (3, 'c')",
            f"{read}b", f"{read}c", ".read undo log=my.decisions reviewer=ann",
            "SELECT 'in force', new_label FROM corrections_diff(my.t, my.decisions, id, label)",
        )  # fmt: skip
    assert re.search(r"in force +│ b ", said), said


def _shell(folder: Path, found: servers.Environment, *statements: str) -> str:
    given = [part for each in statements for part in ("-c", each)]
    return python(folder, found, "-m", "sqlfuncs.cli", "shell", "mine.duckdb", *given)


@needs_local
@pytest.mark.slow
def test_query_files_run_in_the_shell_as_the_page_has_it(tmp_path: Path) -> None:
    needed("PostgreSQL")
    page = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"(?m)^ {4}sqlfuncs (shell .*)$", page)
    with servers.postgres() as found:
        make = "CREATE TABLE pg.train AS FROM 'data/support_requests.csv'"
        _shell(tmp_path, found, attaching("PostgreSQL", found), make)
        python(tmp_path, found, "-m", "sqlfuncs.cli", *shlex.split(line))
        said = _shell(
            tmp_path, found, attaching("PostgreSQL", found),
            "FROM corrections_diff(pg.train, pg.decisions, id, label) WHERE key = 297",
        )  # fmt: skip
    assert re.search(r"297 .*delivery .*ann", said), said
