"""Answers of models on disk, by model, task and text: paid for once, ever.

One SQLite file, which several processes may use at once. Texts are not stored, only a digest of
the whole question. Each answer is committed as it arrives, so that a process that is killed has
lost none. Before a question is asked it is claimed, so that no two processes pay for it; the
claim of a process that has died counts no more. What is not what was written is not there.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from sqlfuncs import work
from sqlfuncs.errors import BadOption, CannotKeep
from sqlfuncs.store import answer_rows, claims
from sqlfuncs.store.answer_rows import Answer as Answer
from sqlfuncs.store.answer_rows import Paid as Paid
from sqlfuncs.store.answer_rows import handed_in
from sqlfuncs.store.answer_rows import key as key
from sqlfuncs.store.home import home
from sqlfuncs.store.sqlite import Database, of_keys

_Result = TypeVar("_Result")
_HAND_IN = "INSERT OR REPLACE INTO handed_in (key, batch, checksum) VALUES (?, ?, ?)"
_open: dict[Path, Store] = {}
_of_parents: list[Store] = []  # of before a fork: closing them would end what the parent does
_opening = threading.Lock()


def store() -> Store:
    """The store of this home, the same object at every call of a process.

    Raises CannotKeep for one that a newer sqlfuncs has written.
    """
    file, is_kept = home() / "answers" / "answers.sqlite", _is_kept()
    with _opening:
        known = _open.get(file)
        if known is not None and known.process != os.getpid():
            _of_parents.append(_open.pop(file))
            known = None
        if known is None or known.is_kept != is_kept:
            _open[file] = Store(file, is_kept=is_kept)
            if known is not None:
                _open[file].remember(known)
        return _open[file]


def _is_kept() -> bool:
    """Whether new answers are to be kept on disk, as the environment says."""
    given = os.environ.get("SQLFUNCS_KEEP") or "on"
    if given not in ("on", "off"):
        raise BadOption(f"SQLFUNCS_KEEP is '{given}'; it may be 'on' or 'off'.")
    return given == "on"


class Store:
    """The answers in one file. Safe for threads and processes.

    Where the disk takes nothing, answers are kept for the life of the process, and this is said;
    nothing more is asked then (`check_keeps`).
    """

    def __init__(self, file: Path, *, is_kept: bool = True) -> None:
        """Opens or makes the file; one that is damaged is put aside. Raises CannotKeep.

        Unless `is_kept`, the file is only read.
        """
        self.process = os.getpid()
        self.is_kept = is_kept
        self._lock = threading.RLock()
        self._memory: dict[bytes, tuple[str, Answer]] = {}  # with its model: what is not on disk
        self._database = Database(file, answer_rows.FORMAT, reads_only=not is_kept)
        self._claimant: claims.Claimant | None = None

    @property
    def is_on_disk(self) -> bool:
        """Whether what is written is kept when the process ends."""
        return self.is_kept and self._database.why_not is None

    def check_keeps(self) -> None:
        """Raise CannotKeep if no answer could be kept now, unless that was asked for."""
        if not self.is_kept:
            return
        try:
            self._database.check_room()
            with self._lock:
                left = dict(self._memory)
            now = time.time()
            rows = [answer_rows.as_row(key, *kept, now) for key, kept in left.items()]
            mark = self.process.to_bytes(8, "big")

            def try_it(database: sqlite3.Connection) -> None:
                database.execute("INSERT OR REPLACE INTO claim VALUES (?, '', 0)", [mark])
                database.execute("DELETE FROM claim WHERE key = ?", [mark])
                database.executemany(answer_rows.WRITE, rows)

            self._database.write(try_it)
            with self._lock:
                for key in left:
                    self._memory.pop(key, None)
        except CannotKeep as error:
            raise CannotKeep(
                f"{error} Nothing was asked, for it would be paid for again. To ask all the same "
                "and keep answers for this process only, set the environment's SQLFUNCS_KEEP=off."
            ) from None

    def remember(self, other: Store) -> None:
        """Take over what another could not keep."""
        with self._lock:
            self._memory.update(other._memory)

    def read(
        self, keys: Sequence[bytes], labels: Collection[str] | None = None
    ) -> dict[bytes, Answer]:
        """The answers there are. One that gives none of the task's labels is not there."""
        with self._lock:
            found = {key: self._memory[key][1] for key in keys if key in self._memory}
        missing = [key for key in keys if key not in found]

        def on_disk(database: sqlite3.Connection) -> dict[bytes, Answer]:
            select = f"SELECT {answer_rows.SELECTED} FROM answer WHERE key IN"
            return {
                row[0]: answer
                for row in of_keys(database, select, missing)
                if answer_rows.is_sound(row) and (answer := answer_rows.answer(row[:-1]))
            }

        nothing: dict[bytes, Answer] = {}
        found |= self._forgiving(lambda: self._database.read(on_disk), nothing)
        if labels is not None:
            found = {key: answer for key, answer in found.items() if answer.fits(labels)}
        return found

    def write(self, model: str, answers: Mapping[bytes, Answer]) -> None:
        """Keep answers; they are on disk when this returns, and their claims are gone."""
        now = time.time()
        rows = [answer_rows.as_row(key, model, answer, now) for key, answer in answers.items()]

        def put(database: sqlite3.Connection) -> bool:
            database.executemany(answer_rows.WRITE, rows)
            database.executemany("DELETE FROM claim WHERE key = ?", [(key,) for key in answers])
            return True

        if not self.is_kept or not self._forgiving(lambda: self._database.write(put), False):
            with self._lock:
                self._memory.update((key, (model, answer)) for key, answer in answers.items())

    def paid(self) -> list[Paid]:
        """What is kept of each model, in order of name."""

        def on_disk(database: sqlite3.Connection) -> list[Paid]:
            paid: dict[str, Paid] = {}
            select = f"SELECT {answer_rows.SELECTED} FROM answer"
            for row in database.execute(select):
                if not (answer_rows.is_sound(row) and answer_rows.is_paid_for(row)):
                    continue
                _, model, labels, *_, input_tokens, output_tokens, at, _, _ = row
                one = Paid(model, 1, int(labels is None), input_tokens, output_tokens, at, at)
                paid[model] = one if model not in paid else paid[model].and_(one)
            return [paid[model] for model in sorted(paid)]

        return self._forgiving(lambda: self._database.read(on_disk), [])

    def claim(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those of the keys that this process may ask now; another is asking the others."""
        if not self.is_kept:
            return list(keys)
        earliest, latest = claims.counting()

        def take(database: sqlite3.Connection) -> list[bytes]:
            select = "SELECT key, token FROM claim WHERE until BETWEEN ? AND ? AND key IN"
            tokens = dict(of_keys(database, select, keys, earliest, latest))
            folder = self._folder
            alive = {token for token in set(tokens.values()) if claims.is_alive(folder, token)}
            free = [key for key in keys if tokens.get(key) not in alive]
            token, until = self._token(), claims.counts_until()
            database.executemany(
                "INSERT OR REPLACE INTO claim VALUES (?, ?, ?)",
                [(key, token, until) for key in free],
            )
            return free

        return self._forgiving(lambda: self._database.write(take), list(keys))

    def release(self, keys: Iterable[bytes]) -> None:
        """Give up claims of this process that came to no answer."""
        if self._claimant is not None:
            mine = [(key, self._claimant.token) for key in keys]
            self._changed("DELETE FROM claim WHERE key = ? AND token = ?", mine)

    def hand_in(self, batch: str, keys: Iterable[bytes]) -> None:
        """Note that questions are in a provider's batch. They stay claimed. Raises CannotKeep."""
        rows = [handed_in(key, batch) for key in keys]
        self._database.write(lambda database: database.executemany(_HAND_IN, rows))

    def rename_batch(self, batch: str, name: str) -> None:
        """A batch has another name, and claims on what is in it are gone."""

        def rename(database: sqlite3.Connection) -> bool:
            select = "SELECT key FROM handed_in WHERE batch = ?"
            keys = database.execute(select, [batch]).fetchall()
            database.executemany("DELETE FROM claim WHERE key = ?", keys)
            database.executemany(_HAND_IN, [handed_in(key, name) for (key,) in keys])
            return True

        self._forgiving(lambda: self._database.write(rename), False)

    def batches(self, keys: Sequence[bytes]) -> dict[str, list[bytes]]:
        """The batches that hold some of these questions, and which."""

        def on_disk(database: sqlite3.Connection) -> dict[str, list[bytes]]:
            found: dict[str, list[bytes]] = {}
            select = "SELECT key, batch, checksum FROM handed_in WHERE key IN"
            for row in of_keys(database, select, keys):
                if answer_rows.is_sound(row):
                    found.setdefault(row[1], []).append(row[0])
            return found

        nothing: dict[str, list[bytes]] = {}
        return self._forgiving(lambda: self._database.read(on_disk), nothing)

    def close_batch(self, batch: str) -> None:
        """A batch is over, and its answers are written."""
        self._changed("DELETE FROM handed_in WHERE batch = ?", [(batch,)])

    @property
    def _folder(self) -> Path:
        return self._database.file.parent / "processes"

    def _token(self) -> str:
        if self._claimant is None:
            self._claimant = claims.Claimant(self._folder)
        return self._claimant.token

    def _changed(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        def change(database: sqlite3.Connection) -> bool:
            database.executemany(statement, rows)
            return True

        if self.is_kept:
            self._forgiving(lambda: self._database.write(change), False)

    def _forgiving(self, task: Callable[[], _Result], otherwise: _Result) -> _Result:
        """What a task comes to; where the disk does not let it, that is said."""
        try:
            return task()
        except CannotKeep as error:
            work.say_once(
                f"{error} They last for this process only, and are paid for again in the next."
            )
            return otherwise
