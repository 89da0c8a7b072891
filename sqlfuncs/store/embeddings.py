"""Embeddings on disk, by model and content: never computed twice, never trusted blindly.

One SQLite file, which several processes may use at once. Texts are not stored, only their
SHA-256. An entry that does not match its checksum is computed again; a file that is damaged is
put aside; a disk that is full or read-only costs time, not the query.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from sqlfuncs import work
from sqlfuncs.errors import CannotKeep
from sqlfuncs.store.base import Vector as Vector
from sqlfuncs.store.formats import Format, Row, Table, fill_checksums
from sqlfuncs.store.home import home
from sqlfuncs.store.sqlite import of_keys, opened

MAX_ENTRIES = 1_000_000  # about 1.6 GB of 384-dimensional vectors; the oldest leave first


def read(model: str, texts: Sequence[str]) -> dict[str, Vector]:
    """The embeddings that are kept, by text; all have one length."""
    keys = {_key(model, text): text for text in texts}

    def on_disk(database: sqlite3.Connection) -> dict[str, bytes]:
        select = "SELECT key, vector, checksum FROM embedding WHERE key IN"
        rows = of_keys(database, select, list(keys))
        return {keys[key]: blob for key, blob, given in rows if _is_sound(key, blob, given)}

    try:
        with opened(_file(), _FORMAT) as database:
            found = database.read(on_disk)
    except CannotKeep as error:
        _say(error)
        return {}
    lengths = Counter(map(len, found.values())).most_common(1)
    return {
        text: np.frombuffer(blob, dtype=np.float32)
        for text, blob in found.items()
        if len(blob) == lengths[0][0]
    }


def write(model: str, vectors: Mapping[str, Vector]) -> None:
    """Keep embeddings, by text; the oldest make room."""
    entries = []
    for text, vector in vectors.items():
        key, blob = _key(model, text), np.ascontiguousarray(vector, dtype=np.float32).tobytes()
        entries.append((key, blob, _checksum(key, blob)))

    def put(database: sqlite3.Connection) -> None:
        database.executemany(
            "INSERT OR REPLACE INTO embedding (key, vector, checksum) VALUES (?, ?, ?)", entries
        )
        database.execute(
            "DELETE FROM embedding WHERE at <= (SELECT max(at) FROM embedding) - ?", (MAX_ENTRIES,)
        )

    try:
        with opened(_file(), _FORMAT) as database:
            database.write(put)
    except CannotKeep as error:
        _say(error)


def _say(error: CannotKeep) -> None:
    work.say_once(f"{error} They are computed each time.")


def _file() -> Path:
    return home() / "cache" / "embeddings.sqlite"


def _key(model: str, text: str) -> bytes:
    return sha256(f"{model}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _checksum(key: bytes, vector: bytes) -> int:
    """Of a vector, its length and what it is the vector of."""
    return zlib.crc32(vector, zlib.crc32(key + len(vector).to_bytes(8, "big")))


def _is_sound(key: object, vector: object, given: object) -> bool:
    return (
        isinstance(key, bytes)
        and isinstance(vector, bytes)
        and len(vector) > 0
        and len(vector) % 4 == 0
        and _checksum(key, vector) == given
    )


def _kept(found: Row) -> Row | None:
    """A row of another file; in those of the first version the checksum leaves out the key."""
    key, vector, given = found.get("key"), found.get("vector"), found.get("checksum")
    if not isinstance(key, bytes) or not isinstance(vector, bytes):
        return None
    if given not in (_checksum(key, vector), zlib.crc32(vector)):
        return None
    return {"key": key, "vector": vector, "checksum": _checksum(key, vector)}


def _first(database: sqlite3.Connection) -> None:
    database.execute(
        "CREATE TABLE IF NOT EXISTS embedding (at INTEGER PRIMARY KEY AUTOINCREMENT, "
        "key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL, checksum INTEGER NOT NULL)"
    )


def _with_keys(database: sqlite3.Connection) -> None:
    """The checksum covers the key and the length."""
    fill_checksums(database, "embedding", ("at", "key", "vector", "checksum"), _kept)


_FORMAT = Format(
    what="embeddings",
    lost="computed again",
    application_id=0x53514602,
    steps=(_first, _with_keys),
    tables=(Table("embedding", ("at", "key", "vector", "checksum"), 4, _kept),),
)
