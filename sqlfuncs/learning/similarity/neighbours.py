"""The nearest neighbours of vectors by cosine, from an inverted-file index (faiss).

Vectors are cut into cells (k-means), each kept as a product-quantised code of 4 bits for two
dimensions (Jégou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI
2011). A query scans the codes of the cells nearest to it and computes the cosines of the best
candidates exactly. How many cells and candidates: as few as reach `RECALL` on a sample of the
rows, whose neighbours are found by comparing them with everything.

Every call of faiss runs in one thread on a batch of fixed content, and several run at once, so
the number of threads changes nothing. Neither does the order of rows: see `neighbourhood`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning.similarity.one_thread import load_faiss, one_thread_each

Vectors = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

RECALL = 0.99  # of the sample's neighbours; leaves room for chance above the .98 that is promised
EXACT_BELOW = 4096  # vectors: comparing all with all is then faster than building an index
_SAMPLE = 256
_BATCH = 1024
_TRAIN_PER_CELL = 40
_CANDIDATES = (100, 200, 400)
_PROBES = (4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_QUANTISED_ABOVE = 32  # dimensions


@dataclass(frozen=True)
class Nearest:
    """The nearest others of each vector, nearest first.

    `places` (vectors, k): which ones; `cosines` (vectors, k) of -1 .. 1. k is smaller than was
    asked for where there are fewer others.
    """

    places: Places
    cosines: Vectors


def nearest(vectors: Vectors, k: int) -> Nearest:
    """The `k` nearest others of each of some vectors of length 1: (n, d) float32, no two equal.

    >>> nearest(np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32), 1).places.tolist()
    [[1], [2], [1]]
    """
    k = min(k, len(vectors) - 1)
    if k < 1:
        return Nearest(
            np.empty((len(vectors), 0), np.int64), np.empty((len(vectors), 0), np.float32)
        )
    with one_thread_each() as pool:
        if len(vectors) < EXACT_BELOW:
            search, order = _exact(vectors), np.arange(len(vectors))
        else:
            search, order, vectors = pool.submit(_index, vectors, k).result()
        places = np.empty((len(vectors), k), dtype=np.int64)
        cosines = np.empty((len(vectors), k), dtype=np.float32)
        starts = range(0, len(vectors), _BATCH)
        found = pool.map(lambda at: _others(search, vectors, at, k), starts)
        with work.task("finding neighbours", len(starts)) as task:
            for at, (batch, closeness) in zip(starts, found, strict=True):
                rows = order[at : at + _BATCH]
                places[rows], cosines[rows] = order[batch], closeness
                task.advance()
    return Nearest(places, np.clip(cosines, -1, 1))


Search = Callable[[Vectors, int], tuple[Vectors, Places]]


def _exact(vectors: Vectors) -> Search:
    faiss = load_faiss()

    def search(queries: Vectors, count: int) -> tuple[Vectors, Places]:
        found: tuple[Vectors, Places] = faiss.knn(
            queries, vectors, count, metric=faiss.METRIC_INNER_PRODUCT
        )
        return found

    return search


def _others(search: Search, vectors: Vectors, at: int, k: int) -> tuple[Places, Vectors]:
    """The neighbours of a batch that are not the rows themselves."""
    queries = vectors[at : at + _BATCH]
    cosines, places = search(queries, k + 1)
    own = places == np.arange(at, at + len(queries))[:, None]
    own[~own.any(axis=1), k] = True  # it was not found itself: the farthest one has to go
    shape = (len(queries), k)
    return places[~own].reshape(shape), cosines[~own].reshape(shape)


def _index(vectors: Vectors, k: int) -> tuple[Search, Places, Vectors]:
    """A search, the order in which it knows the vectors, and the vectors in that order.

    Vectors of one cell stand together, which makes searching for all of them faster.
    """
    faiss = load_faiss()
    count, dimensions = vectors.shape
    cells = faiss.IndexFlatIP(dimensions)
    n_cells = int(np.sqrt(count))
    means = faiss.Clustering(dimensions, n_cells)
    means.niter, means.seed, means.spherical, means.verbose = 5, 0, True, False
    means.min_points_per_centroid = 1
    step = max(1, count // (n_cells * _TRAIN_PER_CELL))
    means.train(np.ascontiguousarray(vectors[::step]), cells)
    blocks = range(0, count, _BATCH)
    cell = np.empty(count, dtype=np.int64)
    for at in blocks:
        work.check()
        cell[at : at + _BATCH] = cells.search(vectors[at : at + _BATCH], 1)[1][:, 0]
    order = np.argsort(cell, kind="stable")
    codes = _inverted_file(cells, n_cells, vectors[:: max(1, count // 4096)])
    exact = faiss.IndexFlatIP(dimensions)
    for at in blocks:
        work.check()
        block = vectors[order[at : at + _BATCH]]
        codes.add(block)
        exact.add(block)
    return _tuned(codes, exact, k), order, _contents(exact)


def _contents(exact: Any) -> Vectors:
    """The vectors in an index, not copied; they live as long as the index does."""
    held: Vectors = load_faiss().rev_swig_ptr(exact.get_xb(), exact.ntotal * exact.d)
    return held.reshape(exact.ntotal, exact.d)


def _inverted_file(cells: Any, n_cells: int, sample: Vectors) -> Any:
    faiss = load_faiss()
    dimensions = sample.shape[1]
    metric = faiss.METRIC_INNER_PRODUCT
    if dimensions <= _QUANTISED_ABOVE:
        index = faiss.IndexIVFFlat(cells, dimensions, n_cells, metric)
    else:
        # Codes of two dimensions each, or of one where their number is odd.
        parts = dimensions // 2 if dimensions % 2 == 0 else dimensions
        index = faiss.IndexIVFPQFastScan(cells, dimensions, n_cells, parts, 4, metric)
        index.pq.cp.niter, index.pq.cp.seed = 5, 0
        index.pq.cp.max_points_per_centroid = 64
    index.train(np.ascontiguousarray(sample))
    return index


def _tuned(codes: Any, exact: Any, k: int) -> Search:
    """The cheapest search that finds `RECALL` of a sample's neighbours, or the most thorough."""
    faiss = load_faiss()
    refined = faiss.IndexRefine(codes, exact)
    sample = np.ascontiguousarray(_contents(exact)[:: max(1, exact.ntotal // _SAMPLE)])
    farthest = exact.search(sample, k + 1)[0][:, -1:] - 1e-6  # as near as that is near enough

    def search(queries: Vectors, count: int) -> tuple[Vectors, Places]:
        cosines, places = refined.search(queries, count)
        short = (places < 0).any(axis=1)  # the cells nearest to these hold too few vectors
        if short.any():
            cosines[short], places[short] = exact.search(queries[short], count)
        return cosines, places

    # The cosines are exact already where the codes are the vectors themselves.
    candidates = _CANDIDATES if isinstance(codes, faiss.IndexIVFPQFastScan) else (0,)
    for probes in [*(n for n in _PROBES if n < codes.nlist), codes.nlist]:
        codes.nprobe = probes
        for wanted in candidates:
            work.check()
            refined.k_factor = max(wanted / (k + 1), 2.0)
            if (search(sample, k + 1)[0] >= farthest).mean() >= RECALL:
                return search
    return search
