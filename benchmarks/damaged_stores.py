"""Stores damaged at random: what they answer, what they raise, what they save.

    python -m benchmarks.damaged_stores [N]

N files each of answers, embeddings and jobs (250) are truncated, or bits in them flipped, pages
zeroed, exchanged or overwritten, headers filled with garbage. A row that stands on pages which the
damage left alone is sound; the store has to find it.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.pages import circumstances, write
from sqlfuncs import work
from sqlfuncs.store import answers, embeddings, jobs, pages
from sqlfuncs.store.answers import Answer
from sqlfuncs.store.jobs import Job

FILES = 250
PAGE = 4096
LABELS = ("polite", "neutral", "impolite")
Damage = Callable[[random.Random, bytearray], None]


class Kept(Protocol):
    """A store, filled with what is known of each key."""

    file: str

    @property
    def keys(self) -> set[str]:
        """Whose values are known."""

    def fill(self) -> None:
        """Write everything into the home."""

    def read(self) -> dict[str, object]:
        """What the store says now, by key."""

    def add(self) -> bool:
        """Write one thing more, and whether it is read again."""

    def right(self, key: str) -> object:
        """What was written."""

    def key(self, row: list[object]) -> str | None:
        """The key of a row as it stands in a page, if it is one of the table."""


class Answers:
    """Answers, some of them with probabilities or an error."""

    file = "answers/answers.sqlite"

    def __init__(self, count: int) -> None:
        self._keys = {answers.key("m", "t", str(n)): str(n) for n in range(count)}

    @property
    def keys(self) -> set[str]:
        return set(self._keys.values())

    def right(self, key: str) -> Answer:
        n = int(key)
        if n % 7 == 0:
            return Answer(None, f"it declined for the {n}th time", None, None, 50, n, read_by="r1")
        shares = dict.fromkeys(LABELS, n % 10 / 20) if n % 3 == 0 else None
        return Answer((LABELS[n % 3],), None, shares, None, 90 + n % 20, 3)

    def fill(self) -> None:
        answers._open.clear()
        answers.store().write("m", {key: self.right(name) for key, name in self._keys.items()})

    def read(self) -> dict[str, object]:
        answers._open.clear()
        found = answers.store().read(list(self._keys), LABELS)
        answers.store().paid()
        return {self._keys[key]: answer for key, answer in found.items()}

    def add(self) -> bool:
        more = {b"more" * 8: Answer(("polite",))}
        answers.store().claim(list(more))
        answers.store().write("m", more)
        answers._open.clear()
        return answers.store().read(list(more)) == more and answers.store().is_on_disk

    def key(self, row: list[object]) -> str | None:
        return self._keys.get(row[0]) if isinstance(row[0], bytes) and len(row) > 4 else None


class Embeddings:
    """Embeddings of texts."""

    file = "cache/embeddings.sqlite"

    def __init__(self, count: int) -> None:
        draw = np.random.default_rng(1)
        self._vectors = {str(n): draw.normal(size=384).astype(np.float32) for n in range(count)}
        self._keys = {embeddings._key("m", text): text for text in self._vectors}

    @property
    def keys(self) -> set[str]:
        return set(self._vectors)

    def right(self, key: str) -> object:
        return self._vectors[key].tobytes()

    def fill(self) -> None:
        embeddings.write("m", self._vectors)

    def read(self) -> dict[str, object]:
        found = embeddings.read("m", list(self._vectors))
        return {text: vector.tobytes() for text, vector in found.items()}

    def add(self) -> bool:
        embeddings.write("m", {"more": np.ones(384, np.float32)})
        return len(embeddings.read("m", ["more"])) == 1

    def key(self, row: list[object]) -> str | None:
        return self._keys.get(row[1]) if len(row) == 4 and isinstance(row[1], bytes) else None


class Jobs:
    """Trainings that have ended."""

    file = "jobs/jobs.sqlite"

    def __init__(self, count: int) -> None:
        self._jobs = {
            f"ft-{n:012x}": Job(
                f"ft-{n:012x}",
                f"model {n}",
                "fast",
                n * 10,
                1.7e9 + n,
                jobs.FAILED if n % 3 else jobs.SUCCEEDED,
                (n % 11) / 10,
                f"it failed, {n}" if n % 3 else None,
                ended_at=1.7e9 + n + 0.5,
            )
            for n in range(count)
        }

    @property
    def keys(self) -> set[str]:
        return set(self._jobs)

    def right(self, key: str) -> Job:
        return self._jobs[key]

    def fill(self) -> None:
        for job in self._jobs.values():
            jobs.create(job)

    def read(self) -> dict[str, object]:
        return {job.id: job for job in jobs.listed() if job.id != "more"}

    def add(self) -> bool:
        jobs.create(Job("more", "m", "fast", 1, time.time(), jobs.SUCCEEDED))
        return jobs.find("more") is not None

    def key(self, row: list[object]) -> str | None:
        return row[0] if len(row) > 4 and isinstance(row[0], str) and row[0] in self._jobs else None


def truncated(draw: random.Random, content: bytearray) -> None:
    """The end of the file is gone."""
    del content[draw.randrange(len(content)) :]


def flipped(draw: random.Random, content: bytearray) -> None:
    """Single bits."""
    for _ in range(draw.choice([1, 3, 20, 200])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def zeroed(draw: random.Random, content: bytearray) -> None:
    """Whole pages, as after a crash of the machine."""
    for _ in range(draw.choice([1, 2, 5])):
        at = draw.randrange(len(content) // PAGE) * PAGE
        content[at : at + PAGE] = bytes(PAGE)


def overwritten(draw: random.Random, content: bytearray) -> None:
    """Garbage anywhere."""
    for _ in range(draw.choice([1, 2, 5])):
        at, length = draw.randrange(len(content)), draw.choice([1, 20, 500, 10_000])
        length = min(length, len(content) - at)
        content[at : at + length] = draw.randbytes(length)


def beheaded(draw: random.Random, content: bytearray) -> None:
    """Garbage in the header."""
    at = draw.randrange(100)
    length = draw.randint(1, 100 - at)
    content[at : at + length] = draw.randbytes(length)


def exchanged(draw: random.Random, content: bytearray) -> None:
    """Two pages in each other's place, as on a disk that lies."""
    one, other = (draw.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    first, second = content[one : one + PAGE], content[other : other + PAGE]
    content[one : one + PAGE], content[other : other + PAGE] = second, first


KINDS: list[Damage] = [truncated, flipped, zeroed, overwritten, beheaded, exchanged]


@dataclass
class Outcome:
    """Counts over damaged files of one store."""

    files: int = 0
    wrong: list[str] = field(default_factory=list)
    unkept: int = 0
    sound: int = 0
    saved: int = 0
    raised: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # damage, and how many sound rows were not found


def measure(store: Kept, files: int, seed: int, folder: Path) -> Outcome:
    """Fill a home once, then damage copies of it and use them."""
    outcome = Outcome()
    with _homed(folder / "whole"):
        store.fill()
        answers._open.clear()
    with closing(sqlite3.connect(folder / "whole" / store.file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = (folder / "whole" / store.file).read_bytes()
    places = _places(store, whole)
    for number in range(files):
        draw = random.Random(f"{seed} {store.file} {number}")
        damage = KINDS[number % len(KINDS)]
        content = bytearray(whole)
        damage(draw, content)
        home = folder / str(number)
        (home / store.file).parent.mkdir(parents=True)
        (home / store.file).write_bytes(content)
        left = {
            key for key, at in places.items() if whole[at : at + PAGE] == content[at : at + PAGE]
        }
        with _homed(home):
            _use(store, left, f"{number} {damage.__name__}", outcome)
        shutil.rmtree(home)
    return outcome


def _use(store: Kept, left: set[str], what: str, outcome: Outcome) -> None:
    outcome.files += 1
    outcome.sound += len(left)
    try:
        for _ in range(2):
            found = store.read()
            outcome.wrong += _wrong(store, found, what)
        outcome.unkept += not store.add()
        found = store.read()
        outcome.wrong += _wrong(store, found, what)
        outcome.saved += len(left & found.keys())
        if left - found.keys():
            outcome.lost.append(f"{what}: {len(left - found.keys())} of {len(left)}")
    except Exception as error:
        outcome.raised.append(f"{what}: {type(error).__name__}: {error}")


def _wrong(store: Kept, found: dict[str, object], what: str) -> list[str]:
    """What was found and is not what was written; no more than one a file is told."""
    odd = [key for key in found if found[key] != store.right(key)]
    return [f"{what}: {found[key]} for {store.right(key)}" for key in odd[:1]]


def _places(store: Kept, whole: bytes) -> dict[str, int]:
    """Where the page of each row begins."""
    read = pages._Pages(whole, b"", PAGE)
    found = {}
    for number in read.numbers:
        for row in read.rows(number):
            key = store.key(row)
            if key is not None:
                found[key] = (number - 1) * PAGE
    return found


class _Unheard(work.Quiet):
    def said(self, message: str) -> None:
        """Nothing."""


@contextmanager
def _homed(folder: Path):  # type: ignore[no-untyped-def]
    before = os.environ.get("SQLFUNCS_HOME")
    os.environ["SQLFUNCS_HOME"] = str(folder)
    try:
        with work.listening(_Unheard()):
            yield
    finally:
        answers._open.clear()
        os.environ.pop("SQLFUNCS_HOME")
        if before is not None:
            os.environ["SQLFUNCS_HOME"] = before


def stores(scale: float = 1.0) -> dict[str, Kept]:
    """The three, by name."""
    return {
        "answers": Answers(int(2000 * scale)),
        "embeddings": Embeddings(int(300 * scale)),
        "jobs": Jobs(int(150 * scale)),
    }


def main(files: int = FILES) -> None:
    """Damage all and write the table."""
    lines = [
        f"| {files} files each | wrong | exceptions | new rows not kept | rows on sound pages | "
        "found |",
        "|---|---|---|---|---|---|",
    ]
    for name, store in stores().items():
        with tempfile.TemporaryDirectory() as folder:
            found = measure(store, files, 1, Path(folder))
        lines.append(
            f"| {name} | {len(found.wrong)} | {len(found.raised)} | {found.unkept} | "
            f"{found.sound:,} | {found.saved:,} |"
        )
        for each in (*found.wrong, *found.raised, *found.lost):
            print(f"{name} {each}", file=sys.stderr)
    write("damaged_stores", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
