"""The rows that stand in the pages of an SQLite file, however damaged the rest of it is.

SQLite reads a table from its root: where a page on the way is damaged, all below it is lost, sound
or not. Here each page is read by itself, by https://sqlite.org/fileformat2.html. A row that is not
quite what it should be is left out; whether what is read is what was written, a checksum has to
tell.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

_LEAF_OF_ROWS, _LEAF_OF_KEYS, _INNER_OF_KEYS = 0x0D, 0x0A, 0x02
_WAL_HEADER, _FRAME_HEADER = 32, 24
_POSSIBLE_SIZES = [1 << bits for bits in range(9, 16)]
_USUAL_SIZE = 4096
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class _Unreadable(Exception):
    """What stands here is no row."""


def rows(file: Path) -> Iterator[list[object]]:
    """The values of all rows of all tables and indexes, in the order in which they are stored.

    Where a row has its number as primary key, that is NULL. Raises OSError.
    """
    content, wal = file.read_bytes(), _wal(file.with_name(f"{file.name}-wal"))
    for size in _sizes(content, wal):
        pages = _Pages(content, wal, size)
        for number in pages.numbers:
            yield from pages.rows(number)


def _wal(file: Path) -> bytes:
    with contextlib.suppress(OSError):
        return file.read_bytes()
    return b""


def _sizes(content: bytes, wal: bytes) -> list[int]:
    """How large pages are, by the headers, which may be damaged, too, and as they mostly are."""
    said = (int.from_bytes(wal[8:12], "big"), int.from_bytes(content[16:18], "big"))
    return sorted({_USUAL_SIZE, *(size for size in said if size in _POSSIBLE_SIZES)})


class _Pages:
    """The pages of a file, as its journal has left them."""

    def __init__(self, content: bytes, wal: bytes, size: int) -> None:
        """None of our files sets bytes of its pages aside for an extension."""
        self._size = self._usable = size
        self._content = content
        self._newer = dict(_frames(wal, self._size))
        in_file = range(1, -(-len(content) // self._size) + 1)
        self.numbers = sorted({*in_file, *self._newer})
        self._known = frozenset(self.numbers)

    def page(self, number: int) -> bytes:
        """A page by its number, from 1 on."""
        if number in self._newer:
            return self._newer[number]
        page = self._content[(number - 1) * self._size : number * self._size]
        return page.ljust(self._size, b"\0")  # of the last page a part may be left

    def rows(self, number: int) -> Iterator[list[object]]:
        """The rows of a page, if it holds any."""
        page = self.page(number)
        at = 100 if number == 1 else 0
        kind = page[at]
        if kind not in (_LEAF_OF_ROWS, _LEAF_OF_KEYS, _INNER_OF_KEYS):
            return
        count = int.from_bytes(page[at + 3 : at + 5], "big")
        first = at + (12 if kind == _INNER_OF_KEYS else 8)
        for place in range(first, min(first + 2 * count, self._usable - 1), 2):
            cell = int.from_bytes(page[place : place + 2], "big")
            with contextlib.suppress(_Unreadable, IndexError, struct.error):
                yield _values(self._payload(page, kind, cell))

    def _payload(self, page: bytes, kind: int, at: int) -> bytes:
        if kind == _INNER_OF_KEYS:
            at += 4  # the page that is before it
        size, at = _varint(page, at)
        if kind == _LEAF_OF_ROWS:
            _, at = _varint(page, at)  # its number
        if size > len(self._content) + len(self._newer) * self._size:
            raise _Unreadable
        here = self._stored_here(size, kind)
        if at + here > self._usable:
            raise _Unreadable
        parts = [page[at : at + here]]
        if here < size:
            parts += self._overflow(int.from_bytes(page[at + here : at + here + 4], "big"), size)
        payload = b"".join(parts)[:size]
        if len(payload) < size:
            raise _Unreadable
        return payload

    def _stored_here(self, size: int, kind: int) -> int:
        """How many bytes of a payload are in its page; the others are in pages of their own."""
        least = (self._usable - 12) * 32 // 255 - 23
        is_of_rows = kind == _LEAF_OF_ROWS
        most = self._usable - 35 if is_of_rows else (self._usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        fitting = least + (size - least) % (self._usable - 4)
        return fitting if fitting <= most else least

    def _overflow(self, number: int, size: int) -> Iterator[bytes]:
        for _ in range(size // (self._usable - 4) + 1):
            if number not in self._known:
                return
            page = self.page(number)
            yield page[4 : self._usable]
            number = int.from_bytes(page[:4], "big")


def _frames(wal: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """The pages in a write-ahead log, as far as they are committed, by number."""
    salt = wal[16:24]
    waiting: list[tuple[int, bytes]] = []
    for at in range(_WAL_HEADER, len(wal) - size - _FRAME_HEADER + 1, size + _FRAME_HEADER):
        if wal[at + 8 : at + 16] != salt:  # left from before it was begun anew
            return
        number, committed = struct.unpack(">II", wal[at : at + 8])
        waiting.append((number, wal[at + _FRAME_HEADER : at + _FRAME_HEADER + size]))
        if committed:
            yield from waiting
            waiting = []


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | page[place] & 0x7F
        if page[place] < 0x80:
            return value, place + 1
    return value << 8 | page[at + 8], at + 9


def _values(record: bytes) -> list[object]:
    end, at = _varint(record, 0)
    if not 1 <= end <= len(record):
        raise _Unreadable
    kinds = []
    while at < end:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[object] = []
    at = end
    for kind in kinds:
        value, at = _value(record, kind, at)
        values.append(value)
    if at != len(record):
        raise _Unreadable
    return values


def _value(record: bytes, kind: int, at: int) -> tuple[object, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind in (10, 11):
        raise _Unreadable
    length = _INTEGER_BYTES.get(kind) or (8 if kind == 7 else (kind - 12) // 2)
    stored = record[at : at + length]
    if len(stored) < length:
        raise _Unreadable
    if kind == 7:
        return struct.unpack(">d", stored)[0], at + length
    if kind < 7:
        return int.from_bytes(stored, "big", signed=True), at + length
    if kind % 2 == 0:
        return stored, at + length
    return stored.decode("utf-8", "surrogateescape"), at + length
