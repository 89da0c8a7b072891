"""Rows among their like: every content once, its vector, and the contents nearest to it.

What `outliers` and `near_duplicates` both read. The last one is kept, so that calls on the same
rows compute it once.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning import encoders, inputs
from sqlfuncs.learning.folds import digests
from sqlfuncs.learning.inputs import Embeddings, Reasons, Texts
from sqlfuncs.learning.letters import letters
from sqlfuncs.learning.neighbours import Nearest, Places, Vectors, nearest
from sqlfuncs.learning.tfidf import TfIdf

MAX_NEIGHBOURS = 100
_PROJECTED = 512  # dimensions that TF-IDF is brought down to


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
    usable = np.flatnonzero(inputs.usable(rows.reasons))
    if not usable.size:
        raise NoUsableRows(
            f"no row can be judged: {inputs.describe(rows.reasons)}."
            if len(rows.reasons)
            else "the table has no rows: there is nothing to judge."
        )
    keys = digests(rows)
    first: dict[bytes, int] = {}
    for row in usable.tolist():
        first.setdefault(keys[row], row)
    ordered = sorted(first)
    place = {key: at for at, key in enumerate(ordered)}
    content = np.array([place[keys[row]] for row in usable], dtype=np.int64)
    kept = _computed(rows, [first[key] for key in ordered], ordered, k)
    return Neighbourhood(rows.reasons, content, kept.point, kept.nearest)


def _computed(
    rows: Texts | Embeddings, places: Sequence[int], keys: Sequence[bytes], k: int
) -> _Kept:
    global _last
    kind = type(rows).__name__ + str(encoders.is_available())
    key = (sha256(kind.encode() + b"".join(keys)).digest(), k)
    with _computing:
        if _last is None or _last.key != key:
            _last = None  # two of them need not be in memory at once
            chosen, variant = _first_of_each(_same_letters(rows, places))
            values = vectors(rows, [places[at] for at in chosen])
            chosen, point = _first_of_each([sha256(value.tobytes()).digest() for value in values])
            points = values if len(chosen) == len(values) else values[chosen]
            _last = _Kept(key, point[variant], nearest(points, k))
        return _last


def read(x: pa.Array) -> Texts | Embeddings:
    """The rows of a column, by its type. Raises BadInput for what cannot be compared."""
    if pa.types.is_list(x.type) or pa.types.is_fixed_size_list(x.type):
        inputs.refuse_lists_of_others(x.type)
        # Only their directions are compared, so that no number is too large.
        return inputs.embeddings(x, np.float32, largest=np.inf)
    rows = inputs.read_column(x)
    if isinstance(rows, inputs.Probabilities):
        raise BadInput(
            f"x is of type {inputs.type_in_sql(x.type)}: class probabilities do not say which rows "
            "are alike. It may be text (VARCHAR) or an embedding (FLOAT[])."
        )
    if isinstance(rows, inputs.Tabular | inputs.Images):
        raise BadInput(
            f"rows are not compared by {inputs.KINDS[type(rows)]} yet. x may be text (VARCHAR) or "
            "an embedding (FLOAT[])."
        )
    return rows


def vectors(rows: Texts | Embeddings, places: Sequence[int]) -> Vectors:
    """Some of the rows as vectors of length 1: (places, d) float32; their cosine is likeness."""
    if isinstance(rows, Embeddings):
        return _of_length_one(rows.values, places)
    texts = [rows.values[place] for place in places]
    by = encoders.for_model("fast")
    values = by[0].meaning(encoders.encode(by[0], texts)) if by else _projected(texts)
    return _of_length_one(values, range(len(texts)))


def _of_length_one(values: npt.NDArray[np.floating[Any]], places: Sequence[int]) -> Vectors:
    """Some rows divided by their lengths, a block at a time to save memory."""
    scaled = np.empty((len(places), values.shape[1]), dtype=np.float32)
    for at in range(0, len(places), 4096):
        block = values[places[at : at + 4096]].astype(np.float64)
        block /= np.maximum(np.abs(block).max(axis=1, keepdims=True), np.finfo(float).tiny)
        length = np.sqrt((block * block).sum(axis=1, keepdims=True))
        scaled[at : at + 4096] = block / np.maximum(length, np.finfo(float).tiny)
    return scaled


def _projected(texts: Sequence[str]) -> Vectors:
    """TF-IDF, brought down to few dimensions in which cosines stay nearly what they were.

    A sparse random projection (Li, Hastie and Church, "Very Sparse Random Projections", KDD
    2006): the nearer a cosine is to 1, the less it changes.
    """
    from sklearn.random_projection import SparseRandomProjection

    _, sparse = TfIdf.learn(texts)
    if sparse.shape[1] <= _PROJECTED:
        dense: Vectors = sparse.toarray()
        return dense
    projection = SparseRandomProjection(_PROJECTED, dense_output=True, random_state=0)
    projected: Vectors = projection.fit_transform(sparse)
    return projected


def _same_letters(rows: Texts | Embeddings, places: Sequence[int]) -> Sequence[Hashable]:
    """What is equal for texts that differ in capitals, spaces and punctuation only."""
    if isinstance(rows, Embeddings):
        return places
    return [letters(rows.values[place]) for place in places]


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
