from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.models.folds import canonical_order, fold_numbers
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts

ROWS = st.lists(st.tuples(st.binary(max_size=2), st.integers(0, 3)), min_size=1, max_size=60)

DIGESTED = st.lists(
    st.tuples(
        st.sampled_from([b"\xff" * 16, b"\0" * 16, b"\0" * 15 + b"a", b"\x80" + b"\0" * 15]),
        st.integers(-1, 3),
    ),
    min_size=1,
    max_size=60,
)


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


@given(st.one_of(ROWS, DIGESTED), st.randoms(use_true_random=False))
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


@given(ROWS, st.integers(2, 7), st.data())
def test_a_row_has_the_fold_in_a_part_of_the_table_that_it_has_in_the_whole(
    rows: list[tuple[bytes, int]], folds: int, data: st.DataObject
) -> None:
    """Unless its class is so small that all of it would share a fold, in either of them."""
    part = data.draw(st.lists(st.sampled_from(rows), min_size=1, unique=True))

    def found(some: list[tuple[bytes, int]]) -> tuple[dict[bytes, int], set[int]]:
        keys, codes = _keys_and_codes(some)
        by_hash = fold_numbers(keys, np.full(len(keys), -1), folds, "s")
        crowded = {code for code in set(codes) if len(set(by_hash[codes == code])) == 1}
        numbers = fold_numbers(keys, codes, folds, "s").tolist()
        return dict(zip(keys, numbers, strict=True)), crowded

    (whole, one), (taken, other) = found(rows), found(part)
    settled = {key for key, _ in part} - {key for key, code in rows if code in one | other}
    assert {key: taken[key] for key in settled} == {key: whole[key] for key in settled}


def test_the_parts_of_a_large_table_have_its_folds() -> None:
    keys = [str(row).encode() for row in range(3000)]
    codes = np.arange(3000) % 3
    whole = fold_numbers(keys, codes, 5, "0")
    for part in np.array_split(np.random.default_rng(0).permutation(3000), 20):
        taken = fold_numbers([keys[row] for row in part], codes[part], 5, "0")
        assert taken.tolist() == whole[part].tolist()


@given(st.integers(2, 10), st.lists(st.integers(1, 6), min_size=2, max_size=6), st.integers(0, 99))
def test_what_is_learned_from_for_each_fold_holds_each_class_of_two_contents(
    folds: int, sizes: list[int], salt: int
) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    keys = [str(row).encode() for row in range(len(codes))]
    numbers = fold_numbers(keys, codes, folds, str(salt))
    for fold in range(folds):
        learned = set(codes[numbers != fold].tolist())
        assert learned >= {code for code, size in enumerate(sizes) if size > 1}


@given(st.integers(3, 7), st.integers(0, 99))
def test_a_class_that_shares_contents_with_others_takes_none_of_them_into_one_fold(
    folds: int, salt: int
) -> None:
    keys = [b"1", b"2", b"2", b"3", b"3", b"4", b"4", b"5"]
    codes = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    numbers = fold_numbers(keys, codes, folds, str(salt))
    assert all(len(set(numbers[codes == code])) == 2 for code in range(4))
    assert all(
        len({n for k, n in zip(keys, numbers, strict=True) if k == key}) == 1 for key in keys
    )


def test_rows_without_a_label_hold_no_class_together() -> None:
    keys = [str(row).encode() for row in range(6)]
    alone = fold_numbers(keys, np.full(6, -1), 2, "0")
    assert alone.tolist() == fold_numbers(keys, np.arange(6), 2, "0").tolist()


def test_folds_are_about_even() -> None:
    keys = [str(row).encode() for row in range(10_000)]
    codes = np.arange(10_000) % 2
    for salt in "abc":
        numbers = fold_numbers(keys, codes, 5, salt)
        for code in range(2):
            counts = np.bincount(numbers[codes == code], minlength=5)
            assert np.abs(counts - 1000).max() < 150  # five standard deviations


def test_another_salt_cuts_otherwise() -> None:
    keys = [str(row).encode() for row in range(200)]
    codes = np.arange(200) % 2
    one, other = (fold_numbers(keys, codes, 5, salt) for salt in ("0.0", "0.1"))
    assert (one == fold_numbers(keys, codes, 5, "0.0")).all()
    assert 0.5 < (one != other).mean() < 1
