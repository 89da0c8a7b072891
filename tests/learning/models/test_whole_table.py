"""Tables of very many rows are judged by what a sample of them teaches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sqlfuncs.errors import TooManyClasses
from sqlfuncs.learning.features.features import VectorFeatures
from sqlfuncs.learning.models import shares, whole_table
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.shares import Shares
from sqlfuncs.learning.models.whole_table import TablePrediction, judge_table
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from tests.learning.models.test_out_of_sample import TOPICS

CLASSES = 3


def _reasons(count: int) -> np.ndarray:
    return np.full(count, None, dtype=object)


def _vectors(
    count: int, noise: float = 0.1, seed: int = 0, apart: float = 2.4
) -> tuple[Embeddings, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(CLASSES, size=count)
    values = rng.normal(size=(count, 16)) + apart * np.eye(CLASSES, 16)[codes]
    wrong = rng.random(count) < noise
    codes[wrong] = rng.integers(CLASSES, size=int(wrong.sum()))
    return Embeddings(values.astype(np.float32), _reasons(count)), codes


def _judge(
    rows: Embeddings | Texts, codes: np.ndarray, width: int = CLASSES, **more: bool
) -> TablePrediction:
    return judge_table(rows, ClassTarget(codes, width), "fast", None, folds=5, seed=0, **more)


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 1_500)
    monkeypatch.setattr(shares, "CLASS_ROWS", 60)
    yield


def test_a_sample_says_nearly_what_all_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, codes = _vectors(6_000)
    whole = _judge(rows, codes)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 1_500)
    part = _judge(rows, codes)
    assert (whole.probs.argmax(axis=1) == part.probs.argmax(axis=1)).mean() > 0.97
    assert np.abs(whole.probs - part.probs).mean() < 0.03
    assert np.abs(whole.probs - part.probs).max() > 1e-6  # it is no more than a sample


@pytest.mark.usefixtures("small_sample")
def test_a_shuffle_changes_no_bit() -> None:
    rows, codes = _vectors(3_000)
    rows.values[1_500:1_600] = rows.values[:100]  # copies
    whole = _judge(rows, codes)
    shuffle = np.random.default_rng(1).permutation(len(codes))
    again = _judge(rows.take(shuffle), codes[shuffle])
    assert again.probs.tobytes() == whole.probs[shuffle].tobytes()
    assert (again.outvoted == whole.outvoted[shuffle]).all()


@pytest.mark.usefixtures("small_sample")
def test_no_row_is_judged_by_heads_that_saw_it() -> None:
    # More numbers than rows: a head that saw a row gives it its label, whatever that is.
    rng = np.random.default_rng(0)
    rows = Embeddings(rng.normal(size=(2_000, 3_000)).astype(np.float32), _reasons(2_000))
    codes = rng.integers(2, size=2_000)
    told = _judge(rows, codes, 2)
    assert 0.45 < (told.probs.argmax(axis=1) == codes).mean() < 0.55


@pytest.mark.usefixtures("small_sample")
def test_a_rare_class_is_learned_and_takes_no_more_room_than_it_has() -> None:
    rows, codes = _vectors(12_000, noise=0, apart=5.0)
    rare = np.flatnonzero(codes == 2)
    kept = np.sort(np.concatenate([np.flatnonzero(codes != 2), rare[:80]]))
    rows, codes = rows.take(kept), codes[kept]
    told = _judge(rows, codes)
    predicted = told.probs.argmax(axis=1)
    assert (predicted[codes == 2] == 2).mean() > 0.8
    assert abs(told.probs[:, 2].mean() - 80 / len(codes)) < 0.01


@pytest.mark.usefixtures("small_sample")
def test_a_class_whose_rows_are_alike_is_not_judged() -> None:
    rows, codes = _vectors(3_000)
    lonely = np.full(len(codes) + 1, CLASSES)
    lonely[:-1] = codes
    values = np.vstack([rows.values, np.full((1, 16), 9, dtype=np.float32)])
    told = _judge(Embeddings(values, _reasons(len(lonely))), lonely, CLASSES + 1)
    assert [why is None for why in told.reasons] == [True] * len(codes) + [False]


@pytest.mark.usefixtures("small_sample")
def test_copies_are_counted_among_all_rows() -> None:
    rows, codes = _vectors(3_000)
    rows.values[:40] = rows.values[0]
    codes[:40] = 1
    codes[7] = 2
    told = _judge(rows, codes)
    assert np.flatnonzero(told.outvoted).tolist() == [7]
    assert told.probs[7].argmax() == 1


@pytest.mark.usefixtures("small_sample")
def test_rows_without_a_label_are_judged_and_teach_nothing() -> None:
    rows, codes = _vectors(3_000, noise=0)
    unlabeled = codes.copy()
    unlabeled[::3] = -1
    told = _judge(rows, unlabeled)
    assert (told.probs.argmax(axis=1) == codes)[::3].mean() > 0.9


@pytest.mark.usefixtures("small_sample")
def test_texts_too() -> None:
    codes = np.arange(2_400) % 3
    texts = [f"{TOPICS[code]} {at // 3}" for at, code in enumerate(codes)]
    codes[5] = 1
    told = _judge(Texts(texts, _reasons(len(texts))), codes)
    assert np.flatnonzero(told.probs.argmax(axis=1) != codes).tolist() == [5]


def test_who_is_drawn_depends_on_a_row_alone() -> None:
    groups = [f"{number}".encode() for number in range(250_000)]
    strata = np.zeros(len(groups), dtype=np.int64)
    strata[:1_200] = 1
    sampled = Shares.of(np.bincount(strata), len(groups))
    drawn, weights = sampled.drawn(groups, strata, 0), sampled.weights(strata)
    common = sampled.common_ones(groups, 0)
    assert weights is not None
    assert drawn[1_200:].mean() == pytest.approx(0.8, abs=0.005)
    assert drawn[:1_200].sum() == pytest.approx(1_000, abs=50)  # 960 by the rate of the others
    assert weights[1_200:].tolist() == [1.0] * (len(groups) - 1_200)
    assert weights[0] * drawn[:1_200].sum() == pytest.approx(960, abs=50)
    assert not (common & ~drawn).any()
    shuffle = np.random.default_rng(0).permutation(len(groups))
    again = sampled.drawn([groups[at] for at in shuffle], strata[shuffle], 0)
    assert (again == drawn[shuffle]).all()
    other = sampled.drawn(groups, strata, 1)
    assert (other != drawn).mean() > 0.2


@pytest.mark.parametrize("count", [7, 40, 300])
def test_heads_that_are_kept_say_what_was_said(count: int) -> None:
    rows, codes = _vectors(count, seed=count)
    told = _judge(rows, codes, keeps_heads=True)
    assert told.fitted is not None
    restored = CrossFitted.from_files(told.fitted.to_files())
    assert isinstance(restored.features, VectorFeatures)
    assert restored.predict(rows) == pytest.approx(told.probs, abs=1e-9)
    shuffle = np.random.default_rng(1).permutation(count)
    assert restored.predict(rows.take(shuffle)) == pytest.approx(told.probs[shuffle], abs=1e-9)


def test_rows_of_a_fold_that_was_empty_are_judged_by_heads_of_all() -> None:
    rows, codes = _vectors(12, noise=0, apart=8.0)
    told = judge_table(
        rows, ClassTarget(codes, CLASSES), "fast", None, folds=400, seed=0, keeps_heads=True
    )
    assert told.fitted is not None
    others, true = _vectors(200, noise=0, seed=9, apart=8.0)
    probs = told.fitted.predict(others)  # nearly all of them in folds that have no row
    assert probs.sum(axis=1) == pytest.approx(np.ones(200))
    assert (probs.argmax(axis=1) == true).mean() > 0.8


def test_rows_times_classes_beyond_memory_are_offered_a_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole_table, "MOST_PROBABILITIES", 1_000)
    rows, codes = _vectors(400)
    with pytest.raises(TooManyClasses) as raised:
        _judge(rows, codes)
    message = str(raised.value)
    assert "from 333 rows or fewer" in message
    assert "judge_labels(x, label, judge := 'name')" in message
