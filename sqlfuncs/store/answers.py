"""Answers of models on disk, by model, task and text: paid for once, ever.

One SQLite file, which several processes may use at once. Texts are not stored, only a digest of
the whole question. Each answer is committed as it arrives, so that a process that is killed has
lost none. Before a question is asked it is claimed, so that no two processes pay for it; the
claim of a process that has died counts no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from sqlfuncs import work
from sqlfuncs.errors import CannotKeep
from sqlfuncs.store.home import home

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, labels TEXT, error TEXT, probabilities TEXT,
    note TEXT, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (
    key BLOB PRIMARY KEY, process INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handed_in (
    key BLOB PRIMARY KEY, batch TEXT NOT NULL
) WITHOUT ROWID;
"""
_CLAIM_SECONDS = 600.0  # longer than any request may take
_open: dict[Path, Store] = {}
_opening = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """Labels of the task, or None with the reason in `error`.

    `probabilities` are of each label, summing to 1, where the model has any. `note` says what
    was done to the text (cut to the model's length). Tokens are this text's share of a request.
    `waits`: there is none yet, but it has been asked for. `read_by` says, of an answer without a
    label, which version of our reader and which server it came from: with another of either it
    is asked again.
    """

    labels: tuple[str, ...] | None
    error: str | None = None
    probabilities: Mapping[str, float] | None = None
    note: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    waits: bool = False
    read_by: str | None = None

    @property
    def label(self) -> str | None:
        """The one label of a task that asks for one."""
        return self.labels[0] if self.labels else None


@dataclass(frozen=True)
class Paid:
    """All answers of one model: how many, what they took, and when (seconds since 1970)."""

    model: str
    answers: int
    errors: int
    input_tokens: int
    output_tokens: int
    first_at: float
    last_at: float


def key(model: str, task: str, text: str) -> bytes:
    """What an answer is kept under."""
    return sha256(f"{model}\0{task}\0{text}".encode("utf-8", "surrogatepass")).digest()


def store() -> Store:
    """The store of this home, the same object at every call of a process."""
    file = home() / "answers" / "answers.sqlite"
    with _opening:
        if file not in _open or _open[file].process != os.getpid():
            _open[file] = Store(file)
        return _open[file]


class Store:
    """The answers in one file. Safe for threads and processes.

    Where the disk takes nothing, answers are kept for the life of the process, and this is said.
    """

    def __init__(self, file: Path) -> None:
        """Opens or makes the file; one that is no database is put aside."""
        self.process = os.getpid()
        self.is_on_disk = True
        self._file = file
        self._lock = threading.RLock()
        self._memory: dict[bytes, Answer] = {}
        self._database = self._opened()

    def read(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """The answers there are."""
        with self._lock:
            found = {key: self._memory[key] for key in keys if key in self._memory}
            missing = [key for key in keys if key not in found]
            with self._forgiving():
                for some in _chunks(missing):
                    marks = ",".join("?" * len(some))
                    rows = self._database.execute(
                        "SELECT key, labels, error, probabilities, note, input_tokens, "
                        f"output_tokens FROM answer WHERE key IN ({marks})",
                        some,
                    )
                    found.update((row[0], _answer(row[1:])) for row in rows)
            return found

    def write(self, model: str, answers: Mapping[bytes, Answer]) -> None:
        """Keep answers; they are on disk when this returns, and their claims are gone."""
        now = time.time()
        rows = [(key, model, *_columns(answer), now) for key, answer in answers.items()]
        with self._lock:
            try:
                with self._transaction():
                    self._database.executemany(
                        "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
                    )
                    self._database.executemany(
                        "DELETE FROM claim WHERE key = ?", [(key,) for key in answers]
                    )
            except (sqlite3.Error, OSError) as error:
                self._memory.update(answers)
                self._failed(error)

    def paid(self) -> list[Paid]:
        """What is kept of each model, in order of name."""
        with self._lock, self._forgiving():
            rows = self._database.execute(
                "SELECT model, count(*), count(error), sum(input_tokens), sum(output_tokens), "
                "min(at), max(at) FROM answer GROUP BY model ORDER BY model"
            ).fetchall()
            return [Paid(*row) for row in rows]
        return []

    def claim(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those of the keys that this process may ask now; another is asking the others."""
        now = time.time()
        with self._lock, self._forgiving(), self._transaction():
            held: set[bytes] = set()
            for some in _chunks(keys):
                marks = ",".join("?" * len(some))
                rows = self._database.execute(
                    f"SELECT key, process FROM claim WHERE until >= ? AND key IN ({marks})",
                    [now, *some],
                ).fetchall()
                held.update(key for key, process in rows if _is_alive(process))
            free = [key for key in keys if key not in held]
            self._database.executemany(
                "INSERT OR REPLACE INTO claim VALUES (?, ?, ?)",
                [(key, self.process, now + _CLAIM_SECONDS) for key in free],
            )
            return free
        return list(keys)

    def release(self, keys: Iterable[bytes]) -> None:
        """Give up claims of this process that came to no answer."""
        with self._lock, self._forgiving(), self._transaction():
            self._database.executemany(
                "DELETE FROM claim WHERE key = ? AND process = ?",
                [(key, self.process) for key in keys],
            )

    def hand_in(self, batch: str, keys: Iterable[bytes]) -> None:
        """Note that questions are in a provider's batch. They stay claimed. Raises CannotKeep."""
        rows = [(key, batch) for key in keys]
        with self._lock:
            try:
                with self._transaction():
                    self._database.executemany(
                        "INSERT OR REPLACE INTO handed_in VALUES (?, ?)", rows
                    )
            except (sqlite3.Error, OSError) as error:
                raise CannotKeep(f"{self._file} cannot be written: {error}") from None

    def rename_batch(self, batch: str, name: str) -> None:
        """A batch has another name, and claims on what is in it are gone."""
        with self._lock, self._forgiving(), self._transaction():
            self._database.execute(
                "DELETE FROM claim WHERE key IN (SELECT key FROM handed_in WHERE batch = ?)",
                [batch],
            )
            self._database.execute("UPDATE handed_in SET batch = ? WHERE batch = ?", [name, batch])

    def batches(self, keys: Sequence[bytes]) -> dict[str, list[bytes]]:
        """The batches that hold some of these questions, and which."""
        found: dict[str, list[bytes]] = {}
        with self._lock, self._forgiving():
            for some in _chunks(keys):
                marks = ",".join("?" * len(some))
                for key, batch in self._database.execute(
                    f"SELECT key, batch FROM handed_in WHERE key IN ({marks})", some
                ):
                    found.setdefault(batch, []).append(key)
        return found

    def close_batch(self, batch: str) -> None:
        """A batch is over, and its answers are written."""
        with self._lock, self._forgiving(), self._transaction():
            self._database.execute("DELETE FROM handed_in WHERE batch = ?", [batch])

    def _opened(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._made()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
                return self._made()
        except (sqlite3.Error, OSError) as error:
            self._say(error)
            self.is_on_disk = False
            memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            memory.executescript(_SCHEMA)
            return memory

    def _made(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._file, timeout=30, check_same_thread=False, isolation_level=None
        )
        # Where several processes make the file at once, SQLite waits for none of them in this.
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may lose the last answers.
        database.execute("PRAGMA synchronous = NORMAL")
        tables = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchall()
        if len(tables) < _SCHEMA.count(";"):
            database.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";")[:-1]:
                database.execute(statement)
            database.execute("COMMIT")
        return database

    def _put_aside(self, error: Exception) -> None:
        aside = self._file.with_name(f"{self._file.name}.damaged")
        with contextlib.suppress(OSError):  # another process may have done it
            self._file.replace(aside)
        for journal in ("-wal", "-shm"):
            Path(f"{self._file}{journal}").unlink(missing_ok=True)
        work.say_once(
            f"{self._file} was damaged ({error}) and is now called {aside.name}; a new one is "
            "begun. What cannot be read any more is paid for again."
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """A damaged file is put aside, and what of it can be read goes into a new one."""
        is_damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError | sqlite3.ProgrammingError | sqlite3.IntegrityError
        )
        if not is_damaged or not self.is_on_disk:
            self._say(error)
            return
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self._put_aside(error)
        self._database = self._opened()

    def _say(self, error: Exception) -> None:
        work.say_once(
            f"answers are not kept in {self._file}: {error}. They last for this process only, and "
            "are paid for again in the next."
        )


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 is Ctrl-C; claims run out by their time alone
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _columns(answer: Answer) -> tuple[object, ...]:
    return (
        None if answer.labels is None else json.dumps(answer.labels, ensure_ascii=False),
        answer.error,
        None if answer.probabilities is None else json.dumps(dict(answer.probabilities)),
        answer.note,
        answer.input_tokens,
        answer.output_tokens,
    )


def _answer(row: Sequence[object]) -> Answer:
    labels, error, probabilities, note, input_tokens, output_tokens = row
    return Answer(
        None if labels is None else _labels(str(labels)),
        None if error is None else str(error),
        None if probabilities is None else json.loads(str(probabilities)),
        None if note is None else str(note),
        int(str(input_tokens)),
        int(str(output_tokens)),
    )


@lru_cache(maxsize=1024)
def _labels(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _chunks(keys: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (keys[at : at + 500] for at in range(0, len(keys), 500))
