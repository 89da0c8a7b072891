from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.causal import is_causal
from sqlfuncs.learning.encoders.encoders import Encoder
from sqlfuncs.store import weights
from tests.conftest import needs_local, needs_smollm2

TEXTS = ["Where is my parcel?", "!", "日本語のテキスト", "nul \0", "word " * 400, *"abcdefghijk"]


@cache
def _encoder() -> Encoder:
    return encoders.encoder("smollm2")


def _embed(texts: list[str]) -> Vectors:
    out = np.full((len(texts), 4 * 576), np.nan, dtype=np.float32)
    for places, vectors, _ in _encoder().encode(texts):
        out[places] = vectors
    return out


@needs_smollm2
def test_a_text_gets_means_and_what_is_about_to_be_said() -> None:
    assert _encoder().parts == 4
    vectors = _embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 4 * 576)
    assert np.isfinite(vectors).all()
    assert _encoder().meaning(vectors) is vectors
    parts = _encoder().split(vectors)
    for at, part in enumerate(parts):
        for other in parts[:at]:
            assert (np.abs(part - other).max(axis=1) > 0.1).all()


@needs_smollm2
def test_the_mean_is_of_the_text_alone() -> None:
    """What stands after a text cannot be seen from its tokens, and is not in their mean."""
    import torch

    tokenizer, model = _encoder()._loaded  # type: ignore[attr-defined]
    text = "Where is my parcel?"
    with torch.inference_mode():
        ids = torch.tensor([[*tokenizer("Text: ")["input_ids"], *tokenizer(text)["input_ids"]]] * 4)
        layers = model(input_ids=ids, output_hidden_states=True).hidden_states
    before = len(tokenizer("Text: ")["input_ids"])
    expected = layers[16][0, before:].float().mean(dim=0).numpy()
    assert np.corrcoef(_embed([text])[0, :576], expected)[0, 1] > 0.999


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
    vectors = _embed([*polite, *rude])[:, 3 * 576 :]
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
    larger = weights.MPNET if weights.local(weights.MPNET) else weights.SMOLLM2
    assert names == [weights.MINILM, larger]


@needs_local
def test_best_without_a_larger_model_reads_as_fast_and_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path))
    assert [encoder.name for encoder in encoders.for_model("best")] == [weights.MINILM]
    assert "sqlfuncs models fetch mpnet" in capsys.readouterr().err
