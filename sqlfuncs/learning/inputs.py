"""What a row *is*: text, an embedding or class probabilities, read from an Arrow column.

The column's type decides. A row that cannot be used keeps its place and gets a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.classes import in_order

Floats = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]
_BLOCK = 8192  # rows
SUM_TOLERANCE = 0.01  # probabilities rounded to a few digits for storage still count as such


@dataclass(frozen=True)
class Texts:
    """Rows that are texts."""

    values: list[str]
    reasons: Reasons


@dataclass(frozen=True)
class Embeddings:
    """Rows that are vectors of one length: `values` has shape (rows, dimensions)."""

    values: npt.NDArray[np.floating[Any]]
    reasons: Reasons


@dataclass(frozen=True)
class Probabilities:
    """Rows that are class probabilities.

    `values` has shape (rows, classes), each row summing to 1, 0 where a map lacks a class;
    `has` says which classes a row's map names.
    """

    classes: tuple[str, ...]
    values: Floats
    has: npt.NDArray[np.bool_]
    reasons: Reasons


def read(x: pa.Array) -> Texts | Embeddings | Probabilities:
    """The rows of a column, by its type. Raises BadInput for a type that is not known."""
    if pa.types.is_string(x.type) or pa.types.is_large_string(x.type):
        return texts(x)
    if pa.types.is_map(x.type):
        return probabilities(x)
    if pa.types.is_list(x.type) or pa.types.is_fixed_size_list(x.type):
        return embeddings(x)
    if pa.types.is_null(x.type):
        return Texts([""] * len(x), np.full(len(x), "x is NULL", dtype=object))
    raise BadInput(
        f"x is of type {x.type}, which cannot be read. It may be text (VARCHAR), an embedding "
        "(FLOAT[]) or class probabilities (MAP(VARCHAR, DOUBLE))."
    )


def texts(x: pa.Array) -> Texts:
    """Texts; NULL and blank ones cannot be used."""
    values: list[str | None] = x.to_pylist()
    reasons = np.full(len(values), None, dtype=object)
    for row, value in enumerate(values):
        if value is None:
            reasons[row] = "the text is NULL"
        elif not value.strip():
            reasons[row] = "the text is empty"
    return Texts([value or "" for value in values], reasons)


def embeddings(x: pa.Array, precision: npt.DTypeLike = np.float64) -> Embeddings:
    """Vectors; NULL, NaN, infinite and all-zero ones, and odd lengths, cannot be used.

    They are read a block at a time, so that beside the column itself only the result is held.
    """
    lengths = pc.fill_null(pc.list_value_length(x), 0).to_numpy(zero_copy_only=False)
    reasons = np.full(len(x), None, dtype=object)
    reasons[np.asarray(pc.is_null(x))] = "the embedding is NULL"
    lengths = np.where(usable(reasons), lengths, 0)
    filled = lengths[lengths > 0]
    size = int(np.bincount(filled).argmax()) if filled.size else 0
    reasons[(lengths == 0) & usable(reasons)] = "the embedding is empty"
    for row in np.flatnonzero((lengths != size) & usable(reasons)):
        reasons[row] = f"the embedding has {lengths[row]} dimensions, the others have {size}"
    values = np.zeros((len(x), size), dtype=precision)
    for at in range(0, len(x), _BLOCK):
        _fill(values[at : at + _BLOCK], x[at : at + _BLOCK], reasons[at : at + _BLOCK])
    return Embeddings(values, reasons)


def _fill(values: npt.NDArray[np.floating[Any]], x: pa.Array, reasons: Reasons) -> None:
    """Read a block of vectors of one length, and say which cannot be used."""
    regular = usable(reasons)
    if not regular.any():
        return
    lists = x.filter(pa.array(regular)).cast(pa.large_list(pa.float64()))
    flat = pc.fill_null(lists.flatten(), float("nan")).to_numpy()
    with np.errstate(over="ignore"):
        values[regular] = flat.reshape(-1, values.shape[1])
    finite = np.isfinite(values).all(axis=1)
    reasons[regular & ~finite] = "the embedding holds NULL, NaN or infinity"
    reasons[regular & finite & ~values.any(axis=1)] = "the embedding is all zeros"
    values[~usable(reasons)] = 0


def probabilities(x: pa.Array) -> Probabilities:
    """Maps of class to probability; those that are no distribution cannot be used."""
    try:
        maps = x.cast(pa.map_(pa.string(), pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(f"x is of type {x.type}, not MAP(VARCHAR, DOUBLE): {error}") from None
    # Without NULLs nothing is copied.
    present = maps.filter(pc.is_valid(maps)) if maps.null_count else maps
    # A slice shares its parent's keys; only those between its own offsets are its own.
    offsets = present.offsets.to_numpy()
    own = slice(offsets[0], offsets[-1])
    keys = present.keys[own].dictionary_encode()
    classes = in_order(keys.dictionary.to_pylist())
    # The classes in order, for each position in the dictionary.
    order = {label: column for column, label in enumerate(classes)}
    columns = np.array([order[label] for label in keys.dictionary.to_pylist()], dtype=np.int64)
    valid = np.asarray(pc.is_valid(maps))
    lengths = np.diff(offsets)
    rows = np.repeat(np.flatnonzero(valid), lengths)
    at = columns[keys.indices.to_numpy()]
    values = np.zeros((len(maps), len(classes)))
    has = np.zeros(values.shape, dtype=bool)
    values[rows, at] = pc.fill_null(present.items[own], float("nan")).to_numpy()
    has[rows, at] = True
    return Probabilities(classes, values, has, _no_distribution(values, has, valid))


def _no_distribution(
    values: Floats, has: npt.NDArray[np.bool_], valid: npt.NDArray[np.bool_]
) -> Reasons:
    """Why a row is no distribution, or None."""
    reasons = np.full(len(values), None, dtype=object)
    reasons[~valid] = "the probabilities are NULL"
    reasons[valid & ~has.any(axis=1)] = "the probabilities are an empty map"
    with np.errstate(invalid="ignore"):
        total = values.sum(axis=1)
        outside = ((values < 0) | (values > 1)).any(axis=1)
    reasons[usable(reasons) & ~np.isfinite(total)] = "the probabilities hold NULL, NaN or infinity"
    reasons[usable(reasons) & outside] = "a probability is below 0 or above 1"
    for row in np.flatnonzero(usable(reasons) & (np.abs(total - 1) > SUM_TOLERANCE)):
        reasons[row] = f"the probabilities sum to {total[row]:.6g}, not to 1"
    return reasons


def usable(reasons: Reasons) -> npt.NDArray[np.bool_]:
    """Which rows have no reason against them."""
    return np.array([reason is None for reason in reasons], dtype=bool)


def describe(reasons: Sequence[str | None] | Reasons) -> str:
    """The reasons with their counts, most frequent first, for an error message.

    >>> describe(["the text is NULL", None, "the text is NULL", "the text is empty"])
    'the text is NULL (2 rows), the text is empty (1 row)'
    """
    counts: dict[str, int] = {}
    for reason in reasons:
        if reason is not None:
            counts[reason] = counts.get(reason, 0) + 1
    common = sorted(counts.items(), key=lambda pair: -pair[1])[:5]
    return ", ".join(f"{why} ({n} row{'s' if n > 1 else ''})" for why, n in common)
