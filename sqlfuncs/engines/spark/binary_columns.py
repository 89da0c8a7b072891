"""Digests and vectors as BINARY columns, in which they travel. Arrow and numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.similarity.cells import DIGEST, Digests, Vectors


def as_binary(vectors: Vectors, kind: npt.DTypeLike) -> pa.Array:
    """Vectors as they are sent: (rows, d)."""
    sent = np.ascontiguousarray(vectors, dtype=kind)
    return binaries(sent.view(np.uint8).reshape(len(sent), -1))


def binaries(held: npt.NDArray[np.uint8]) -> pa.Array:
    """A BINARY of each row of bytes."""
    count, width = held.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(held))]
    return pa.Array.from_buffers(pa.binary(), count, buffers)


def bytes_of(column: Any) -> npt.NDArray[np.uint8]:
    """The bytes of BINARY values of one length, none NULL: (rows, length)."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if len(whole) == 0:
        return np.empty((0, 0), np.uint8)
    joined = b"".join(whole.to_pylist())
    return np.frombuffer(joined, np.uint8).reshape(len(whole), -1)


def digests_of(column: Any) -> Digests:
    """Digests as bytes: (rows, DIGEST)."""
    return bytes_of(column).reshape(-1, DIGEST)


def vectors_of(column: Any, kind: npt.DTypeLike) -> Vectors:
    """What `as_binary` sent: (rows, d) of single precision."""
    return bytes_of(column).view(kind).astype(np.float32)
