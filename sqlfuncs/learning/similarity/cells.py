"""Cells of vectors, for tables that no process holds: which ones a vector lies in and looks into.

An inverted file (Jégou, Douze and Schmid, TPAMI 2011) whose lists lie apart. The centres are found
by k-means on a sample. A vector is kept in the cell of its nearest centre and is compared with
what lies in the `probes` nearest ones: as few as let the sample find what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.similarity.one_thread import load_faiss, one_thread_each

Vectors = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Digests = npt.NDArray[np.uint8]  # (rows, DIGEST)

DIGEST = 16  # bytes
MOST_BYTES = 15_000_000  # of centres, which travel to every worker
SAMPLE_A_CELL = 40
FEWEST_A_CELL = 8  # of the sample: with fewer, a centre is hardly more than one of them
MOST_MEMBERS = 20_000  # of a part of a cell
MOST_PROBES = 16
RECALL = 0.97  # of neighbours as far as the threshold; nearer ones are found more easily
MOST_PROBES_NEAREST = 8
RECALL_NEAREST = 0.95  # of the nearest ones, which are nearer in the table than in the sample
_TESTED = 2_000
_LEFT_OUT = 10  # one row of so many, or fewer, is left out of learning and tested
_BLOCK = 1024
_LARGE = 4  # times the mean: such a cell is cut again
_ROUNDS = 3


class Visits(NamedTuple):
    """Which parts of cells vectors look into: all (visits,).

    `row` of the vector, `part` that it looks into, and whether it is a member of it: of one each.
    """

    row: Places
    part: Places
    is_member: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """`centres` (cells, d), of length 1; `parts` (cells,): into how many each of them is cut.

    A cell has several parts where vectors are so alike that no centres tell them apart. Its vectors
    are dealt to them by their digests and look into two of them, so that all stay linked.
    Probes are tried with each `step`-th row of the sample. Where the table has more rows these were
    left out when the centres were learned: centres are nearer to what they were learned from.
    """

    centres: npt.NDArray[np.float16]
    parts: Places
    probes: int
    step: int = 1

    def for_alike(self, sample: Vectors, threshold: float) -> Cells:
        """These with as many probes as find rows whose cosine is `threshold` or more."""
        with one_thread_each() as pool:
            centres = self.centres.astype(np.float32)
            tried = pool.submit(_alike, sample, self.step, centres, threshold)
            return replace(self, probes=tried.result())

    def for_nearest(self, sample: Vectors, k: int) -> Cells:
        """These with as many probes as find the `k` nearest rows."""
        with one_thread_each() as pool:
            centres = self.centres.astype(np.float32)
            tried = pool.submit(_nearest, sample, self.step, centres, k)
            return replace(self, probes=tried.result())

    def visits(self, vectors: Vectors, digests: Digests) -> Visits:
        """Of vectors of length 1: (rows, d)."""
        nearest = nearest_centres(vectors, self.centres.astype(np.float32), self.probes)
        dealt = _number(digests)[:, None]
        parts = self.parts[nearest]
        begin = (np.cumsum(self.parts) - self.parts)[nearest]
        own = begin + (dealt % parts.astype(np.uint64)).astype(np.int64)
        next_one = begin + ((dealt + np.uint64(1)) % parts.astype(np.uint64)).astype(np.int64)
        is_home = np.zeros(nearest.shape, dtype=bool)
        is_home[:, 0] = True
        row = np.broadcast_to(np.arange(len(vectors))[:, None], nearest.shape)
        cut = parts > 1
        return Visits(
            np.concatenate([row.ravel(), row[cut]]),
            np.concatenate([own.ravel(), next_one[cut]]),
            np.concatenate([is_home.ravel(), np.zeros(int(cut.sum()), dtype=bool)]),
        )


def precision(dimensions: int) -> npt.DTypeLike:
    """What vectors are sent in. Half of it shifts a cosine of many dimensions by some 1e-5."""
    return np.float16 if dimensions >= 128 else np.float32


def sample_size(rows: int, dimensions: int) -> int:
    """How many of so many different rows are to be drawn to learn cells from."""
    bound = 64_000_000 // (2 * dimensions)
    return min(rows, bound, SAMPLE_A_CELL * max(1, int(sqrt(rows))))


def learn(sample: Vectors, rows: int) -> Cells:
    """The cells of `rows` vectors, from some of them of length 1: (sample, d), in a fixed order.

    >>> learn(np.eye(3, dtype=np.float32), 3).centres.shape
    (1, 3)
    """
    with one_thread_each() as pool:
        return pool.submit(_learn, sample, rows).result()


def nearest_centres(vectors: Vectors, centres: Vectors, count: int) -> Places:
    """The nearest centres of each vector, nearest first: (rows, count), fewer if there are fewer.

    They are searched for in blocks of one shape, so that a row has the same ones in any company.
    """
    faiss = load_faiss()
    faiss.omp_set_num_threads(1)
    count = min(count, len(centres))
    found = np.empty((len(vectors), count), dtype=np.int64)
    for at in range(0, len(vectors), _BLOCK):
        part = vectors[at : at + _BLOCK]
        block = np.zeros((_BLOCK, vectors.shape[1]), dtype=np.float32)
        block[: len(part)] = part
        places = faiss.knn(block, centres, count, metric=faiss.METRIC_INNER_PRODUCT)[1]
        found[at : at + _BLOCK] = places[: len(part)]
    return found


def _learn(sample: Vectors, rows: int) -> Cells:
    load_faiss().omp_set_num_threads(1)
    most = MOST_BYTES // (2 * sample.shape[1])
    count = max(1, min(int(sqrt(rows)), len(sample) // FEWEST_A_CELL, most))
    is_part = rows > len(sample)
    step = max(_LEFT_OUT if is_part else 1, len(sample) // _TESTED)
    known = np.delete(sample, slice(None, None, step), axis=0) if is_part else sample
    centres = _centres(known, count)
    for _ in range(_ROUNDS):
        cell = nearest_centres(known, centres, 1)[:, 0]
        finer = _cut_again(known, cell, centres, most)
        if len(finer) == len(centres):
            break
        centres = finer
    centres = centres.astype(np.float16).astype(np.float32)
    home = nearest_centres(sample, centres, 1)[:, 0]
    expected = np.bincount(home, minlength=len(centres)) * (rows / len(sample))
    parts = np.maximum(np.ceil(expected / MOST_MEMBERS), 1).astype(np.int64)
    return Cells(centres.astype(np.float16), parts, 1, step)


def _centres(vectors: Vectors, count: int) -> Vectors:
    faiss = load_faiss()
    dimensions = vectors.shape[1]
    means = faiss.Clustering(dimensions, count)
    means.niter, means.seed, means.spherical, means.verbose = 5, 0, True, False
    means.min_points_per_centroid = 1
    means.max_points_per_centroid = max(1, ceil(len(vectors) / count))
    means.train(np.ascontiguousarray(vectors), faiss.IndexFlatIP(dimensions))
    found: Vectors = faiss.vector_to_array(means.centroids).reshape(count, dimensions)
    return found


def _cut_again(sample: Vectors, cell: Places, centres: Vectors, most: int) -> Vectors:
    """The centres, those of cells that hold far more than others replaced by several."""
    held = np.bincount(cell, minlength=len(centres))
    mean = len(sample) / len(centres)
    large = np.flatnonzero(held > max(_LARGE * mean, 2 * FEWEST_A_CELL))
    kept = np.ones(len(centres), dtype=bool)
    added: list[Any] = []
    for each in large.tolist():
        wanted = int(min(ceil(held[each] / mean), held[each] // FEWEST_A_CELL))
        if len(centres) + sum(map(len, added)) + wanted > most:
            break
        own = sample[cell == each]
        found = np.unique(_centres(own, wanted), axis=0)
        if len(found) > 1:
            kept[each] = False
            added.append(found)
    return np.concatenate([centres[kept], *added])


def _alike(sample: Vectors, step: int, centres: Vectors, threshold: float) -> int:
    """How many cells have to be looked into, tried with neighbours that are made.

    The neighbour of a row lies towards another row of the sample, just as far as `threshold`.
    Two rows have met where one of them looks into the cell of the other.
    """
    if len(centres) == 1 or threshold >= 1:
        return 1
    rows, others = sample[::step], np.roll(sample, 1, axis=0)[::step]
    across = others - (others * rows).sum(axis=1, keepdims=True) * rows
    length = np.linalg.norm(across, axis=1, keepdims=True)
    across = across / np.maximum(length, 1e-6)
    made = threshold * rows + np.float32(sqrt(1 - threshold**2)) * across
    most = min(MOST_PROBES, len(centres))
    mine, its = nearest_centres(rows, centres, most), nearest_centres(made, centres, most)
    return _fewest((mine == its[:, :1]) | (its == mine[:, :1]), RECALL)


def _nearest(sample: Vectors, step: int, centres: Vectors, k: int) -> int:
    """How many cells have to be looked into, tried with the sample's own neighbours."""
    faiss = load_faiss()
    faiss.omp_set_num_threads(1)
    if len(centres) == 1:
        return 1
    wanted = min(k + 1, len(sample))
    near = faiss.knn(sample[::step], sample, wanted, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 1:]
    home = nearest_centres(sample, centres, 1)[:, 0]
    most = min(MOST_PROBES_NEAREST, len(centres))
    mine = nearest_centres(sample[::step], centres, most)
    met = mine[:, None, :] == home[near][:, :, None]
    return _fewest(met.reshape(-1, most), RECALL_NEAREST)


def _fewest(met: npt.NDArray[np.bool_], recall: float) -> int:
    """The fewest probes with which so many are met: (neighbours, probes), else all."""
    most = met.shape[1]
    first = np.where(met.any(axis=1), met.argmax(axis=1), most)
    shares = [(first < probes).mean() for probes in range(1, most + 1)]
    return next((at for at, share in enumerate(shares, 1) if share >= recall), most)


def _number(digests: Digests) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each digest as a number."""
    return np.ascontiguousarray(digests[:, :8]).view(">u8")[:, 0].astype(np.uint64)
