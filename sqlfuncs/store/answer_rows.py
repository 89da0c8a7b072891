"""An answer as a row of a file: what it consists of, whether it is sound, older versions."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from sqlfuncs.store.formats import Format, Row, Table, add_columns, checksum, fill_checksums

_MOST_TOKENS = 1 << 53  # a number beyond is none that a server counted
_UNKNOWN = "(not known)"  # a model, where the file does not say


@dataclass(frozen=True)
class Answer:
    """Labels of the task, or None with the reason in `error`.

    `probabilities` are of each label where the model has any: they sum to 1, or each stands by
    itself where the task asks for any number of labels. `note` says what
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

    def fits(self, labels: Iterable[str]) -> bool:
        """Whether it gives no label but those.

        >>> Answer(("a",)).fits(["a", "b"]), Answer(("c",)).fits(["a", "b"])
        (True, False)
        """
        given = {*(self.labels or ()), *(self.probabilities or ())}
        return given.issubset(labels)


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

    def and_(self, other: Paid) -> Paid:
        """Both together, of one model."""
        return Paid(
            self.model,
            self.answers + other.answers,
            self.errors + other.errors,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
        )


def key(model: str, task: str, text: str) -> bytes:
    """What an answer is kept under."""
    return sha256(f"{model}\0{task}\0{text}".encode("utf-8", "surrogatepass")).digest()


# What is checked, in the order in which it is stored; `checksum` follows.
COLUMNS = (
    *("key", "model", "labels", "error", "probabilities", "note"),
    *("input_tokens", "output_tokens", "at", "read_by"),
)
SELECTED = ",".join((*COLUMNS, "checksum"))
WRITE = f"INSERT OR REPLACE INTO answer ({SELECTED}) VALUES ({','.join('?' * 11)})"


def as_row(key: bytes, model: str, answer: Answer, at: float) -> tuple[object, ...]:
    """What is stored of an answer."""
    values = (
        key,
        _text(model),
        None if answer.labels is None else _text(json.dumps(answer.labels, ensure_ascii=False)),
        _text(answer.error),
        None if answer.probabilities is None else json.dumps(dict(answer.probabilities)),
        _text(answer.note),
        min(max(int(answer.input_tokens), 0), _MOST_TOKENS),
        min(max(int(answer.output_tokens), 0), _MOST_TOKENS),
        float(at),
        _text(answer.read_by),
    )
    return (*values, checksum(values))


def is_sound(row: tuple[object, ...]) -> bool:
    """Whether a row is what was written."""
    return checksum(row[:-1]) == row[-1]


def is_paid_for(row: tuple[object, ...]) -> bool:
    """Whether a row says what it has cost, and when."""
    _, model, *_, input_tokens, output_tokens, at, _, _ = row
    kinds = (type(model), type(input_tokens), type(output_tokens), type(at))
    return kinds == (str, int, int, float)


def answer(row: Sequence[object]) -> Answer | None:
    """The answer in a row, its checksum left aside; None if there is none in it."""
    _, model, *content, at, read_by = row
    if not (isinstance(model, str) and isinstance(at, float)):
        return None
    try:
        return _answer(*content, read_by)
    except (TypeError, ValueError, RecursionError):
        return None


@lru_cache(maxsize=4096)  # most answers are like others
def _answer(
    labels: object,
    error: object,
    probabilities: object,
    note: object,
    input_tokens: object,
    output_tokens: object,
    read_by: object,
) -> Answer:
    return Answer(
        None if labels is None else _labels(labels),
        _string(error),
        None if probabilities is None else _probabilities(probabilities),
        _string(note),
        _count(input_tokens),
        _count(output_tokens),
        read_by=_string(read_by),
    )


def handed_in(key: bytes, batch: str) -> tuple[object, ...]:
    """What is stored of a question that is in a batch."""
    return key, batch, checksum((key, batch))


def _labels(text: object) -> tuple[str, ...]:
    found = json.loads(_string(text) or "")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError
    return tuple(found)


def _probabilities(text: object) -> dict[str, float]:
    found = json.loads(_string(text) or "")
    if not isinstance(found, dict) or not all(
        type(each) in (int, float) for each in found.values()
    ):
        raise ValueError
    return found


def _count(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST_TOKENS:
        raise ValueError
    return value


def _string(value: object) -> str | None:
    """A text that is UTF-8 on disk, or NULL."""
    if value is not None:
        if not isinstance(value, str):
            raise ValueError
        value.encode()
    return value


def _text(value: str | None) -> str | None:
    """What SQLite can store of a text: a half of a character it cannot."""
    return None if value is None else value.encode("utf-8", "replace").decode()


def _kept(found: Row) -> Row | None:
    """A row of another file: what it lacks is unknown, what it has is checked."""
    row = {
        **{name: found.get(name) for name in COLUMNS},
        "model": found.get("model", _UNKNOWN),
        "input_tokens": found.get("input_tokens", 0),
        "output_tokens": found.get("output_tokens", 0),
        "at": found.get("at", time.time()),
    }
    if isinstance(row["at"], int):  # in its page, a whole number is stored as one
        row["at"] = float(row["at"])
    values = tuple(row.values())
    has_all = found.keys() >= {*COLUMNS, "checksum"}
    if has_all and not is_sound((*values, found["checksum"])):
        return None
    if not isinstance(row["key"], bytes) or row["model"] is None or answer(values) is None:
        return None
    if row["labels"] is None and row["error"] is None:
        return None
    return {**row, "checksum": checksum(values)}


def _kept_batch(found: Row) -> Row | None:
    key, batch = found.get("key"), found.get("batch")
    if not isinstance(key, bytes) or not isinstance(batch, str):
        return None
    stored = handed_in(key, batch)
    if "checksum" in found and found["checksum"] != stored[-1]:
        return None
    return dict(zip(("key", "batch", "checksum"), stored, strict=True))


def _first(database: sqlite3.Connection) -> None:
    database.execute(
        "CREATE TABLE IF NOT EXISTS answer (key BLOB PRIMARY KEY, model TEXT NOT NULL, "
        "labels TEXT, error TEXT, probabilities TEXT, note TEXT, input_tokens INTEGER NOT NULL, "
        "output_tokens INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID"
    )
    database.execute(
        "CREATE TABLE IF NOT EXISTS handed_in (key BLOB PRIMARY KEY, batch TEXT NOT NULL) "
        "WITHOUT ROWID"
    )


def _checked(database: sqlite3.Connection) -> None:
    """Checksums, who read an answer, and claims by token in place of those by process."""
    database.execute("DROP TABLE IF EXISTS claim")
    database.execute(
        "CREATE TABLE claim (key BLOB PRIMARY KEY, token TEXT NOT NULL, until REAL NOT NULL) "
        "WITHOUT ROWID"
    )
    add_columns(database, "answer", {"read_by": "TEXT", "checksum": "BLOB"})
    add_columns(database, "handed_in", {"checksum": "BLOB"})
    fill_checksums(database, "answer", COLUMNS, _kept)
    fill_checksums(database, "handed_in", ("key", "batch"), _kept_batch)


FORMAT = Format(
    what="answers",
    lost="asked and paid for again",
    application_id=0x53514601,
    steps=(_first, _checked),
    tables=(
        Table("answer", (*COLUMNS, "checksum"), 9, _kept),
        Table("handed_in", ("key", "batch", "checksum"), 2, _kept_batch),
    ),
)
