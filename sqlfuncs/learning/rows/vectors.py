"""Vectors of length 1, whose cosine says how alike they are. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def of_length_one(values: npt.NDArray[np.floating[Any]], places: Sequence[int]) -> Vectors:
    """Some rows divided by their lengths, a block at a time to save memory."""
    scaled = np.empty((len(places), values.shape[1]), dtype=np.float32)
    for at in range(0, len(places), 4096):
        block = values[places[at : at + 4096]].astype(np.float64)
        block /= np.maximum(np.abs(block).max(axis=1, keepdims=True), np.finfo(float).tiny)
        length = np.sqrt((block * block).sum(axis=1, keepdims=True))
        scaled[at : at + 4096] = block / np.maximum(length, np.finfo(float).tiny)
    return scaled
