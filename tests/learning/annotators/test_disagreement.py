from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from sqlfuncs.learning.annotators import annotated, disagreement
from sqlfuncs.learning.annotators.votes import collect


def _items(x: np.ndarray, said: np.ndarray) -> annotated.Annotated:
    """Items of vectors, and what each of some annotators said of each: (items, annotators)."""
    count, voters = said.shape
    fields = {
        "item": pa.array(np.repeat([f"{at:04}" for at in range(count)], voters)),
        "annotator": pa.array(np.tile([f"{at}" for at in range(voters)], count)),
        "label": pa.array(said.ravel().astype(str)),
        "x": pa.array([list(row) for row in np.repeat(x, voters, axis=0)], pa.list_(pa.float32())),
    }
    return annotated.read_with_x(pa.StructArray.from_arrays([*fields.values()], [*fields]))


def test_pairs_are_counted() -> None:
    votes = collect(list("iiiijjk"), list("abcdaba"), list("xxyzxxy"))
    assert votes.disagreement.tolist() == pytest.approx([5 / 6, 0, np.nan], nan_ok=True)


def test_disagreement_that_no_class_tells_is_foretold() -> None:
    # Both classes are as likely everywhere, so that probabilities say nothing: what an item is
    # tells whether its annotators say the same or each something.
    random = np.random.default_rng(1)
    x = random.standard_normal((600, 4)).astype(np.float32)
    divided = x[:, 0] > 0
    alike = np.repeat(random.integers(2, size=(600, 1)), 4, axis=1)
    said = np.where(divided[:, None], random.integers(2, size=(600, 4)), alike)
    found = disagreement.expected(_items(x, said), folds=5, seed=0)
    assert roc_auc_score(divided, found) > 0.9


def test_classes_that_people_mix_up_are_foretold() -> None:
    random = np.random.default_rng(2)
    side = random.normal(size=(600, 1))
    x = np.hstack([side, random.standard_normal((600, 3))]).astype(np.float32)
    said = (side + random.standard_normal((600, 5)) > 0).astype(int)
    items = _items(x, said)
    found = disagreement.expected(items, folds=5, seed=0)
    share = said.mean(axis=1)
    split, clear = np.isin(share, [0.4, 0.6]), np.isin(share, [0, 1])
    assert roc_auc_score(split[split | clear], found[split | clear]) > 0.75


def test_the_votes_on_an_item_do_not_tell_of_itself() -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((400, 8)).astype(np.float32)
    items = _items(x, random.integers(2, size=(400, 3)))
    found = disagreement.expected(items, folds=5, seed=0)
    assert np.corrcoef(found, items.votes.disagreement)[0, 1] < 0.12


def test_where_nobody_labelled_an_item_twice_classes_tell() -> None:
    random = np.random.default_rng(4)
    x = random.standard_normal((300, 2)).astype(np.float32)
    said = (3 * x[:, :1] + random.standard_normal((300, 1)) > 0).astype(int)
    found = disagreement.expected(_items(x, said), folds=5, seed=0)
    near = np.abs(x[:, 0]) < 0.2
    assert found[near].mean() > 2 * found[~near].mean()
