"""Carrying a whole table to Python: packed batch by batch, then put together in order.

DuckDB calls with 2,048 rows at a time, from several threads. Each batch is packed into one
value (an Arrow stream as 64-bit words, in its first row), DuckDB lists these, and the computing
reads them all. What waits in between is DuckDB's: freed when a query fails or is stopped, and
apart for every query.
"""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

from sqlfuncs import work

PACKED = "_sf_packed"
RETURNS = "BIGINT[]"  # not BLOB: all blobs of one list may hold 2 GB together, no more
_NARROW = 127  # classes that fit in a byte


def pack(numbers: pa.Array, given: pa.StructArray) -> pa.ListArray:
    """The rows of a batch and their numbers as one value in the first row, NULL in the others."""
    work.check()
    fields = [field.name for field in given.type]
    columns = [_with_short_keys(column) for column in given.flatten()]
    batch = pa.RecordBatch.from_arrays([numbers, *columns], names=["", *fields])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    # An Arrow stream is a multiple of 8 bytes long.
    words = pa.array(np.frombuffer(sink.getvalue(), dtype=np.int64))
    later = np.arange(len(batch)) > 0
    ends = np.append(0, np.full(len(batch), len(words))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), words, mask=pa.array(later))


def unpack(packed: pa.ListArray) -> pa.StructArray:
    """The rows of packed batches in the order of their numbers, keys of maps as dictionaries."""
    words, ends = packed.values, packed.offsets.to_numpy()
    batches = [_read(words[start:end]) for start, end in itertools.pairwise(ends)]
    batches.sort(key=lambda batch: batch.column(0)[0].as_py())
    columns = [
        pa.concat_arrays([_with_long_keys(batch.column(place)) for batch in batches])
        for place in range(batches[0].num_columns)
    ]
    numbers = columns.pop(0).to_numpy()
    rows = pa.StructArray.from_arrays(columns, names=batches[0].schema.names[1:])
    if (np.diff(numbers) <= 0).any():
        return rows.take(pa.array(np.argsort(numbers)))
    return rows


def _read(words: pa.Array) -> pa.RecordBatch:
    stream = words.buffers()[1].slice(words.offset * 8, len(words) * 8)
    return pa.ipc.open_stream(stream).read_next_batch()


def _with_short_keys(column: pa.Array) -> pa.Array:
    if not (pa.types.is_map(column.type) and pa.types.is_string(column.type.key_type)):
        return column
    keys = column.keys.dictionary_encode()
    width = pa.int8() if len(keys.dictionary) <= _NARROW else pa.int32()
    return _with_keys(column, keys, width)


def _with_long_keys(column: pa.Array) -> pa.Array:
    """Batches have different keys, and all of them together may not fit in a byte."""
    if not (pa.types.is_map(column.type) and pa.types.is_dictionary(column.type.key_type)):
        return column
    return _with_keys(column, column.keys, pa.int32())


def _with_keys(column: pa.MapArray, keys: pa.DictionaryArray, width: pa.DataType) -> pa.MapArray:
    keys = pa.DictionaryArray.from_arrays(keys.indices.cast(width), keys.dictionary)
    offsets = pa.array(column.offsets.to_numpy())
    mask = column.is_null() if column.null_count else None
    return pa.MapArray.from_arrays(offsets, keys, column.items, mask=mask)
