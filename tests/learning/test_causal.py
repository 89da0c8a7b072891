from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sqlfuncs.learning import encoders
from sqlfuncs.learning.batches import Vectors
from sqlfuncs.learning.causal import is_causal
from sqlfuncs.learning.encoders import Encoder
from sqlfuncs.store import weights
from tests.conftest import needs_local, needs_smollm2

TEXTS = ["Where is my parcel?", "!", "日本語のテキスト", "nul \0", "word " * 400, *"abcdefghijk"]


@cache
def _encoder() -> Encoder:
    return encoders.encoder("smollm2")


def _embed(texts: list[str]) -> Vectors:
    out = np.full((len(texts), 1152), np.nan, dtype=np.float32)
    for places, vectors in _encoder().encode(texts):
        out[places] = vectors
    return out


@needs_smollm2
def test_a_text_gets_two_parts_of_middle_layers() -> None:
    assert _encoder().parts == 2
    vectors = _embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 2 * 576)
    assert np.isfinite(vectors).all()
    # The mean over the tokens and the last token are not the same.
    mean, last = np.split(vectors, 2, axis=1)
    assert (np.abs(mean - last).max(axis=1) > 0.1).all()


@needs_smollm2
def test_neither_order_nor_neighbours_change_a_bit() -> None:
    vectors = _embed(TEXTS)
    shuffle = np.random.default_rng(0).permutation(len(TEXTS))
    assert _embed([TEXTS[at] for at in shuffle]).tobytes() == vectors[shuffle].tobytes()
    assert _embed([TEXTS[0]])[0].tobytes() == vectors[0].tobytes()


@needs_smollm2
def test_tone_is_in_there() -> None:
    """A cosine of centred vectors is higher between requests of one tone than between tones."""
    polite = ["Could you please have a look?", "Thank you so much, would you mind helping me?"]
    rude = ["What is wrong with you, fix this now!", "Are you stupid? Stop it right now!"]
    vectors = _embed([*polite, *rude])[:, 576:]
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    assert min(cosines[0, 1], cosines[2, 3]) > cosines[:2, 2:].max()


@needs_local
def test_what_is_a_causal_model() -> None:
    sentence = weights.local("minilm")
    assert sentence is not None
    assert not is_causal(sentence.folder)


@needs_smollm2
def test_best_reads_with_both() -> None:
    names = [encoder.name for encoder in encoders.for_model("best")]
    assert names == [weights.MINILM, weights.SMOLLM2]


@needs_local
def test_best_without_the_small_model_reads_as_fast_and_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path))
    assert [encoder.name for encoder in encoders.for_model("best")] == [weights.MINILM]
    assert "sqlfuncs models fetch smollm2" in capsys.readouterr().err
