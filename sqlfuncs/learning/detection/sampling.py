"""Which rows people have reviewed at random. Imports hashlib and numpy.

All rows have one random order, by a hash of their keys, which is the same for everybody, every
time. What is reviewed of it without a gap is a sample, whoever reviewed it and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FEWEST_DRAWN = 20  # reviewed rows, before anything is said of the others


@dataclass(frozen=True)
class Drawn:
    """Rows drawn at random that people reviewed: all (drawn,).

    `places` of the rows; `wrong` where the given class is; `true` the right class of those, -1
    where it is not known.
    """

    places: Places
    wrong: Mask
    true: Places

    def first(self, most: int) -> Drawn:
        """No more than so many of them."""
        return Drawn(self.places[:most], self.wrong[:most], self.true[:most])


def random_ranks(keys: Sequence[str | None]) -> Places:
    """The place of each row in the random order, from 0: (rows,). Rows without a key are last.

    An engine may sort by the same hash: the MD5 of 'review ' and the key.

    >>> random_ranks(["7", None, "8"]).tolist()
    [0, 2, 1]
    """
    drawn = [b"" if key is None else hashlib.md5(f"review {key}".encode()).digest() for key in keys]
    order = sorted(range(len(keys)), key=lambda row: (keys[row] is None, drawn[row]))
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def sample(ranks: Places, known: Mask) -> Places:
    """The places of the rows in their random order, up to the first one that is not known.

    >>> sample(np.array([2, 0, 3, 1]), np.array([False, True, True, True])).tolist()
    [1, 3]
    """
    order = np.argsort(ranks, kind="stable")
    in_order = known[order]
    return order if in_order.all() else order[: int(np.argmin(in_order))]
