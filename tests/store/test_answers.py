from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sqlfuncs.store import answers
from sqlfuncs.store.answers import Answer, Store

FULL = Answer(("a", "ü"), None, {"a": 0.25, "ü": 0.75}, "cut", 12, 3)


def test_what_is_written_is_read_by_another(tmp_path: Path) -> None:
    file = tmp_path / "new" / "answers.sqlite"
    refused = Answer(None, "it declined")
    Store(file).write("m", {b"1": FULL, b"2": refused})
    assert Store(file).read([b"1", b"2", b"3"]) == {b"1": FULL, b"2": refused}


def test_a_key_depends_on_all_that_was_asked() -> None:
    keys = {answers.key(*parts) for parts in [("m", "t", "x"), ("n", "t", "x"), ("m", "u", "x")]}
    assert len(keys | {answers.key("m", "t", "y"), answers.key("m", "t", "\ud800")}) == 5


def test_claims(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    one, other = Store(file), Store(file)
    assert one.claim([b"1", b"2"]) == [b"1", b"2"]
    assert other.claim([b"2", b"3"]) == [b"3"]
    one.release([b"2"])
    assert other.claim([b"2"]) == [b"2"]
    one.write("m", {b"1": FULL})
    assert other.claim([b"1"]) == [b"1"]


def test_the_claim_of_a_dead_process_counts_no_more(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    code = (
        "import pathlib; from sqlfuncs.store.answers import Store; "
        f"print(Store(pathlib.Path({str(file)!r})).claim([b'1']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[b'1']\n"
    assert Store(file).claim([b"1"]) == [b"1"]


def test_a_file_that_is_damaged_in_its_midst(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answers.sqlite"
    Store(file).write("m", {str(i).encode(): FULL for i in range(3000)})
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    content[5000:-5000] = b"\xa5" * (len(content) - 10_000)
    file.write_bytes(content)
    store = Store(file)
    store.read([str(i).encode() for i in range(3000)])
    store.write("m", {b"again": FULL})
    assert Store(file).read([b"again"]) == {b"again": FULL}
    assert "a new one is begun" in capsys.readouterr().err


def test_a_file_that_is_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answers.sqlite"
    file.write_bytes(b"no database" * 1000)
    store = Store(file)
    store.write("m", {b"1": FULL})
    assert Store(file).read([b"1"]) == {b"1": FULL}
    assert (tmp_path / "answers.sqlite.damaged").exists()
    assert "a new one is begun" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="files are not folders there either, by other errors")
def test_where_nothing_can_be_kept_answers_last_for_the_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "answers.sqlite")
    store.write("m", {b"1": FULL})
    assert store.read([b"1"]) == {b"1": FULL}
    assert "paid for again" in capsys.readouterr().err
