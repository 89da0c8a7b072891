from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.features.features import VectorFeatures
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.shares_target import SharesTarget


def _rows(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    codes = np.arange(count) % 2
    return (random.standard_normal((count, 3)) + 6 * np.eye(3)[codes]).astype(np.float32), codes


def test_one_label_a_row_is_what_classes_are() -> None:
    vectors, codes = _rows()
    learned, (view,) = VectorFeatures.learn(vectors)
    shares = SharesTarget(np.eye(2)[codes], 2)
    one = shares.fit(learned, 0, view, None).predict(view)
    other = ClassTarget(codes, 2).fit(learned, 0, view, None).predict(view)
    assert one == pytest.approx(other, abs=1e-3)
    assert shares.strata.tolist() == codes.tolist()


def test_a_head_foretells_how_labels_are_shared() -> None:
    vectors, codes = _rows()
    shares = SharesTarget(np.array([[0.5, 0.5, 0], [0.1, 0.1, 0.8]])[codes], 3)
    learned, (view,) = VectorFeatures.learn(vectors)
    said = shares.fit(learned, 0, view, None).predict(view)
    assert said[codes == 0].mean(axis=0) == pytest.approx([0.5, 0.5, 0], abs=0.05)
    assert said[codes == 1].mean(axis=0) == pytest.approx([0.1, 0.1, 0.8], abs=0.05)
    pool = shares.pool([said, np.full(said.shape, 1 / 3)])
    assert pool.weights[0] > 0.9


def test_rows_without_a_label_are_known_as_such_and_equal_shares_are_one_rank() -> None:
    target = SharesTarget(np.array([[0.5, 0.5], [0, 0], [0.2, 0.8], [0.5, 0.5]]), 2)
    assert target.strata.tolist() == [0, -1, 1, 0]
    ranks = target.ranks
    assert ranks[1] == -1
    assert ranks[0] == ranks[3] != ranks[2]
    assert target.chosen(np.array([2])).shares.tolist() == [[0.2, 0.8]]


def test_rows_count_as_they_are_weighed() -> None:
    vectors, codes = _rows(100)
    same = np.zeros_like(vectors)
    shares = SharesTarget(np.eye(2)[codes], 2)
    learned, (view,) = VectorFeatures.learn(same)
    weights = np.where(codes == 0, 3.0, 1.0).astype(np.float32)
    said = shares.fit(learned, 0, view, weights).predict(view)
    assert said[0] == pytest.approx([0.75, 0.25], abs=0.02)
