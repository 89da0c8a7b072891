from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.models.folds import canonical_order, fold_numbers
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts

ROWS = st.lists(st.tuples(st.binary(max_size=2), st.integers(0, 3)), min_size=1, max_size=60)


def _keys_and_codes(rows: list[tuple[bytes, int]]) -> tuple[list[bytes], np.ndarray]:
    return [key for key, _ in rows], np.array([code for _, code in rows], dtype=np.int64)


def _none(count: int) -> np.ndarray:
    return np.full(count, None, dtype=object)


def test_digests_tell_contents_apart() -> None:
    values = ["a", "a", "A", "a ", "half \ud83c", "é", "e\u0301"]
    found = Texts(values, _none(len(values))).digests()
    assert found[0] == found[1]
    assert len(set(found)) == len(values) - 1
    vectors = np.array([[1.0, 2], [1, 2], [2, 1]])
    of_vectors = Embeddings(vectors, _none(3)).digests()
    assert of_vectors[0] == of_vectors[1] != of_vectors[2]


@given(ROWS, st.randoms(use_true_random=False))
def test_the_canonical_order_forgets_how_rows_arrived(
    rows: list[tuple[bytes, int]], random: Random
) -> None:
    keys, codes = _keys_and_codes(rows)
    order = canonical_order(keys, codes)
    assert sorted(order) == list(range(len(rows)))
    arrived = [rows[at] for at in order]
    assert arrived == sorted(rows)
    random.shuffle(rows)
    keys, codes = _keys_and_codes(rows)
    assert [rows[at] for at in canonical_order(keys, codes)] == arrived


@given(ROWS, st.integers(2, 7), st.text(max_size=3))
def test_identical_contents_share_a_fold(
    rows: list[tuple[bytes, int]], folds: int, salt: str
) -> None:
    keys, codes = _keys_and_codes(rows)
    numbers = fold_numbers(keys, codes, folds, salt)
    assert numbers.min() >= 0
    assert numbers.max() < folds
    assert len({(key, number) for key, number in zip(keys, numbers, strict=True)}) == len(set(keys))


@given(ROWS, st.integers(2, 7), st.randoms(use_true_random=False))
def test_the_fold_of_a_content_depends_on_the_contents_alone(
    rows: list[tuple[bytes, int]], folds: int, random: Random
) -> None:
    keys, codes = _keys_and_codes(rows)
    before = dict(zip(keys, fold_numbers(keys, codes, folds, "s"), strict=True))
    random.shuffle(rows)
    keys, codes = _keys_and_codes(rows)
    assert dict(zip(keys, fold_numbers(keys, codes, folds, "s"), strict=True)) == before


@given(st.integers(2, 10), st.lists(st.integers(1, 40), min_size=2, max_size=6))
def test_each_class_is_dealt_out_evenly(folds: int, sizes: list[int]) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    keys = [str(row).encode() for row in range(len(codes))]
    numbers = fold_numbers(keys, codes, folds, "0")
    for code in range(len(sizes)):
        counts = np.bincount(numbers[codes == code], minlength=folds)
        assert counts.max() - counts.min() <= 1


def test_another_salt_cuts_otherwise() -> None:
    keys = [str(row).encode() for row in range(200)]
    codes = np.arange(200) % 2
    one, other = (fold_numbers(keys, codes, 5, salt) for salt in ("0.0", "0.1"))
    assert (one == fold_numbers(keys, codes, 5, "0.0")).all()
    assert 0.5 < (one != other).mean() < 1


def test_folds_come_out_even_though_each_class_is_dealt_by_itself() -> None:
    """Six classes of one row each do not all lie in the first fold."""
    keys = [bytes([at]) for at in range(6)]
    for salt in "abc":
        folds = fold_numbers(keys, np.arange(6), 3, salt)
        assert np.bincount(folds, minlength=3).tolist() == [2, 2, 2]
