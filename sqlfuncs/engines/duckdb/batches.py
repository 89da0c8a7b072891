"""Carrying a whole table to Python: packed batch by batch, then put together in order.

DuckDB calls with 2,048 rows at a time, from several threads. Each batch is packed and waits
here; its first row gets the ticket under which it waits. DuckDB lists the tickets, and the
computing takes the batches. A query that fails in between leaves its batches; they go when its
connection asks for a table again.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.labels.labels import KIND, UNTYPED

PACKED = "_sf_packed"
RETURNS = "BIGINT"
_NUMBERS = ""  # the column of the rows' numbers, where they do not simply count on
_BYTE = 127  # positions up to which fit in a byte
# In metadata: the first row's number; text by position; the keys that all maps of a batch have.
_FIRST, _TEXT, _KEYS = b"first", b"text", b"keys"


Query = tuple[int, int, int]  # of which instance and connection, and its number there


class Waiting:
    """Packed batches of the queries that run, by ticket. Used by several threads."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._tickets = itertools.count(1)
        self._batches: dict[int, tuple[Query, bytes]] = {}
        self._lock = threading.Lock()

    def put(self, query: Query, batch: bytes) -> int:
        """A ticket for a batch."""
        with self._lock:
            ticket = next(self._tickets)
            self._batches[ticket] = query, batch
        return ticket

    def take(self, tickets: Sequence[int]) -> list[bytes]:
        """The batches of some tickets, which do not wait any longer. Raises LookupError."""
        with self._lock:
            return [self._batches.pop(ticket)[1] for ticket in tickets]

    def forget(self, query: Query, *, and_itself: bool = False) -> None:
        """Drop what earlier queries of a connection have left."""
        *connection, number = query
        with self._lock:
            left = [
                ticket
                for ticket, ((*of, other), _) in self._batches.items()
                if of == connection and (other < number or (and_itself and other == number))
            ]
            for ticket in left:
                del self._batches[ticket]


def pack(numbers: pa.Array, given: pa.StructArray, kinds: Mapping[str, str] | None = None) -> bytes:
    """The rows of a batch and their numbers. `kinds` of its columns go into their metadata."""
    columns = [
        _small(field.name, column, kinds or {})
        for field, column in zip(given.type, given.flatten(), strict=True)
    ]
    first = numbers[0].as_py()
    if not np.array_equal(numbers, np.arange(first, first + len(numbers))):
        columns.append((pa.field(_NUMBERS, numbers.type), numbers))
    schema = pa.schema([field for field, _ in columns], {_FIRST: str(first)})
    batch = pa.RecordBatch.from_arrays([column for _, column in columns], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()  # as long as it is; the sink has room for twice
    return packed


def unpack(packed: list[bytes]) -> pa.StructArray:
    """The rows of packed batches in the order of their numbers. The list is empty then.

    Keys of maps are dictionaries, and so are labels of few different texts. Vectors, which may be
    nearly all there is, are put together batch by batch, each let go of as it is copied.
    """
    batches = []
    while packed:
        batches.append(pa.ipc.open_stream(packed.pop()).read_next_batch())
    batches.sort(key=_first)
    numbers = np.concatenate([_numbers(batch) for batch in batches])
    names = [name for name in batches[0].schema.names if name != _NUMBERS]
    kinds = [(batches[0].schema.field(name).metadata or {}).get(KIND) for name in names]
    vectors = [name for name in names if _are_vectors([batch.column(name) for batch in batches])]
    by_name = {
        name: _whole([(batch.schema.field(name), batch.column(name)) for batch in batches])
        for name in names
        if name not in vectors
    }
    by_name |= _vectors(batches, vectors)
    columns = [by_name[name] for name in names]
    # What has no type of its own was given one on the way (macros._TEXT_KEYS).
    columns = [
        pa.nulls(len(column)) if kind == UNTYPED.encode() else column
        for name, column, kind in zip(names, columns, kinds, strict=True)
    ]
    rows = pa.StructArray.from_arrays(
        columns,
        fields=[
            pa.field(name, column.type, metadata=None if kind is None else {KIND: kind})
            for name, column, kind in zip(names, columns, kinds, strict=True)
        ],
    )
    if (np.diff(numbers) <= 0).any():
        return rows.take(pa.array(np.argsort(numbers)))
    return rows


def _first(batch: pa.RecordBatch) -> int:
    return int(batch.schema.metadata[_FIRST])


def _numbers(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    if _NUMBERS not in batch.schema.names:
        return np.arange(_first(batch), _first(batch) + len(batch))
    numbers: npt.NDArray[np.int64] = batch.column(_NUMBERS).to_numpy()
    return numbers


def _small(name: str, column: pa.Array, kinds: Mapping[str, str]) -> tuple[pa.Field, pa.Array]:
    """A column of a batch, few texts as positions and the keys of its maps once if they agree."""
    field, column = _smaller(name, column)
    metadata = {**(field.metadata or {})}
    if name in kinds:
        metadata[KIND] = kinds[name].encode()
    return field.with_metadata(metadata), column


def _smaller(name: str, column: pa.Array) -> tuple[pa.Field, pa.Array]:
    if pa.types.is_string(column.type):
        texts = column.dictionary_encode()
        if len(texts.dictionary) <= _BYTE:
            column = _with_positions(texts, pa.int8())
            return pa.field(name, column.type, metadata={_TEXT: b""}), column
    elif pa.types.is_map(column.type) and pa.types.is_string(column.type.key_type):
        keys = column.keys.dictionary_encode()
        shared = _shared_keys(column, keys)
        if shared:
            items = column.items[column.offsets[0].as_py() : column.offsets[-1].as_py()]
            column = pa.FixedSizeListArray.from_arrays(items, len(shared))
            return pa.field(name, column.type, metadata={_KEYS: json.dumps(shared)}), column
        width = pa.int8() if len(keys.dictionary) <= _BYTE else pa.int32()
        column = _with_keys(column, _with_positions(keys, width))
    return pa.field(name, column.type), column


def _shared_keys(column: pa.MapArray, keys: pa.DictionaryArray) -> list[str]:
    """The keys that every map of a batch has in the same order, or none."""
    offsets = column.offsets.to_numpy()
    sizes = np.diff(offsets)
    if column.null_count or not sizes[0] or (sizes != sizes[0]).any():
        return []
    at = keys.indices.to_numpy()[offsets[0] : offsets[-1]].reshape(-1, sizes[0])
    if (at != at[0]).any():
        return []
    shared: list[str] = keys.dictionary.take(pa.array(at[0])).to_pylist()
    return shared


def _whole(parts: Sequence[tuple[pa.Field, pa.Array]]) -> pa.Array:
    """What `_small` made of the batches of one column, put together."""
    shared, *others = {(field.metadata or {}).get(_KEYS) for field, _ in parts}
    if shared is not None and not others:
        items = pa.concat_arrays([column.flatten() for _, column in parts])
        return _maps(json.loads(shared), items)
    if all(_is_dictionary_of_labels(field) for field, _ in parts):
        encoded = [_with_positions(column, pa.int32()) for _, column in parts]
        return pa.concat_arrays(pa.chunked_array(encoded).unify_dictionaries().chunks)
    return pa.concat_arrays([_as_it_came(field, column) for field, column in parts])


def _are_vectors(parts: Sequence[pa.Array]) -> bool:
    """Whether lists are all of one length and type, of numbers in single or double precision."""
    of = parts[0].type
    if not pa.types.is_list(of) or not pa.types.is_floating(of.value_type):
        return False
    lengths = [np.diff(part.offsets) for part in parts]
    return (
        len({part.type for part in parts}) == 1
        and not any(part.null_count or part.flatten().null_count for part in parts)
        and lengths[0].any()
        and all((length == lengths[0][0]).all() for length in lengths)
    )


def _vectors(batches: list[pa.RecordBatch], names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns of vectors: lists of a fixed length. The batches are gone then."""
    if not names:
        return {}
    rows = sum(len(batch) for batch in batches)
    wholes = {}
    for name in names:
        some = batches[0].column(name)
        shape = (rows, int(np.diff(some.offsets)[0]))
        wholes[name] = np.empty(shape, dtype=some.type.value_type.to_pandas_dtype())
    end = rows
    while batches:  # from the last one on: what was allocated last is given back first
        batch = batches.pop()
        for name, whole in wholes.items():
            part = batch.column(name).flatten().to_numpy()
            whole[end - len(batch) : end] = part.reshape(len(batch), -1)
        end -= len(batch)
    return {
        name: pa.FixedSizeListArray.from_arrays(pa.array(whole.reshape(-1)), whole.shape[1])
        for name, whole in wholes.items()
    }


def _is_dictionary_of_labels(field: pa.Field) -> bool:
    metadata = field.metadata or {}
    return _TEXT in metadata and KIND in metadata


def _as_it_came(field: pa.Field, column: pa.Array) -> pa.Array:
    metadata = field.metadata or {}
    if _TEXT in metadata:
        return column.cast(pa.string())
    if _KEYS in metadata:
        column = _maps(json.loads(metadata[_KEYS]), column.flatten())
    if pa.types.is_map(column.type) and pa.types.is_dictionary(column.type.key_type):
        # Batches have different keys, and all of them together may not fit in a byte.
        return _with_keys(column, _with_positions(column.keys, pa.int32()))
    return column


def _maps(names: list[str], items: pa.Array) -> pa.MapArray:
    """Maps that all have the same keys."""
    width = np.int8 if len(names) <= _BYTE else np.int32
    at = pa.array(np.tile(np.arange(len(names), dtype=width), len(items) // len(names)))
    offsets = pa.array(np.arange(0, len(items) + 1, len(names), dtype=np.int32))
    return pa.MapArray.from_arrays(offsets, pa.DictionaryArray.from_arrays(at, names), items)


def _with_positions(texts: pa.DictionaryArray, width: pa.DataType) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(texts.indices.cast(width), texts.dictionary)


def _with_keys(column: pa.MapArray, keys: pa.DictionaryArray) -> pa.MapArray:
    offsets = pa.array(column.offsets.to_numpy())
    mask = column.is_null() if column.null_count else None
    return pa.MapArray.from_arrays(offsets, keys, column.items, mask=mask)
