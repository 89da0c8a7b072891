"""Figures of predicted tags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from sqlfuncs.statistics import tags


@given(st.integers(0, 2**32 - 1))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    actual, said = (random.random((12, 4)) < 0.4 for _ in range(2))
    count = random.integers(1, 4, 12)
    found = tags.evaluate(actual, said, count)
    a, b = (np.repeat(each, count, axis=0).astype(int) for each in (actual, said))
    assert found["n"] == len(a)
    assert found["accuracy"] == pytest.approx(accuracy_score(a, b))
    for name in ("macro", "micro", "weighted"):
        expected = f1_score(a, b, average=name, zero_division=0)
        assert found[f"{name}_f1"] == pytest.approx(expected)
    expected = jaccard_score(a, b, average="samples", zero_division=1)
    assert found["jaccard"] == pytest.approx(expected)


def test_no_tag_at_all() -> None:
    found = tags.evaluate(np.zeros((2, 0), bool), np.zeros((2, 0), bool), np.array([1, 2]))
    assert (found["accuracy"], found["jaccard"], found["macro_f1"]) == (1, 1, 0)
