from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sqlfuncs.errors import TooManyClasses
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.folds import fold_numbers
from sqlfuncs.learning.models.out_of_sample import by_models, out_of_sample, prepare
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts

Rows = Texts | Embeddings
TOPICS = ("where is the parcel", "the invoice is wrong", "I forgot my password")


def _none(count: int) -> np.ndarray:
    return np.full(count, None, dtype=object)


def _texts(count: int = 90) -> tuple[Texts, np.ndarray]:
    # Some texts stand there twice, under one label and under two.
    codes = np.arange(count) % 3
    values = [f"{TOPICS[code]} {at // 4}" for at, code in enumerate(codes)]
    codes[::10] = (codes[::10] + 1) % 3
    return Texts(values, _none(count)), codes


def _vectors(count: int = 90) -> tuple[Embeddings, np.ndarray]:
    codes = np.arange(count) % 3
    values = np.random.default_rng(1).normal(size=(count, 6)) + codes[:, None]
    values[count // 2 :: 7] = values[0]
    return Embeddings(values, _none(count)), codes


def _probs(
    rows: Rows, codes: np.ndarray, classes: int = 3, seed: int = 0, folds: int = 5
) -> tuple[np.ndarray, list[str | None]]:
    probs, reasons, _ = out_of_sample(
        prepare(rows, ClassTarget(codes, classes)), folds=folds, seed=seed
    )
    return probs, reasons.tolist()


@pytest.mark.parametrize("case", [_texts, _vectors])
def test_a_shuffle_changes_no_bit(case: Callable[[], tuple[Rows, np.ndarray]]) -> None:
    rows, codes = case()
    probs, _ = _probs(rows, codes)
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(codes)))
    for seed in range(3):
        shuffle = np.random.default_rng(seed).permutation(len(codes))
        again, _ = _probs(rows.take(shuffle), codes[shuffle])
        assert again.tobytes() == probs[shuffle].tobytes()


def test_another_seed_cuts_otherwise() -> None:
    rows, codes = _vectors()
    one, again, other = (_probs(rows, codes, seed=seed)[0] for seed in (0, 0, 1))
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_the_only_row_of_a_class_is_not_judged() -> None:
    rows, codes = _vectors(40)
    codes[17] = 3
    _, reasons = _probs(rows, codes, classes=4)
    assert str(reasons[17]).endswith("has this label, so no model could learn it")
    assert [reason for row, reason in enumerate(reasons) if row != 17] == [None] * 39


def test_a_class_whose_rows_are_all_alike_is_judged_by_them() -> None:
    rows, codes = _texts(40)
    rows.values[5] = rows.values[6] = rows.values[30] = "the same words"
    codes[[5, 6, 30]] = 3
    probs, reasons = _probs(rows, codes, classes=4)
    assert not any(reasons)
    assert probs[[5, 6, 30]].argmax(axis=1).tolist() == [3, 3, 3]


@pytest.mark.parametrize("folds", [2, 5, 100])
def test_two_rows_of_a_class_are_judged_where_folds_allow(folds: int) -> None:
    rows, codes = _vectors(40)
    codes[[3, 4]] = 3
    probs, reasons = _probs(rows, codes, classes=4, folds=folds)
    assert reasons == [None] * 40
    assert np.isfinite(probs).all()


@pytest.mark.parametrize("odd", [1, 5])
def test_nothing_but_one_text(odd: int) -> None:
    rows = Texts(["the same"] * 20, _none(20))
    codes = np.array([0] * (20 - odd) + [1] * odd)
    probs, reasons = _probs(rows, codes, classes=2)
    assert not any(reasons)
    assert (probs.argmax(axis=1) == 0).all()
    assert probs.sum(axis=1) == pytest.approx(np.ones(20))


def test_identical_texts_are_judged_by_each_other_and_by_models_that_saw_neither() -> None:
    rows, codes = _texts()
    twins = (2, 20, 50, 80)
    for at in twins:
        rows.values[at] = rows.values[2]
    codes[list(twins)] = [0, 1, 2, 0]
    probs, _ = _probs(rows, codes)
    assert probs[2].tobytes() == probs[80].tobytes()
    alone, _, _ = by_models(prepare(rows, ClassTarget(codes, 3)), folds=5, seed=0)
    codes[20] = 2
    again, _ = _probs(rows, codes)
    assert again[2, 2] > probs[2, 2]
    folds = fold_numbers(rows.digests(), codes, 5, "0.0")
    assert len(set(folds[list(twins)])) == 1
    assert np.isfinite(alone).all()


def test_some_of_the_rows() -> None:
    texts, vectors = _texts(5)[0], _vectors(5)[0]
    mask = np.array([True, False, False, True, False])
    taken = texts.take(mask)
    assert taken.values == [texts.values[0], texts.values[3]]
    assert np.array_equal(vectors.take([4, 0]).values, vectors.values[[4, 0]])


@pytest.mark.parametrize(
    ("rows", "classes", "says"),
    [
        (1001, 1001, "1,001 different values in 1,001 rows; at most 1,000 can be learned"),
        (1_000_001, 100, "rows times classes may be 100,000,000"),
    ],
)
def test_more_classes_than_can_be_learned_are_refused_at_once(
    rows: int, classes: int, says: str
) -> None:
    vectors = Embeddings(np.zeros((rows, 1), dtype=np.float32), np.full(rows, None))
    with pytest.raises(TooManyClasses, match=says):
        prepare(vectors, ClassTarget(np.arange(rows) % classes, classes))


def test_rows_that_are_equal_are_judged_alike_by_models_that_saw_some_of_them() -> None:
    """In a table of copies these are dealt out one by one: which is in which fold is chance."""
    codes = np.arange(120) % 3
    codes[::11] = (codes[::11] + 1) % 3
    rows = Texts([f"{TOPICS[at % 3]} {at % 12}" for at in range(120)], _none(120))
    probs, _, _ = by_models(prepare(rows, ClassTarget(codes, 3)), folds=5, seed=0)
    for content in range(12):
        for code in range(3):
            same = (np.arange(120) % 12 == content) & (codes == code)
            assert len(np.unique(probs[same], axis=0)) <= 1
