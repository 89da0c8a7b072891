"""Rows beside which their copies are counted are judged as in a table that is held."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.detection.copies_rule import CopiesRule, Floats
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.copies import Copies

SHARES = np.array([0.5, 0.3, 0.2])


def _table(seed: int, unlabeled: bool) -> tuple[list[bytes], Codes, Floats]:
    rng = np.random.default_rng(seed)
    content = rng.integers(60, size=200)  # some of them once
    truth = content % 3
    codes = np.where(rng.random(200) < 0.2, rng.integers(3, size=200), truth)
    if unlabeled:
        codes[rng.random(200) < 0.1] = -1
    probs = rng.dirichlet([1, 1, 1], size=60)[content] * 0.7 + 0.3 * np.eye(3)[truth]
    return [b"%d" % each for each in content], codes, probs


def _counts(keys: list[bytes], codes: Codes) -> Floats:
    names = sorted(set(keys))
    counts = np.zeros((len(names), 3))
    place = np.array([names.index(key) for key in keys])
    np.add.at(counts, (place[codes >= 0], codes[codes >= 0]), 1)
    found: Floats = counts[place]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_copies_say_in_one_table(seed: int) -> None:
    keys, codes, probs = _table(seed, unlabeled=seed % 2 == 1)
    labeled = codes >= 0
    some = [key for key, has in zip(keys, labeled, strict=True) if has]
    rule = CopiesRule.learn(some, codes[labeled], probs[labeled], SHARES, "auto", "auto")
    assert rule is not None
    restored = CopiesRule.from_files(rule.to_files())
    assert restored is not None
    nothing = np.zeros(len(codes), dtype=bool)
    judged, unseen, outvoted = restored.judge(codes, probs, nothing, _counts(keys, codes))
    whole = Copies.of(keys, codes, 3)
    np.testing.assert_allclose(judged, whole.judge(probs, rule.prior_strength), rtol=1e-12)
    assert not unseen.any()
    assert (outvoted == (whole.outvoted() & (judged.argmax(axis=1) != codes))).all()
    assert outvoted.any()


def test_what_no_model_knows_is_told_by_copies() -> None:
    keys, codes, probs = _table(0, unlabeled=False)
    rule = CopiesRule.learn(keys, codes, probs, SHARES, "noise_corrected", "auto")
    assert rule is not None
    unseen = np.ones(3, dtype=bool)
    counts = np.array([[3.0, 0, 0], [1, 0, 0], [0, 0, 0]])  # the second is its only row
    judged, left, outvoted = rule.judge(np.array([0, 0, -1]), np.zeros((3, 3)), unseen, counts)
    assert left.tolist() == [False, True, True]
    strength = rule.prior_strength
    assert judged[0] == pytest.approx((np.array([2, 0, 0]) + strength * SHARES) / (2 + strength))
    assert not outvoted.any()


def test_without_copies_there_is_no_rule() -> None:
    keys = [b"a", b"b", b"c", b"d"]
    codes = np.array([0, 1, 0, 1])
    probs = np.eye(2)[codes] * 0.8 + 0.1
    assert CopiesRule.learn(keys, codes, probs, SHARES[:2], "auto", "auto") is None
    assert CopiesRule.from_files({}) is None
