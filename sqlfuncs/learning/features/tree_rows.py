"""How many rows trees learn from, and which; what keeps two threads from boosting at once."""

from __future__ import annotations

import threading
from zlib import crc32

import numpy as np
import numpy.typing as npt

View = npt.NDArray[np.float32]

TREES = 100
LEAF_ROWS = 5
ROWS_OF_A_TREE = 50_000  # so that one takes about a second, however many rows there are
ROWS_A_STEP = 100_000  # so that Ctrl-C is heard within a second: rows times trees in one go
BOOSTED_ROWS = 100_000
BOOSTED_ROUNDS = 40
WEIGHED_ROWS = 5_000  # on how many rows the weights of the heads are found
WEIGHED_TREES = 40
# Boosting sets the process's warning filters and puts them back, which two threads must not.
boosting = threading.Lock()


def sample(rows: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """All rows, or `most` of them, in their order."""
    if rows <= most:
        return np.arange(rows)
    chosen = np.random.default_rng(seed).choice(rows, most, replace=False)
    return np.sort(chosen)


def set_aside(view: View) -> npt.NDArray[np.bool_]:
    """A third of the rows, by their content, so that equal ones are on one side: (rows,).

    A model is to judge rows none of whose copies it has seen.
    """
    return np.array([crc32(row.tobytes()) % 3 == 0 for row in view], dtype=bool)
