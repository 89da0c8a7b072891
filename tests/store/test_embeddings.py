from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sqlfuncs import work
from sqlfuncs.store import embeddings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an empty cache that no other test shares."""
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(work, "_said", set())
    return tmp_path / "own" / "cache" / "embeddings.sqlite"


def _vectors(texts: list[str], seed: int = 0) -> dict[str, embeddings.Vector]:
    random = np.random.default_rng(seed)
    return {text: random.normal(size=384).astype(np.float32) for text in texts}


def _same(one: dict[str, embeddings.Vector], other: dict[str, embeddings.Vector]) -> bool:
    return one.keys() == other.keys() and all(
        one[text].tobytes() == other[text].tobytes() for text in one
    )


def test_what_is_written_is_read(file: Path) -> None:
    texts = ["one", "two", "", "emoji 🎈", "nul \0", "half \ud83c", "it's; --", "x" * 100_000]
    vectors = _vectors(texts)
    assert embeddings.read("m", texts) == {}
    embeddings.write("m", vectors)
    assert _same(embeddings.read("m", [*texts, "three"]), vectors)
    assert embeddings.read("other model", texts) == {}
    assert embeddings.read("m", []) == {}
    embeddings.write("m", {})


def test_many_are_read_at_once(file: Path) -> None:
    vectors = _vectors([f"text {n}" for n in range(1203)])
    embeddings.write("m", vectors)
    assert _same(embeddings.read("m", list(vectors)), vectors)


def test_writing_again_replaces(file: Path) -> None:
    embeddings.write("m", _vectors(["one", "two"], seed=1))
    newer = _vectors(["one", "two"], seed=2)
    embeddings.write("m", newer)
    assert _same(embeddings.read("m", ["one", "two"]), newer)


def test_a_damaged_entry_is_not_returned(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    vectors = _vectors(["one", "two", "three"])
    embeddings.write("m", vectors)
    with closing(sqlite3.connect(file)) as database, database:
        (blob,) = database.execute("SELECT vector FROM embedding WHERE at = 2").fetchone()
        flipped = bytearray(blob)
        flipped[700] ^= 1
        database.execute("UPDATE embedding SET vector = ? WHERE at = 2", (bytes(flipped),))
        database.execute("UPDATE embedding SET vector = ? WHERE at = 3", (blob[:100],))
    assert _same(embeddings.read("m", list(vectors)), {"one": vectors["one"]})
    embeddings.write("m", vectors)
    assert _same(embeddings.read("m", list(vectors)), vectors)
    assert capfd.readouterr().err == ""


def test_an_entry_of_another_type_is_not_returned(file: Path) -> None:
    vectors = _vectors(["one", "two"])
    embeddings.write("m", vectors)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE embedding SET vector = 'some text' WHERE at = 1")
    assert _same(embeddings.read("m", ["one", "two"]), {"two": vectors["two"]})


@pytest.mark.parametrize("content", [b"this is no database " * 500, b"\0" * 9000, b"short"])
def test_a_file_that_is_no_database_is_put_aside(
    file: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    vectors = _vectors(["one"])
    assert embeddings.read("m", ["one"]) == {}
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert str(file) in said
    assert file.with_name("embeddings.sqlite.damaged").read_bytes() == content
    embeddings.write("m", vectors)
    assert _same(embeddings.read("m", ["one"]), vectors)


def test_a_database_damaged_in_the_middle(file: Path) -> None:
    vectors = _vectors([f"text {n}" for n in range(300)])
    embeddings.write("m", vectors)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    for at in range(5000, len(content), 4096):
        content[at : at + 60] = b"\xff" * 60
    file.write_bytes(content)
    read = embeddings.read("m", list(vectors))
    assert all(read[text].tobytes() == vectors[text].tobytes() for text in read)
    for _ in range(2):
        embeddings.write("m", vectors)
    assert _same(embeddings.read("m", list(vectors)), vectors)


def test_a_folder_that_cannot_be_written_costs_a_remark(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file.parent.parent.mkdir()
    file.parent.write_text("a file where the folder should be")
    for _ in range(3):
        embeddings.write("m", _vectors(["one"]))
        assert embeddings.read("m", ["one"]) == {}
    said = capfd.readouterr().err
    assert "embeddings are not kept in" in said
    assert "They are computed each time." in said
    assert said.count("sqlfuncs:") == 1


def test_a_folder_in_place_of_the_file_costs_a_remark(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file.mkdir(parents=True)
    embeddings.write("m", _vectors(["one"]))
    assert embeddings.read("m", ["one"]) == {}
    assert "embeddings are not kept in" in capfd.readouterr().err
    assert file.is_dir()


_WRITER = """
import sys
import numpy as np
from sqlfuncs.store import embeddings
who = sys.argv[1]
for at in range(30):
    texts = [f"{who} {at} {n}" for n in range(20)] + [f"both {n}" for n in range(5)]
    embeddings.write("m", {text: np.full(384, len(text), np.float32) for text in texts})
"""


_FIRST = """
import sys, time
import numpy as np
from sqlfuncs.store import embeddings
time.sleep(max(0, float(sys.argv[1]) - time.time()))
embeddings.write("m", {sys.argv[2]: np.ones(384, np.float32)})
"""


@pytest.mark.parametrize("attempt", range(3))
def test_processes_make_the_file_at_once(file: Path, attempt: int) -> None:
    begin = str(time.time() + 1)
    names = [f"{attempt} {number}" for number in range(4)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _FIRST, begin, name], stderr=subprocess.PIPE, text=True
        )
        for name in names
    ]
    assert [writer.communicate(timeout=300)[1] for writer in writers] == [""] * 4
    assert embeddings.read("m", names).keys() == set(names)


def test_processes_write_at_once(file: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, who], stderr=subprocess.PIPE, text=True)
        for who in ("one", "two", "three")
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=300)
        assert (writer.returncode, err) == (0, "")
    texts = [
        f"{who} {at} {n}" for who in ("one", "two", "three") for at in range(30) for n in range(20)
    ] + [f"both {n}" for n in range(5)]
    read = embeddings.read("m", texts)
    assert set(read) == set(texts)
    assert all((vector == len(text)).all() for text, vector in read.items())


def test_the_oldest_leave(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "MAX_ENTRIES", 10)
    texts = [f"text {n}" for n in range(25)]
    for text in texts:
        embeddings.write("m", _vectors([text]))
    assert sorted(embeddings.read("m", texts)) == sorted(texts[15:])
    embeddings.write("m", _vectors([f"more {n}" for n in range(40)]))
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM embedding").fetchone() == (10,)
    assert set(embeddings.read("m", [f"more {n}" for n in range(30, 40)])) == {
        f"more {n}" for n in range(30, 40)
    }


def test_texts_are_not_stored(file: Path) -> None:
    secret = "a secret that nobody may find on the disk"
    embeddings.write("m", _vectors([secret]))
    assert len(embeddings.read("m", [secret])) == 1
    for path in file.parent.iterdir():
        assert b"secret" not in path.read_bytes()


def test_the_vector_of_another_text_is_not_returned(file: Path) -> None:
    vectors = _vectors(["one", "two"])
    embeddings.write("m", vectors)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "UPDATE embedding SET (vector, checksum) = "
            "(SELECT vector, checksum FROM embedding WHERE at = 2) WHERE at = 1"
        )
    assert _same(embeddings.read("m", ["one", "two"]), {"two": vectors["two"]})


def test_a_vector_of_another_length_is_not_returned(file: Path) -> None:
    vectors = _vectors(["one", "two", "three"])
    embeddings.write("m", {**vectors, "short": np.ones(3, np.float32)})
    embeddings.write("m", {"none": np.ones(0, np.float32)})
    assert _same(embeddings.read("m", [*vectors, "short", "none"]), vectors)
