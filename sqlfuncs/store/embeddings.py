"""Embeddings on disk, by model and content: never computed twice, never trusted blindly.

One SQLite file, which several processes may use at once. Texts are not stored, only their
SHA-256. An entry that does not match its checksum is computed again; a file that is no
database is put aside; a disk that is full or read-only costs time, not the query.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.store.home import home

Vector = npt.NDArray[np.float32]
MAX_ENTRIES = 1_000_000  # about 1.6 GB of 384-dimensional vectors; the oldest leave first

_SCHEMA = """
CREATE TABLE IF NOT EXISTS embedding (
    at INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL,
    checksum INTEGER NOT NULL
)
"""


def read(model: str, texts: Sequence[str]) -> dict[str, Vector]:
    """The embeddings that are kept, by text."""
    keys = {_key(model, text): text for text in texts}
    found: dict[str, Vector] = {}
    with _forgiving(), _database() as database:
        for some in _chunks(list(keys)):
            marks = ",".join("?" * len(some))
            rows = database.execute(
                f"SELECT key, vector, checksum FROM embedding WHERE key IN ({marks})", some
            )
            for key, vector, checksum in rows:
                if isinstance(vector, bytes) and zlib.crc32(vector) == checksum:
                    found[keys[key]] = np.frombuffer(vector, dtype=np.float32)
    return found


def write(model: str, vectors: Mapping[str, Vector]) -> None:
    """Keep embeddings, by text; the oldest make room."""
    entries = []
    for text, vector in vectors.items():
        blob = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
        entries.append((_key(model, text), blob, zlib.crc32(blob)))
    with _forgiving(), _database() as database, database:
        database.executemany(
            "INSERT OR REPLACE INTO embedding (key, vector, checksum) VALUES (?, ?, ?)", entries
        )
        database.execute(
            "DELETE FROM embedding WHERE at <= (SELECT max(at) FROM embedding) - ?", (MAX_ENTRIES,)
        )


def _file() -> Path:
    return home() / "cache" / "embeddings.sqlite"


def _key(model: str, text: str) -> bytes:
    return sha256(f"{model}\0{text}".encode("utf-8", "surrogatepass")).digest()


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=30)) as database:
        # Where several processes make the file at once, SQLite waits for none of them in this.
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'embedding'").fetchall():
            database.execute("BEGIN IMMEDIATE")
            database.execute(_SCHEMA)
            database.commit()
        yield database


@contextmanager
def _forgiving() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )
        if damaged:
            _put_aside()
            work.say_once(f"{_file()} was damaged ({error}) and is put aside; a new one is begun")
        else:
            work.say_once(
                f"embeddings are not kept in {_file()}: {error}. They are computed each time."
            )


def _put_aside() -> None:
    with contextlib.suppress(OSError):  # another process may have done it
        _file().replace(_file().with_suffix(".damaged"))
    for journal in ("-wal", "-shm"):
        Path(f"{_file()}{journal}").unlink(missing_ok=True)


def _chunks(keys: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (keys[at : at + 500] for at in range(0, len(keys), 500))
