"""Cells of vectors, and what is compared within one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sqlfuncs.learning.similarity import cells, in_cell
from sqlfuncs.learning.similarity.cells import DIGEST, Vectors
from sqlfuncs.learning.similarity.outliers import Usual


def vectors(rows: int, dimensions: int = 16, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).standard_normal((rows, dimensions))
    lengths: npt.NDArray[np.float64] = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / lengths).astype(np.float32)


def digests(rows: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(256, size=(rows, DIGEST)).astype(np.uint8)


def test_every_vector_has_one_home_and_looks_into_as_many_cells_as_there_are_probes() -> None:
    held = vectors(2000)
    found = cells.learn(held, 10_000).for_alike(held, 0.9)
    visits = found.visits(held, digests(2000))
    assert found.probes > 1
    assert sorted(visits.row[visits.is_member]) == list(range(2000))
    assert set(np.bincount(visits.row)) == {found.probes}
    home = cells.nearest_centres(held, found.centres.astype(np.float32), 1)[:, 0]
    assert (visits.part[visits.is_member][np.argsort(visits.row[visits.is_member])] == home).all()


def test_vectors_meet_in_any_company() -> None:
    held = vectors(1500)
    centres = held[:40]
    whole = cells.nearest_centres(held, centres, 3)
    assert (cells.nearest_centres(held[700:1300], centres, 3) == whole[700:1300]).all()


def test_near_ones_meet() -> None:
    held = vectors(5000, 32)
    across = vectors(5000, 32, seed=1)
    across -= (across * held).sum(axis=1, keepdims=True) * held
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    near = np.float32(0.9) * held + np.float32(np.sqrt(1 - 0.81)) * across
    found = cells.learn(held, 100_000).for_alike(held, 0.9)
    centres = found.centres.astype(np.float32)
    one, other = (cells.nearest_centres(each, centres, found.probes) for each in (held, near))
    met = (one == other[:, :1]).any(axis=1) | (other == one[:, :1]).any(axis=1)
    assert met.mean() > 0.97


def test_a_crowded_cell_is_cut_and_what_no_centre_tells_apart_is_dealt() -> None:
    crowd = np.repeat(vectors(1), 3000, axis=0)
    found = cells.learn(np.concatenate([vectors(1000), crowd]), 400_000)
    assert found.parts.max() == pytest.approx(300_000 / cells.MOST_MEMBERS, abs=2)
    visits = found.visits(crowd, digests(3000))
    held = np.bincount(visits.part[visits.is_member])
    assert held.max() < 3000 / found.parts.max() * 1.5
    assert np.bincount(visits.row).max() == 2


def test_pairs_within_a_cell_are_those_of_comparing_all() -> None:
    members = vectors(300, 4)
    found = in_cell.pairs(members[100:200], members, 300, 0.9, first=100)
    cosines = members[100:200] @ members.T
    cosines[np.arange(100), np.arange(100, 200)] = -1
    assert sorted(zip(found.query, found.member, strict=True)) == sorted(
        zip(*np.nonzero(cosines >= 0.9), strict=True)
    )
    assert found.best == pytest.approx(cosines.max(axis=1))
    few = in_cell.pairs(members[100:200], members, 2, 0.9, first=100)
    assert np.bincount(few.query).max() == 2
    nearest = in_cell.nearest(members[100:200], members, 5, first=100)
    assert nearest == pytest.approx(-np.sort(-cosines, axis=1)[:, :5])
    assert in_cell.nearest(members[:1], members[:1], 5, first=0).shape == (1, 0)


def test_what_is_usual_among_copies_is_what_is_usual_among_rows() -> None:
    random = np.random.default_rng(0)
    distances, rows = random.random(50), random.integers(1, 6, size=50)
    counted, copied = Usual.learn(distances, rows), Usual.learn(np.repeat(distances, rows))
    assert counted.middle == pytest.approx(copied.middle)
    assert counted.fence == pytest.approx(copied.fence)
