from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.models.copies import ACCIDENTAL, Copies


def _judged(
    contents: str, codes: list[int], probs: np.ndarray, prior_strength: float | None = None
) -> np.ndarray:
    keys, given = [content.encode() for content in contents], np.array(codes)
    return Copies.of(keys, given, probs.shape[1]).judge(probs, prior_strength)


def test_a_row_is_left_out_of_its_own_evidence() -> None:
    probs = np.full((5, 2), 0.5)
    judged = _judged("aaaab", [0, 0, 0, 1, 0], probs, prior_strength=2.0)
    assert judged[:3, 0] == pytest.approx([(2 + 1) / 5] * 3)
    assert judged[3, 1] == pytest.approx(1 / 5)
    assert judged[4].tolist() == [0.5, 0.5]
    assert (probs == 0.5).all()


def test_rows_without_a_label_teach_nothing_and_are_judged_by_all() -> None:
    judged = _judged("aaabb", [0, 0, -1, -1, 1], np.full((5, 2), 0.5), prior_strength=2.0)
    assert judged[:, 0] == pytest.approx([2 / 3, 2 / 3, 3 / 4, 1 / 3, 0.5])


def test_of_an_even_split_the_model_decides_and_never_flags_both() -> None:
    for word in (0.5, 0.7, 0.9):
        judged = _judged("aa", [0, 1], np.array([[word, 1 - word]] * 2), prior_strength=1.0)
        assert judged[0].argmax() == 0
        assert (judged[1].argmax() == 1) == (word == 0.5)
        assert judged.sum(axis=1) == pytest.approx([1, 1])
    split = _judged("a" * 20, [0, 1] * 10, np.full((20, 2), 0.5), prior_strength=1.0)
    assert split.argmax(axis=1).tolist() == [0, 1] * 10
    assert np.abs(split - 0.5).max() < 1e-5


def test_a_model_that_knows_nothing_of_copies_is_believed_less_than_one_that_does() -> None:
    random = np.random.default_rng(1)
    true = np.repeat(random.integers(3, size=60), 6)
    given = np.where(random.random(360) < 0.1, random.integers(3, size=360), true)
    keys = [b"%d" % (row // 6) for row in range(360)]
    copies = Copies.of(keys, given, 3)
    knows, errs = np.eye(3)[true] * 0.85 + 0.05, np.eye(3)[(true + 1) % 3] * 0.85 + 0.05
    assert copies.prior_strength(knows) > 10 * copies.prior_strength(errs)
    assert (copies.judge(errs).argmax(axis=1) == true).mean() > 0.98


def test_copies_in_a_table_of_unlike_rows_are_taken_for_accidents() -> None:
    keys = [b"%d" % row for row in range(500)] + [b"0", b"1"]
    codes = np.array([0, 1] * 251)
    prior_strength = Copies.of(keys, codes, 2).prior_strength(np.full((502, 2), 0.5))
    assert prior_strength == pytest.approx(ACCIDENTAL, rel=0.1)


def test_who_is_outvoted() -> None:
    contents = "a" * 5 + "b" * 4 + "c" * 20 + "d"
    codes = [0] * 4 + [1] + [0] * 3 + [1] + [0] * 11 + [1] * 9 + [1]
    keys = [content.encode() for content in contents]
    assert np.flatnonzero(Copies.of(keys, np.array(codes), 2).outvoted()).tolist() == [4]
