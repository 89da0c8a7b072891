from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlfuncs import work
from sqlfuncs.errors import BadInput, Cancelled, DamagedModel
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.features import features
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.fast import FastModel
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from tests.conftest import needs_local

WORDS = ("parcel", "money", "password", "🎈", "naïve", "half \ud83c", "nul \0", "it's")


def _none(count: int) -> np.ndarray:
    return np.full(count, None, dtype=object)


def _texts(count: int) -> Texts:
    values = [f"{WORDS[at % 3]} {WORDS[at % 7]} {WORDS[at % len(WORDS)]}" for at in range(count)]
    return Texts([value.replace("\ud83c", "") for value in values], _none(count))


def _vectors(count: int, dimensions: int = 8, seed: int = 0) -> Embeddings:
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, dimensions)) * 3 + np.arange(count)[:, None] % 3
    return Embeddings(values, _none(count))


def _trained(rows: Texts | Embeddings, classes: int = 3) -> FastModel:
    learned, views = rows.features("fast")
    assert isinstance(learned, features.Features)
    return fast.fit(
        learned,
        views,
        ClassTarget(np.arange(len(rows.values)) % classes, classes),
        Pool.even(len(views)),
    )


def _without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "is_available", lambda: False)


@pytest.mark.parametrize("encoder", [True, False])
def test_a_stored_model_of_texts_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, encoder: bool
) -> None:
    if not encoder:
        _without_encoder(monkeypatch)
    model = _trained(_texts(60))
    restored = FastModel.from_files(model.to_files())
    unseen = Texts(["where is my money", "🎈", "!", "parcel parcel", *_texts(9).values], _none(13))
    before, after = model.predict(unseen), restored.predict(unseen)
    assert before.tobytes() == after.tobytes()
    assert before.sum(axis=1) == pytest.approx(np.ones(13))
    assert FastModel.from_files(restored.to_files()).to_files() == model.to_files()


@pytest.mark.parametrize("seed", range(5))
def test_a_stored_model_of_embeddings_gives_the_same_bits(seed: int) -> None:
    model = _trained(_vectors(60, seed=seed))
    restored = FastModel.from_files(model.to_files())
    unseen = _vectors(50, seed=seed + 100)
    before, after = model.predict(unseen), restored.predict(unseen)
    assert before.tobytes() == after.tobytes()
    assert before.sum(axis=1) == pytest.approx(np.ones(50))


def test_files_are_not_pickles() -> None:
    files = _trained(_vectors(20)).to_files()
    assert set(files) == {"fast.json", "fast.safetensors"}
    assert all(not content.startswith(b"\x80") for content in files.values())


def test_the_probabilities_of_a_row_do_not_depend_on_its_neighbours() -> None:
    for rows in (_texts(40), _vectors(40)):
        model = _trained(rows)
        together = model.predict(rows)
        for at in (0, 7, 39):
            alone = (
                Texts([rows.values[at]], _none(1))
                if isinstance(rows, Texts)
                else Embeddings(rows.values[at : at + 1], _none(1))
            )
            assert model.predict(alone)[0] == pytest.approx(together[at], abs=1e-6)


def test_a_model_refuses_what_it_was_not_trained_on() -> None:
    of_vectors = _trained(_vectors(20))
    with pytest.raises(BadInput, match="trained on embeddings"):
        of_vectors.predict(_texts(2))
    with pytest.raises(BadInput, match="of 8 dimensions; these have 4"):
        of_vectors.predict(_vectors(2, dimensions=4))
    of_texts = _trained(_texts(20))
    with pytest.raises(BadInput, match="trained on text"):
        of_texts.predict(_vectors(2))


def test_identical_vectors_can_be_learned_from() -> None:
    rows = Embeddings(np.ones((12, 3)), _none(12))
    model = _trained(rows, classes=2)
    assert np.isfinite(model.predict(rows)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(2, 5))
def test_no_row_is_judged_by_a_head_that_saw_it(seed: int, classes: int, folds: int) -> None:
    random = np.random.default_rng(seed)
    rows = _vectors(40, dimensions=3, seed=seed)
    codes = random.integers(classes, size=40)
    codes[:classes] = range(classes)
    learned, views = rows.features("fast")
    cut = np.arange(40) % folds
    probs, pool = fast.cross_predict(learned, views, ClassTarget(codes, classes), cut[None])
    assert probs.sum(axis=1) == pytest.approx(np.ones(40))
    # Another label in a row changes nothing about how rows of its own fold are judged, but for
    # the one number by which the head is calibrated.
    changed = codes.copy()
    changed[5] = (changed[5] + 1) % classes
    again, other = fast.cross_predict(learned, views, ClassTarget(changed, classes), cut[None])
    assert isinstance(pool, Pool) and isinstance(other, Pool)
    power = other.inverse_temperature[0] / pool.inverse_temperature[0]
    expected = probs**power / (probs**power).sum(axis=1, keepdims=True)
    same_fold = cut == cut[5]
    assert again[same_fold] == pytest.approx(expected[same_fold], abs=1e-9)
    assert (np.abs(again[~same_fold] - expected[~same_fold]) > 1e-6).any()


def test_it_can_be_stopped() -> None:
    rows = _vectors(40)
    learned, views = rows.features("fast")
    stopper = threading.Thread(target=work.stop)
    stopper.start()
    stopper.join()
    with pytest.raises(Cancelled):
        fast.cross_predict(
            learned, views, ClassTarget(np.arange(40) % 2, 2), np.arange(40)[None] % 5
        )


@needs_local
@pytest.mark.parametrize(
    ("change", "message"),
    [({1: "of others"}, "weights here are others"), ({2: 1}, "another way")],
)
def test_a_model_whose_texts_would_be_read_otherwise_is_refused(
    change: dict[int, object], message: str
) -> None:
    files = _trained(_texts(30)).to_files()
    (known,) = json.loads(files["encoders.json"])
    for place, value in change.items():
        known[place] = value
    with pytest.raises(DamagedModel, match=message):
        FastModel.from_files({**files, "encoders.json": json.dumps([known]).encode()})
    four_heads = b'{"sharpness": [1, 1, 1, 1], "weights": [1, 1, 1, 1]}'
    for about in (b'{"heads": 2}', four_heads):
        with pytest.raises(DamagedModel, match="earlier version"):
            FastModel.from_files({**files, "fast.json": about})
