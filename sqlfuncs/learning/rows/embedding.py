"""Rows that are embeddings: vectors of one length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.features import VectorFeatures
from sqlfuncs.learning.rows.base import Chosen, Reasons, Rows, Vectors, is_usable, refuse_encoder
from sqlfuncs.learning.rows.types import FIELDS, is_list, is_text
from sqlfuncs.learning.rows.vectors import of_length_one
from sqlfuncs.wording import Cast, Snippet, TypeName, Words

_BLOCK = 2048  # rows
LARGEST = (
    1e18  # of a number in an embedding: the square of a larger one is none in single precision
)


@dataclass(frozen=True)
class Embeddings(Rows):
    """Vectors: `values` has shape (rows, dimensions)."""

    kind = "embedding"
    called = "embeddings"
    example = Words("an embedding (", TypeName(pa.list_(pa.float32())), ")")
    can_be_trained_on = True
    is_compared = True
    is_of_one_length = True

    values: npt.NDArray[np.floating[Any]]
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Lists, of which those that hold no numbers are refused when read."""
        return is_list(of)

    @classmethod
    def read(cls, x: pa.Array) -> Embeddings:
        """The vectors of a column, as precise as it is."""
        precision = np.float32 if pa.types.is_float32(x.type.value_type) else np.float64
        return _read(x, precision, LARGEST)

    @classmethod
    def read_to_compare(cls, x: pa.Array) -> Embeddings:
        """Only their directions are compared, so that no number is too large."""
        return _read(x, np.float32, np.inf)

    @classmethod
    def read_part(cls, x: pa.Array, size: int) -> Embeddings:
        """Vectors of `size` dimensions."""
        return _read(x, np.float32, np.inf, size)

    @classmethod
    def refuse_alone(cls) -> None:
        """No other row counts."""

    def chosen(self, places: Chosen) -> Embeddings:
        """Some of the rows."""
        return Embeddings(self.values[places], self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of each vector: the same for the same numbers in FLOAT and in DOUBLE."""
        width = 8 * self.values.shape[1]
        found: list[bytes] = []
        for at in range(0, len(self.values), _BLOCK):
            # Zero has two signs.
            block = self.values[at : at + _BLOCK].astype(np.float64) + 0.0
            held = memoryview(block.tobytes())
            found += [
                sha256(held[row * width : (row + 1) * width]).digest() for row in range(len(block))
            ]
        return found

    def points(self, digests: Sequence[bytes]) -> list[bytes]:
        """A digest of the direction of each vector, all of which are usable."""
        return [sha256(value.tobytes()).digest() for value in self.vectors(range(len(self)))]

    def features(self, model: str) -> tuple[VectorFeatures, list[Any]]:
        """Themselves, centred and to one scale."""
        refuse_encoder(self.called, model)
        return VectorFeatures.learn(self.values)

    def to_arrow(self) -> pa.Array:
        """As lists."""
        return pa.array(list(self.values))

    @property
    def embeddings(self) -> npt.NDArray[np.floating[Any]]:
        """Themselves."""
        return self.values

    def vectors(self, places: Sequence[int]) -> Vectors:
        """Divided by their lengths."""
        return of_length_one(self.values, places)


def size_among(sizes: Mapping[int, int]) -> int:
    """The dimensions that most vectors have, by how many have each number of them; 0 of none.

    >>> size_among({0: 9, 2: 1, 4: 3, 3: 3})
    3
    """
    return max((size for size in sizes if size > 0), key=lambda s: (sizes[s], -s), default=0)


def _read(
    x: pa.Array, precision: npt.DTypeLike, largest: float, size: int | None = None
) -> Embeddings:
    """Vectors; NULL, NaN, infinite and all-zero ones, and odd lengths, cannot be used.

    Nor can those that hold a number beyond `largest`. An odd length is one that is not `size`, by
    default what most have. They are read a block at a time, so that beside the column itself only
    the result is held.
    """
    _refuse_lists_of_others(x.type)
    lengths = pc.fill_null(pc.list_value_length(x), 0).to_numpy(zero_copy_only=False)
    reasons = np.full(len(x), None, dtype=object)
    reasons[np.asarray(pc.is_null(x))] = "the embedding is NULL"
    lengths = np.where(is_usable(reasons), lengths, 0)
    if size is None:
        size = size_among(Counter(lengths.tolist()))
    reasons[(lengths == 0) & is_usable(reasons)] = "the embedding is empty"
    for row in np.flatnonzero((lengths != size) & is_usable(reasons)):
        reasons[row] = f"the embedding has {lengths[row]} dimensions, the others have {size}"
    as_they_are = _as_they_are(x, size, precision) if is_usable(reasons).all() else None
    values = np.zeros((len(x), size), dtype=precision) if as_they_are is None else as_they_are
    for at in range(0, len(x), _BLOCK):
        block = slice(at, at + _BLOCK)
        if as_they_are is None:
            _fill(values[block], x[block], reasons[block])
        _check(values[block], reasons[block], largest)
    unusable = np.flatnonzero(~is_usable(reasons))
    if len(unusable):
        values = values if as_they_are is None else values.copy()
        values[unusable] = 0
    return Embeddings(values, reasons)


def _as_they_are(x: pa.Array, size: int, precision: npt.DTypeLike) -> Any:
    """The numbers of vectors of one length where they lie, not copied; None where they do not."""
    numbers = x.flatten()
    if not size or numbers.null_count or numbers.type.to_pandas_dtype() is not precision:
        return None
    return numbers.to_numpy().reshape(-1, size)


def _fill(values: npt.NDArray[np.floating[Any]], x: pa.Array, reasons: Reasons) -> None:
    """Read a block of vectors of one length; NULL is NaN."""
    regular = is_usable(reasons)
    if not regular.any():
        return
    numbers = x.filter(pa.array(regular)).flatten()
    if not pa.types.is_float32(numbers.type):
        numbers = numbers.cast(pa.float64())
    flat = pc.fill_null(numbers, float("nan")).to_numpy()
    with np.errstate(over="ignore"):
        values[regular] = flat.reshape(-1, values.shape[1])


def _check(values: npt.NDArray[np.floating[Any]], reasons: Reasons, largest: float) -> None:
    """Say which vectors of a block cannot be used."""
    regular = is_usable(reasons)
    finite = np.isfinite(values).all(axis=1)
    reasons[regular & ~finite] = "the embedding holds NULL, NaN or infinity"
    small = (np.abs(values) <= largest).all(axis=1)
    reasons[regular & finite & ~small] = f"the embedding holds a number beyond {largest:g}"
    reasons[regular & finite & ~values.any(axis=1)] = "the embedding is all zeros"


def _refuse_lists_of_others(of: pa.DataType) -> None:
    """Raise BadInput for lists that are no vectors of numbers."""
    inner = of.value_type
    if pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_decimal(inner):
        return
    if is_text(inner):
        cure = f"Words are read as a text: {Snippet('a list of words as a text')}"
    elif is_list(inner):
        cure = f"Several vectors of a row are one after the other: {Snippet('lists as one list')}"
    elif pa.types.is_null(inner):
        cure = f"Give the list its type: {Cast('x', pa.list_(pa.float32()))}"
    else:
        cure = f"Several values of a row are a {FIELDS}: {Snippet('a list as fields')}"
    raise BadInput(
        f"x is of type {TypeName(of)}, a list of what are no numbers. A list is read as "
        f"{Embeddings.example}. {cure}."
    )
