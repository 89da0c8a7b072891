from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.heads import one_thread


def _case(classes: int, rows: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    codes = random.integers(classes, size=rows)
    return (codes[:, None] + random.normal(size=(rows, 5))).astype(np.float32), codes


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_it_is_scikit_learns_logistic_regression(classes: int) -> None:
    features, codes = _case(classes)
    features /= np.sqrt((features**2).sum(axis=1).mean())
    head = heads.fit(features, codes, classes, 2.0)
    reference = LogisticRegression(C=2.0, max_iter=200, tol=1e-6).fit(features, codes)
    assert head.predict(features) == pytest.approx(reference.predict_proba(features), abs=2e-2)


@pytest.mark.parametrize("classes", [30, 100, 400])
def test_many_classes_are_learned_too(classes: int) -> None:
    """What a step of the fit changes of each class is the less, the more there are."""
    random = np.random.default_rng(0)
    codes = np.repeat(np.arange(classes), 12)
    features = random.normal(size=(classes, 64))[codes] + random.normal(size=(len(codes), 64))
    features /= np.sqrt((features**2).sum(axis=1).mean())
    seen = random.random(len(codes)) < 0.8
    head = heads.fit(features[seen].astype(np.float32), codes[seen], classes, 0.5)
    right = head.predict(features[~seen]).argmax(axis=1) == codes[~seen]
    assert right.mean() > 0.8


def test_sparse_features_give_what_dense_ones_give() -> None:
    features, codes = _case(3)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    dense = heads.fit(features, codes, 3, 0.5).predict(features)
    sparse = heads.fit(csr_matrix(features), codes, 3, 0.5).predict(csr_matrix(features))
    assert sparse == pytest.approx(dense, abs=5e-2)


@pytest.mark.parametrize("present", [(1,), (0, 2), (0, 1, 3)])
def test_a_class_that_no_row_has_gets_no_probability(present: tuple[int, ...]) -> None:
    features, codes = _case(len(present))
    probs = heads.fit(features, np.array(present)[codes], 4, 2.0).predict(features)
    assert probs.shape == (len(features), 4)
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(features)))
    absent = sorted(set(range(4)) - set(present))
    assert (probs[:, absent] == 0).all()
    assert (probs[:, list(present)] > 0).all()


def test_a_fit_that_is_cut_short_says_nothing_of_scikit_learn() -> None:
    features, codes = _case(7)
    with one_thread():
        heads.fit(features * 10, codes, 7, 2.0)


def test_scores_that_are_huge_stay_probabilities() -> None:
    head = heads.Head(np.array([[1e4, -1e4]], dtype=np.float32), np.zeros(2, dtype=np.float32))
    assert head.predict(np.array([[1.0], [-1.0]])).tolist() == [[1, 0], [0, 1]]


def test_the_same_rows_give_the_same_bits() -> None:
    features, codes = _case(4)
    with one_thread():
        one, other = (heads.fit(features, codes, 4, 2.0) for _ in range(2))
    assert one.weights.tobytes() == other.weights.tobytes()
    assert one.bias.tobytes() == other.bias.tobytes()
