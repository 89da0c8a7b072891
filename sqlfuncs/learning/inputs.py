"""What a row *is*: text, an embedding, a tuple of fields, an image or class probabilities.

The Arrow column's type decides. A row that cannot be used keeps its place and gets a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.classes import in_order, refuse_too_many

Floats = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]
_BLOCK = 8192  # rows
LARGEST = (
    1e18  # of a number in an embedding: the square of a larger one is none in single precision
)
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
    `has` says which classes a row's map names, `complete` which rows' maps name all classes
    in their order.
    """

    classes: tuple[str, ...]
    values: Floats
    has: npt.NDArray[np.bool_]
    complete: npt.NDArray[np.bool_]
    reasons: Reasons


@dataclass(frozen=True)
class Tabular:
    """Rows that are tuples of numbers and categories: `values` has shape (rows, fields).

    A number stands as it is and a category as its position among `categories` of its field,
    which are None for a number; NaN is missing.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    values: Floats
    reasons: Reasons

    def take(self, at: npt.NDArray[np.int64]) -> Tabular:
        """Some of the rows."""
        return replace(self, values=self.values[at], reasons=self.reasons[at])

    def digests(self) -> list[bytes]:
        """A digest of each row's content: equal fields, equal digest."""
        fields = sha256(repr((self.names, self.categories)).encode("utf-8", "surrogatepass"))
        digests = []
        for row in self.values:
            digest = fields.copy()
            digest.update(row.tobytes())
            digests.append(digest.digest())
        return digests


@dataclass(frozen=True)
class Images:
    """Rows that are images, each the bytes of an image file or the path of one.

    `values` (rows, features) are the built-in features (`images.describe`), `keys` digests of
    the pixels that they were computed from.
    """

    sources: tuple[bytes | str | None, ...]
    keys: tuple[bytes, ...]
    values: npt.NDArray[np.float32]
    reasons: Reasons

    def take(self, at: npt.NDArray[np.int64]) -> Images:
        """Some of the rows."""
        return Images(
            tuple(self.sources[row] for row in at),
            tuple(self.keys[row] for row in at),
            self.values[at],
            self.reasons[at],
        )

    def digests(self) -> list[bytes]:
        """A digest of each row's content."""
        return list(self.keys)


Learnable = Texts | Embeddings | Tabular | Images
KINDS: dict[type, str] = {
    Texts: "text",
    Embeddings: "embeddings",
    Tabular: "the fields of a STRUCT",
    Images: "images",
    Probabilities: "a map of probabilities",
}


_SQL_TYPES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date32": "DATE",
    "time64": "TIME",
    "timestamp": "TIMESTAMP",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "binary": "BLOB",
}


def read_column(x: pa.Array) -> Learnable | Probabilities:
    """The rows of a whole column: as `read`, and text that is the paths of images is images.

    Raises BadInput if every text looks like the path of an image file and there is none.
    """
    from sqlfuncs.learning import images

    x = _without_dictionary(x)
    if images.are_paths(x):
        return images.read(x)
    return read(x)


def read(x: pa.Array) -> Learnable | Probabilities:
    """The rows of a column, by its type. Raises BadInput for a type that is not known."""
    x = _without_dictionary(x)
    if is_text(x.type):
        return texts(x)
    if pa.types.is_map(x.type):
        return probabilities(x)
    if pa.types.is_list(x.type) or pa.types.is_fixed_size_list(x.type):
        refuse_lists_of_others(x.type)
        return embeddings(x)
    if pa.types.is_struct(x.type):
        from sqlfuncs.learning import structs

        return structs.read(x)
    if pa.types.is_binary(x.type) or pa.types.is_large_binary(x.type):
        from sqlfuncs.learning import images

        return images.read(x)
    if pa.types.is_null(x.type):
        return Texts([""] * len(x), np.full(len(x), "x is NULL", dtype=object))
    raise BadInput(
        f"x is of type {type_in_sql(x.type)}, which cannot be read. It may be text (VARCHAR), an "
        "embedding (FLOAT[]), several fields (a STRUCT: {a: a, b: b}), an image (BLOB) or class "
        "probabilities (MAP(VARCHAR, DOUBLE))."
    )


def is_text(of: pa.DataType) -> bool:
    """Whether a column of a type holds texts, perhaps of few kinds (an ENUM)."""
    if pa.types.is_dictionary(of):
        of = of.value_type
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of))


def _without_dictionary(x: pa.Array) -> pa.Array:
    return x.cast(x.type.value_type) if pa.types.is_dictionary(x.type) else x


def refuse_lists_of_others(of: pa.DataType) -> None:
    """Raise BadInput for lists that are no vectors of numbers."""
    inner = of.value_type
    if pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_decimal(inner):
        return
    if is_text(inner):
        cure = "Words are read as a text: array_to_string(x, ' ')"
    elif pa.types.is_list(inner) or pa.types.is_fixed_size_list(inner):
        cure = "Several vectors of a row are one after the other: flatten(x)"
    elif pa.types.is_null(inner):
        cure = "Give the list its type: x::FLOAT[]"
    else:
        cure = "Several values of a row are a STRUCT: {a: x[1], b: x[2]}"
    raise BadInput(
        f"x is of type {type_in_sql(of)}, a list of what are no numbers. A list is read as an "
        f"embedding (FLOAT[]). {cure}."
    )


def type_in_sql(of: pa.DataType) -> str:
    """What SQL calls a type, for messages; one that it has no name for by its own.

    >>> type_in_sql(pa.int64()), type_in_sql(pa.date32()), type_in_sql(pa.decimal128(9, 2))
    ('BIGINT', 'DATE', 'DECIMAL(9,2)')
    >>> type_in_sql(pa.map_(pa.string(), pa.list_(pa.float32())))
    'MAP(VARCHAR, FLOAT[])'
    """
    if pa.types.is_decimal(of):
        return f"DECIMAL({of.precision},{of.scale})"
    if pa.types.is_map(of):
        return f"MAP({type_in_sql(of.key_type)}, {type_in_sql(of.item_type)})"
    if pa.types.is_list(of):
        return f"{type_in_sql(of.value_type)}[]"
    if pa.types.is_fixed_size_list(of):
        return f"{type_in_sql(of.value_type)}[{of.list_size}]"
    if pa.types.is_struct(of):
        fields = ", ".join(f"{each.name} {type_in_sql(each.type)}" for each in of)
        return f"STRUCT({fields})"
    if pa.types.is_dictionary(of):
        return "ENUM"
    return _SQL_TYPES.get(str(of).partition("[")[0], str(of))


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


def embeddings(
    x: pa.Array, precision: npt.DTypeLike | None = None, largest: float = LARGEST
) -> Embeddings:
    """Vectors; NULL, NaN, infinite and all-zero ones, and odd lengths, cannot be used.

    Nor can those that hold a number beyond `largest`.

    Their numbers are as precise as the column's, unless a `precision` is given. They are read a
    block at a time, so that beside the column itself only the result is held.
    """
    if precision is None:
        precision = np.float32 if pa.types.is_float32(x.type.value_type) else np.float64
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
        _fill(values[at : at + _BLOCK], x[at : at + _BLOCK], reasons[at : at + _BLOCK], largest)
    return Embeddings(values, reasons)


def _fill(
    values: npt.NDArray[np.floating[Any]], x: pa.Array, reasons: Reasons, largest: float
) -> None:
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
    small = (np.abs(values) <= largest).all(axis=1)
    reasons[regular & finite & ~small] = f"the embedding holds a number beyond {largest:g}"
    reasons[regular & finite & ~values.any(axis=1)] = "the embedding is all zeros"
    values[~usable(reasons)] = 0


def probabilities(x: pa.Array) -> Probabilities:
    """Maps of class to probability; those that are no distribution cannot be used."""
    try:
        keys_type = x.type.key_type if has_text_keys(x) else pa.string()
        maps = x.cast(pa.map_(keys_type, pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(
            f"x is of type {type_in_sql(x.type)}, not MAP(VARCHAR, DOUBLE): {error}"
        ) from None
    # Without NULLs nothing is copied.
    present = maps.filter(pc.is_valid(maps)) if maps.null_count else maps
    # A slice shares its parent's keys; only those between its own offsets are its own.
    offsets = present.offsets.to_numpy()
    own = slice(offsets[0], offsets[-1])
    keys = present.keys[own].dictionary_encode()
    classes = in_order(keys.dictionary.to_pylist())
    refuse_too_many(len(maps), len(classes))
    # The classes in order, for each position in the dictionary.
    order = {label: column for column, label in enumerate(classes)}
    small = np.min_scalar_type(len(classes))  # a number for each probability of each row
    columns = np.array([order[label] for label in keys.dictionary.to_pylist()], dtype=small)
    at = columns[keys.indices.to_numpy()]
    items = present.items[own]  # filling NULLs copies even where there are none
    items = (pc.fill_null(items, float("nan")) if items.null_count else items).to_numpy()
    valid = np.asarray(pc.is_valid(maps))
    complete = valid.copy()
    complete[valid] = _name_all(at, np.diff(offsets), len(classes))
    shape = (len(maps), len(classes))
    if complete.all() and classes:
        values, has = items.reshape(shape), np.broadcast_to(True, shape)
    else:
        rows = np.repeat(np.flatnonzero(valid), np.diff(offsets))
        values, has = np.zeros(shape), np.zeros(shape, dtype=bool)
        values[rows, at] = items
        has[rows, at] = True
    return Probabilities(classes, values, has, complete, _no_distribution(values, has, valid))


def _name_all(
    at: npt.NDArray[np.integer[Any]], lengths: npt.NDArray[np.int32], classes: int
) -> npt.NDArray[np.bool_]:
    """Which maps name each class, in the order of the classes; `at` are all their keys."""
    full = (lengths == classes) & (classes > 0)
    named: npt.NDArray[np.bool_] = full.copy()
    own = at if full.all() else at[np.repeat(full, lengths)]
    named[full] = (own.reshape(full.sum(), classes) == np.arange(classes, dtype=at.dtype)).all(
        axis=1
    )
    return named


def has_text_keys(x: pa.MapArray) -> bool:
    """Whether keys are text already, dictionary-encoded or not."""
    keys = x.type.key_type
    return bool(pa.types.is_string(keys.value_type if pa.types.is_dictionary(keys) else keys))


def _no_distribution(
    values: Floats, has: npt.NDArray[np.bool_], valid: npt.NDArray[np.bool_]
) -> Reasons:
    """Why a row is no distribution, or None."""
    reasons = np.full(len(values), None, dtype=object)
    reasons[~valid] = "the probabilities are NULL"
    reasons[valid & ~has.any(axis=1)] = "the probabilities are an empty map"
    with np.errstate(invalid="ignore"):
        total = values.sum(axis=1)
        outside = (values < 0).any(axis=1) | (values > 1).any(axis=1)
    reasons[usable(reasons) & ~np.isfinite(total)] = "the probabilities hold NULL, NaN or infinity"
    reasons[usable(reasons) & outside] = "a probability is below 0 or above 1"
    for row in np.flatnonzero(usable(reasons) & (np.abs(total - 1) > SUM_TOLERANCE)):
        reasons[row] = f"the probabilities sum to {total[row]:.6g}, not to 1"
    return reasons


def usable(reasons: Reasons) -> npt.NDArray[np.bool_]:
    """Which rows have no reason against them."""
    return np.asarray(pa.array(reasons, pa.string()).is_null())


def describe(reasons: Sequence[str | None] | Reasons) -> str:
    """The reasons with their counts, most frequent first, for an error message.

    >>> describe(["the text is NULL", None, "the text is NULL", "the text is empty"])
    'the text is NULL (2 rows), the text is empty (1 row)'
    """
    counts = Counter(reason for reason in reasons if reason is not None)
    common = sorted(counts.items(), key=lambda pair: -pair[1])[:5]
    return ", ".join(f"{why} ({n} row{'s' if n > 1 else ''})" for why, n in common)
