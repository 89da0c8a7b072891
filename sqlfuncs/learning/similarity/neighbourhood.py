"""Rows among their like: every content once, its vector, and the contents nearest to it.

What `outliers` and `near_duplicates` both read. The last one is kept, so that calls on the same
rows compute it once.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, Rows, describe, is_usable
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.learning.similarity.neighbours import Nearest, Places, nearest

MAX_NEIGHBOURS = 100


@dataclass(frozen=True)
class Neighbourhood:
    """Which rows are alike.

    Rows of one content (`content`, (usable rows,)) are one, and contents that differ in capitals,
    spaces and punctuation only, or not in their vectors, are one point (`point`, (contents,)).
    `nearest` is about points. `reasons` (rows,): why a row could not be used, or None; the others
    are the usable.
    """

    reasons: Reasons
    content: Places
    point: Places
    nearest: Nearest


@dataclass(frozen=True)
class _Kept:
    """What was computed last: contents in their canonical order, by a digest of them and k."""

    key: tuple[bytes, int]
    point: Places
    nearest: Nearest


_last: _Kept | None = None
_computing = threading.Lock()


def neighbourhood(x: pa.Array, k: int) -> Neighbourhood:
    """The neighbourhood of the rows of a column, with the `k` nearest other points of each.

    Raises NoUsableRows, and BadInput for class probabilities, which say nothing about likeness.
    """
    rows = read(x)
    usable = np.flatnonzero(is_usable(rows.reasons))
    if not usable.size:
        raise NoUsableRows(
            f"no row can be judged: {describe(rows.reasons)}."
            if len(rows.reasons)
            else "the table has no rows: there is nothing to judge."
        )
    keys = rows.digests()
    first: dict[bytes, int] = {}
    for row in usable.tolist():
        first.setdefault(keys[row], row)
    ordered = sorted(first)
    place = {key: at for at, key in enumerate(ordered)}
    content = np.array([place[keys[row]] for row in usable], dtype=np.int64)
    kept = _computed(rows, [first[key] for key in ordered], ordered, k)
    return Neighbourhood(rows.reasons, content, kept.point, kept.nearest)


def _computed(rows: Rows, places: Sequence[int], keys: Sequence[bytes], k: int) -> _Kept:
    global _last
    key = (sha256(rows.reading("fast").encode() + b"".join(keys)).digest(), k)
    with _computing:
        if _last is None or _last.key != key:
            _last = None  # two of them need not be in memory at once
            chosen, variant = _first_of_each(rows.variants(places))
            values = rows.vectors([places[at] for at in chosen])
            chosen, point = _first_of_each([sha256(value.tobytes()).digest() for value in values])
            points = values if len(chosen) == len(values) else values[chosen]
            _last = _Kept(key, point[variant], nearest(points, k))
        return _last


def read(x: pa.Array) -> Rows:
    """The rows of a column, by its type. Raises BadInput for what cannot be compared."""
    kind = registry.kind_of(x)
    if kind.is_compared:
        return kind.read_to_compare(x)
    raise BadInput(
        f"{kind.why_not_compared(x.type)}. x may be {Texts.example} or {Embeddings.example}."
    )


def _first_of_each(keys: Sequence[Hashable]) -> tuple[list[int], Places]:
    """The places of the first of each key, and which one of them each of `keys` is.

    >>> _first_of_each("abca")
    ([0, 1, 2], array([0, 1, 2, 0]))
    """
    number: dict[Hashable, int] = {}
    first: list[int] = []
    which = np.empty(len(keys), dtype=np.int64)
    for at, key in enumerate(keys):
        which[at] = number.setdefault(key, len(first))
        if which[at] == len(first):
            first.append(at)
    return first, which
