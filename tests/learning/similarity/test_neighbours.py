from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from sqlfuncs import work
from sqlfuncs.errors import Cancelled
from sqlfuncs.learning.similarity.neighbours import EXACT_BELOW, Vectors, nearest


def _vectors(rows: int, dimensions: int, centres: int, seed: int = 0) -> Vectors:
    random = np.random.default_rng(seed)
    middle = random.standard_normal((centres, dimensions))
    values = middle[random.integers(centres, size=rows)] + random.standard_normal(
        (rows, dimensions)
    )
    scaled: Vectors = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def _recall(vectors: Vectors, k: int) -> float:
    found = nearest(vectors, k)
    cosines = vectors @ vectors.T
    np.testing.assert_allclose(
        np.take_along_axis(cosines, found.places, axis=1), found.cosines, atol=1e-5
    )
    assert (np.diff(found.cosines, axis=1) <= 0).all()
    assert (found.places != np.arange(len(vectors))[:, None]).all()
    assert all(len(set(row)) == found.places.shape[1] for row in found.places.tolist())
    np.fill_diagonal(cosines, -2)
    true = np.sort(cosines, axis=1)[:, -k]
    return float((found.cosines >= true[:, None] - 1e-6).mean())


@pytest.mark.parametrize("dimensions", [3, 47, 64])
@pytest.mark.parametrize("centres", [1, 40])
def test_an_index_finds_what_comparing_all_finds(dimensions: int, centres: int) -> None:
    vectors = _vectors(EXACT_BELOW + 1000, dimensions, centres)
    assert _recall(vectors, 10) >= 0.98


def test_few_vectors_are_compared_with_all() -> None:
    assert _recall(_vectors(1500, 8, 5), 10) == 1


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_there_are_no_more_neighbours_than_others(rows: int) -> None:
    assert nearest(_vectors(rows, 4, 1), 10).places.shape == (rows, rows - 1)


def test_the_number_of_threads_does_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = _vectors(EXACT_BELOW + 1000, 64, 40)
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("os.cpu_count", partial(int, threads))
        found.append(nearest(vectors, 10))
    for other in found[1:]:
        assert np.array_equal(other.places, found[0].places)
        assert other.cosines.tobytes() == found[0].cosines.tobytes()


def test_vectors_in_two_places_only_have_neighbours() -> None:
    # The cells nearest to the five hold fewer vectors than are asked for.
    values = np.tile(np.eye(2, 40, dtype=np.float32)[:1], (EXACT_BELOW + 200, 1))
    values[:5] = np.eye(2, 40)[1]
    values += np.random.default_rng(0).standard_normal(values.shape).astype(np.float32) * 1e-3
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    found = nearest(values, 10)
    assert (found.places >= 0).all()
    assert (found.cosines[:5, :4] > 0.9).all()
    assert (found.cosines[:5, 4:] < 0.1).all()


def test_it_stops_when_it_is_told_to() -> None:
    work.stop()
    with pytest.raises(Cancelled):
        nearest(_vectors(EXACT_BELOW, 64, 40), 10)
    work.resume()
