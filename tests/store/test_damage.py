"""Damaged files: nothing wrong comes out of them, nothing is raised, what can be read is saved."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.damaged_stores import PAGE, measure, stores
from sqlfuncs import work
from sqlfuncs.store import answer_rows, answers, jobs
from sqlfuncs.store.answers import Answer, Store
from sqlfuncs.store.formats import checksum
from sqlfuncs.store.jobs import Job

POLITE = Answer(("polite",), None, None, None, 90, 3)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test shares, its embeddings neither."""
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(work, "_said", set())
    answers._open.clear()
    return tmp_path / "own"


@pytest.mark.parametrize("name", sorted(stores()))
def test_random_damage(name: str, tmp_path: Path) -> None:
    """A tenth of what benchmarks.damaged_stores measures."""
    found = measure(stores(0.2)[name], 24, 7, tmp_path / "damaged")
    assert (found.wrong, found.raised, found.unkept, found.lost) == ([], [], 0, [])
    assert found.sound > 0


def _keys(count: int) -> list[bytes]:
    return [answers.key("m", "t", str(n)) for n in range(count)]


def _checkpointed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _zero(file: Path, page: int) -> None:
    with file.open("r+b") as content:
        content.seek((page - 1) * PAGE)
        content.write(bytes(PAGE))


def _page(file: Path, which: str) -> int:
    """A page of rows, or one that leads to others, without which SQLite finds none of them."""
    content, kind = file.read_bytes(), {"leaf": 10, "inner": 2}[which]
    return next(
        at // PAGE + 1
        for at in range(PAGE, len(content), PAGE)
        if content[at] == kind and int.from_bytes(content[at + 3 : at + 5], "big") > 5
    )


@pytest.mark.parametrize("which", ["leaf", "inner"])
def test_one_page_costs_the_rows_that_stand_on_it(
    tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, keys = tmp_path / "answers.sqlite", _keys(5000)
    Store(file).write("m", dict.fromkeys(keys, POLITE))
    _checkpointed(file)
    _zero(file, _page(file, which))
    found = Store(file).read(keys)
    assert 4850 < len(found) < 5000
    assert set(found.values()) == {POLITE}
    said = capsys.readouterr().err
    assert f"a new one is begun with {len(found):,} answers" in said
    assert "elete" not in said


def test_what_is_only_in_the_log_is_saved_too(tmp_path: Path) -> None:
    file, keys = tmp_path / "whole" / "answers.sqlite", _keys(600)
    first = Store(file)
    first.write("m", dict.fromkeys(keys[:300], POLITE))
    _checkpointed(file)
    first.write("m", dict.fromkeys(keys[300:], POLITE))
    copy = tmp_path / "copied"
    copy.mkdir()
    for name in ("answers.sqlite", "answers.sqlite-wal"):
        shutil.copy(file.with_name(name), copy / name)
    with (copy / "answers.sqlite").open("r+b") as content:
        content.write(b"no database, by its header" * 4)
    os.truncate(copy / "answers.sqlite", (copy / "answers.sqlite").stat().st_size // 2)
    assert len(Store(copy / "answers.sqlite").read(keys[300:])) == 300


def test_nothing_that_was_put_aside_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    for content in (b"one" * 5000, b"two" * 5000, b"three" * 5000):
        file.write_bytes(content)
        Store(file).write("m", {b"1": POLITE})
        for journal in ("-wal", "-shm"):
            Path(f"{file}{journal}").unlink(missing_ok=True)
    aside = [tmp_path / f"answers.sqlite.damaged{end}" for end in ("", "-2", "-3")]
    assert [each.read_bytes()[:3] for each in aside] == [b"one", b"two", b"thr"]


_READER = """
import sys, time
from pathlib import Path
from sqlfuncs.store import answers
keys = [answers.key("m", "t", str(n)) for n in range(3000)]
store = answers.Store(Path(sys.argv[1]))
time.sleep(max(0, float(sys.argv[2]) - time.time()))
store.write("m", {sys.argv[3].encode(): answers.Answer(("polite",))})
found = store.read(keys)
print(len(found))
"""


def test_processes_find_the_damage_at_once(tmp_path: Path) -> None:
    file, keys = tmp_path / "answers.sqlite", _keys(3000)
    Store(file).write("m", dict.fromkeys(keys, POLITE))
    _checkpointed(file)
    _zero(file, _page(file, "inner"))
    begin = str(time.time() + 2)
    command = [sys.executable, "-c", _READER, str(file), begin]
    readers = [
        subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for n in range(4)
    ]
    counts = [int(reader.communicate(timeout=300)[0]) for reader in readers]
    assert len(set(counts)) == 1
    assert counts[0] > 2900
    assert len(Store(file).read([str(n).encode() for n in range(4)])) == 4
    assert len(list(tmp_path.glob("answers.sqlite.damaged*"))) <= 3  # one, and its journals


def test_what_a_process_was_killed_at_is_done_again(tmp_path: Path) -> None:
    file, keys = tmp_path / "answers.sqlite", _keys(500)
    Store(file).write("m", dict.fromkeys(keys, POLITE))
    _checkpointed(file)
    for journal in ("-wal", "-shm"):
        Path(f"{file}{journal}").unlink(missing_ok=True)
    file.rename(tmp_path / "answers.sqlite.damaged-2")
    (tmp_path / "answers.sqlite.damaged").write_bytes(b"an earlier one")
    os.utime(tmp_path / "answers.sqlite.damaged-2")
    (tmp_path / "answers.sqlite.new").write_bytes(b"half of it")
    assert len(Store(file).read(keys)) == 500
    assert not (tmp_path / "answers.sqlite.new").exists()


ODD = [
    ("labels", b"\xff\xfe"),
    ("labels", "no JSON"),
    ("labels", '{"a": 1}'),
    ("labels", "[1]"),
    ("labels", '"polite"'),
    ("labels", "[" * 100_000),
    ("labels", 7),
    ("labels", '["\\ud800'),
    ("probabilities", "[0.5]"),
    ("probabilities", '{"polite": "much"}'),
    ("probabilities", "null"),
    ("probabilities", 0.5),
    ("error", b"\x00\xff"),
    ("note", b"x"),
    ("read_by", b"x"),
    ("input_tokens", "many"),
    ("input_tokens", -4),
    ("input_tokens", 2**60),
    ("output_tokens", 1.5),
    ("at", "yesterday"),
]


@pytest.mark.parametrize("has_checksum", [True, False])
@pytest.mark.parametrize(("column", "value"), ODD)
def test_an_odd_row_is_not_there(
    tmp_path: Path, column: str, value: object, has_checksum: bool
) -> None:
    file = tmp_path / "answers.sqlite"
    Store(file).write("m", {b"1": POLITE, b"2": POLITE})
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(f"UPDATE answer SET {column} = ? WHERE key = ?", [value, b"1"])
        if has_checksum:  # as if that had been written
            database.text_factory = lambda stored: stored.decode("utf-8", "surrogateescape")
            names = ",".join(answer_rows.COLUMNS)
            row = database.execute(f"SELECT {names} FROM answer WHERE key = x'31'").fetchone()
            database.execute("UPDATE answer SET checksum = ? WHERE key = x'31'", [checksum(row)])
    store = Store(file)
    assert store.read([b"1", b"2"]) == {b"2": POLITE}
    store.paid()
    store.write("m", {b"1": POLITE})
    assert Store(file).read([b"1"]) == {b"1": POLITE}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE answer SET labels = '[\"impolite\"]' WHERE key = x'31'",
        "UPDATE answer SET key = x'33' WHERE key = x'31'",
        "UPDATE answer SET model = 'another' WHERE key = x'31'",
        "UPDATE answer SET input_tokens = input_tokens + 1 WHERE key = x'31'",
        "UPDATE answer SET checksum = NULL WHERE key = x'31'",
        "UPDATE answer SET checksum = (SELECT checksum FROM answer WHERE key = x'32') "
        "WHERE key = x'31'",
    ],
)
def test_what_is_not_what_was_written_is_not_there(tmp_path: Path, change: str) -> None:
    file = tmp_path / "answers.sqlite"
    Store(file).write("m", {b"1": POLITE, b"2": POLITE})
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(change)
    assert Store(file).read([b"1", b"2", b"3"]) == {b"2": POLITE}
    ((paid,),) = [[each.answers for each in Store(file).paid()]]
    assert paid == 1


def test_a_label_that_is_none_of_the_tasks_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    probable = Answer(("a",), None, {"a": 0.5, "zzz": 0.5})
    Store(file).write("m", {b"1": POLITE, b"2": Answer(("a", "polite")), b"3": probable})
    store = Store(file)
    assert store.read([b"1", b"2", b"3"], ["polite", "a"]).keys() == {b"1", b"2"}
    assert store.read([b"1", b"2", b"3"], ["a", "b"]) == {}


def test_an_answer_knows_who_read_it(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    answer = Answer(None, "no label", read_by="2 at http://127.0.0.1:1")
    Store(file).write("m", {b"1": answer})
    assert Store(file).read([b"1"]) == {b"1": answer}


def test_what_cannot_be_stored_of_an_answer_costs_no_query(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    odd = Answer(None, "half \ud83c of it", None, "\udfff", 10**30, -5)
    Store(file).write("m", {b"1": odd})
    (found,) = Store(file).read([b"1"]).values()
    assert (found.error, found.note, found.output_tokens) == ("half ? of it", "?", 0)
    assert 0 < found.input_tokens < 2**63


def test_a_damaged_batch_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    Store(file).hand_in("batch_1", [b"1", b"2"])
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("UPDATE handed_in SET batch = 'batch_9' WHERE key = x'31'")
    assert Store(file).batches([b"1", b"2"]) == {"batch_1": [b"2"]}
    Store(file).rename_batch("batch_1", "batch_2")
    assert Store(file).batches([b"1", b"2"]) == {"batch_2": [b"2"]}


def test_a_job_that_is_not_what_was_noted_is_left_out(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ft-1", "ft-2"):
        jobs.create(Job(name, "m", "fast", 1, time.time(), jobs.SUCCEEDED))
    with closing(sqlite3.connect(own / "jobs" / "jobs.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE job SET status = 'FAILED' WHERE id = 'ft-1'")
    assert [job.id for job in jobs.listed()] == ["ft-2"]
    assert "1 rows of" in capsys.readouterr().err
    jobs.create(Job("ft-1", "m", "fast", 1, time.time(), jobs.SUCCEEDED))
    assert {job.id for job in jobs.listed()} == {"ft-1", "ft-2"}
