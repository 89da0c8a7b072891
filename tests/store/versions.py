"""Files of the first versions, which say of no version: made from those of today."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

# The files of 0.19 and before, which say of no version.
FIRST = {
    "answers": """
        CREATE TABLE answer (
            key BLOB PRIMARY KEY, model TEXT NOT NULL, labels TEXT, error TEXT, probabilities TEXT,
            note TEXT, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
            at REAL NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE claim (
            key BLOB PRIMARY KEY, process INTEGER NOT NULL, until REAL NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE handed_in (key BLOB PRIMARY KEY, batch TEXT NOT NULL) WITHOUT ROWID;
        """,
    "embeddings": """
        CREATE TABLE embedding (
            at INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL,
            checksum INTEGER NOT NULL
        );
        """,
    "jobs": """
        CREATE TABLE job (
            id TEXT PRIMARY KEY, model TEXT NOT NULL, base TEXT NOT NULL, rows INTEGER NOT NULL,
            created_at REAL NOT NULL, status TEXT NOT NULL, progress REAL NOT NULL, error TEXT,
            version INTEGER, remote TEXT, is_stopping INTEGER NOT NULL, began_at REAL,
            began_with REAL, ended_at REAL
        );
        """,
}
TABLES = {"answers": "answer", "embeddings": "embedding", "jobs": "job"}


def first_version(name: str, file: Path) -> None:
    """The file as the versions before would have written it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as newer:
        table = TABLES[name]
        columns = [
            row[1]
            for row in newer.execute(f"PRAGMA table_info({table})")
            if name == "embeddings" or row[1] not in ("read_by", "checksum")
        ]
        rows = newer.execute(f"SELECT {','.join(columns)} FROM {table}").fetchall()
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    with closing(sqlite3.connect(file, isolation_level=None)) as older:
        older.executescript(FIRST[name])
        older.executemany(
            f"INSERT INTO {table} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})",
            rows,
        )
        if name == "embeddings":
            older.create_function("crc", 1, zlib.crc32)
            older.execute("UPDATE embedding SET checksum = crc(vector)")
