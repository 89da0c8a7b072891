"""Files of other versions, and of other shapes: each is read as far as it can be, or refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.damaged_stores import Kept, stores
from sqlfuncs import work
from sqlfuncs.store import answers, jobs
from sqlfuncs.store.answers import Answer
from tests.store.versions import TABLES, first_version

SMALL = 0.05  # of what is measured
STORES = sorted(stores(SMALL))
NEWEST = {"answers": 2, "embeddings": 2, "jobs": 2}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test shares, its embeddings neither."""
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(work, "_said", set())
    answers._open.clear()
    return tmp_path / "own"


@pytest.fixture(params=STORES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _filled(name: str, home: Path) -> tuple[Kept, Path]:
    store = stores(SMALL)[name]
    store.fill()
    answers._open.clear()
    return store, home / store.file


def _altered(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def test_a_file_says_of_which_version_it_is(own: Path, name: str) -> None:
    _, file = _filled(name, own)
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (NEWEST[name],)
        assert database.execute("PRAGMA application_id").fetchone()[0] > 0


def test_a_file_of_the_first_version_is_migrated_with_what_it_holds(own: Path, name: str) -> None:
    store, file = _filled(name, own)
    first_version(name, file)
    before = {path.name for path in file.parent.iterdir()}
    found = store.read()
    assert len(found) == len(stores(SMALL)[name].keys)
    for key, value in found.items():
        right = store.right(key)
        if isinstance(right, Answer):  # which did not know who had read it
            right = Answer(**{**vars(right), "read_by": None})
        assert value == right
    assert store.add()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (NEWEST[name],)
    assert {path.name for path in file.parent.iterdir()} - before <= {
        f"{file.name}.lock",
        f"{file.name}-wal",
        f"{file.name}-shm",
        "processes",
        "more",  # the folder of a job that was added
    }


_READER = """
import sys, time
from sqlfuncs.store import answers
from benchmarks.damaged_stores import stores
time.sleep(max(0, float(sys.argv[2]) - time.time()))
store = stores(float(sys.argv[3]))[sys.argv[1]]
print(len(store.read()), store.add())
"""


def test_processes_migrate_at_once(own: Path, name: str) -> None:
    store, file = _filled(name, own)
    first_version(name, file)
    begin = str(time.time() + 2)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", _READER, name, begin, str(SMALL)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [reader.communicate(timeout=300) for reader in readers]
    assert said == [(f"{len(store.keys)} True\n", "")] * 4


@pytest.mark.parametrize("version", ["first", "newest"])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE {table} ADD COLUMN more TEXT",
        "ALTER TABLE {table} ADD COLUMN more INTEGER NOT NULL DEFAULT 7",
        "CREATE TABLE more (a INTEGER)",
        "CREATE INDEX more ON {table} (rowless)",
        "PRAGMA application_id = 0",
    ],
)
def test_what_a_file_has_besides_is_let_be(
    own: Path, name: str, version: str, change: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store, file = _filled(name, own)
    if version == "first":
        first_version(name, file)
    column = {"answers": "note", "embeddings": "checksum", "jobs": "model"}[name]
    _altered(file, change.format(table=TABLES[name]).replace("rowless", column))
    assert store.read().keys() == store.keys
    assert store.add()
    assert store.read().keys() == store.keys
    assert not list(file.parent.glob("*.damaged*")) + list(file.parent.glob("*.other*"))
    assert capfd.readouterr().err == ""


LESS = {
    "answers": ["error", "probabilities", "note", "input_tokens", "at", "model"],
    "embeddings": [],
    "jobs": ["error", "version", "remote", "is_stopping", "began_at", "rows", "created_at"],
}


@pytest.mark.parametrize("version", ["first", "newest"])
@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name in LESS for column in LESS[name]]
)
def test_a_file_that_lacks_a_column_is_read_as_far_as_it_goes(
    own: Path, name: str, column: str, version: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store, file = _filled(name, own)
    if version == "first":
        first_version(name, file)
    _altered(file, f"ALTER TABLE {TABLES[name]} DROP COLUMN {column}")
    found = store.read()
    wanted = store.keys
    if column == "error" and name == "answers":  # without it, those that have no label say nothing
        wanted = {key for key in wanted if store.right(key).labels}  # type: ignore[attr-defined]
    assert found.keys() == wanted
    said = capfd.readouterr().err
    assert f"no column '{column}'" in said
    assert "elete" not in said
    assert file.with_name(f"{file.name}.other").exists()
    assert store.add()


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        ("DROP TABLE {table}", False),
        ("ALTER TABLE {table} RENAME TO something", True),  # its pages are where they were
        ("PRAGMA application_id = 12345", True),
        ("PRAGMA user_version = -3", True),
    ],
)
def test_a_file_that_is_not_ours_is_put_aside(
    own: Path, name: str, change: str, is_read: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    store, file = _filled(name, own)
    _altered(file, change.format(table=TABLES[name]))
    assert store.read().keys() == (store.keys if is_read else set())
    assert store.add()
    assert file.with_name(f"{file.name}.other").exists()
    assert "elete" not in capfd.readouterr().err


def test_a_column_that_nobody_fills_is_no_reason_to_keep_nothing(
    own: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store, file = _filled("answers", own)
    _altered(
        file,
        "CREATE TABLE next AS FROM_ANSWER".replace("FROM_ANSWER", "SELECT * FROM answer"),
        "DROP TABLE answer",
        "CREATE TABLE answer (key BLOB PRIMARY KEY, model TEXT NOT NULL, labels TEXT, error TEXT, "
        "probabilities TEXT, note TEXT, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT "
        "NULL, at REAL NOT NULL, read_by TEXT, checksum BLOB, more TEXT NOT NULL) WITHOUT ROWID",
        "INSERT INTO answer SELECT *, 'x' FROM next",
    )
    assert store.read().keys() == store.keys
    assert store.add()
    assert "needs a column 'more'" in capfd.readouterr().err


def test_an_open_store_follows_its_file(own: Path) -> None:
    """Where it was put aside by another process, or removed, nothing is written into nowhere."""
    file = own / "answers" / "answers.sqlite"
    store = answers.Store(file)
    store.write("m", {b"1": Answer(("a",))})
    file.rename(file.with_name("elsewhere"))
    for journal in ("-wal", "-shm"):
        Path(f"{file}{journal}").rename(file.with_name(f"elsewhere{journal}"))
    store.write("m", {b"2": Answer(("b",))})
    assert answers.Store(file).read([b"1", b"2"]) == {b"2": Answer(("b",))}
    for each in file.parent.glob("answers.sqlite*"):
        each.unlink()
    assert store.read([b"2"]) == {}
    store.write("m", {b"3": Answer(("c",))})
    assert answers.Store(file).read([b"3"]) == {b"3": Answer(("c",))}


@pytest.mark.parametrize("home", ["~nobody-of-that-name/x"])
def test_a_home_of_nobody(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFUNCS_HOME", home)
    with pytest.raises(Exception, match="no such user"):
        jobs.listed()
