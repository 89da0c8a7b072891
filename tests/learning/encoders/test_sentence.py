from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.device import precision
from sqlfuncs.learning.encoders.sentence import SentenceEncoder
from sqlfuncs.store import weights
from tests.conftest import needs_local

TEXTS = [
    "Where is my parcel?",
    "a",
    "!",
    "\u200b",
    "🎈" * 40,
    "e\u0301 é ﬁ ß",
    "日本語のテキスト、少し長い文。",
    "nul \0 in it",
    "word " * 400,
    "x" * 100_000,
    "https://example.org/?q=a&b=c " * 30,
    *(f"request {n} " + "about the delivery of the parcel " * (n % 17) for n in range(60)),
]


@cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder(weights.get("minilm"))


def _embed(texts: list[str]) -> Vectors:
    out = np.full((len(texts), 768), np.nan, dtype=np.float32)
    for places, vectors, _ in _encoder().encode(texts):
        out[places] = vectors
    return out


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return _embed(TEXTS)


@needs_local
def test_every_text_gets_a_vector_of_length_one_and_what_is_halfway(vectors: np.ndarray) -> None:
    assert _encoder().parts == 2
    meaning, halfway = _encoder().split(vectors)
    assert meaning.shape == halfway.shape == (len(TEXTS), 384)
    assert meaning.tobytes() == _encoder().meaning(vectors).tobytes()
    assert np.linalg.norm(meaning, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert np.isfinite(halfway).all()


@needs_local
def test_halfway_is_the_mean_of_the_third_of_six_layers(vectors: np.ndarray) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(weights.get("minilm").folder)
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        read = tokenizer(TEXTS[0], return_tensors="pt")
        layers = model(**read, output_hidden_states=True).hidden_states
    expected = layers[3][0].mean(dim=0).numpy()
    got = _encoder().split(vectors)[1][0]
    assert np.corrcoef(got, expected)[0, 1] > (0.999 if precision() == "bf16" else 0.99999)


@needs_local
def test_a_model_without_layers_has_one_part(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    whole = SentenceTransformer(str(weights.get("minilm").folder), device="cpu")
    words = StaticEmbedding(whole.tokenizer.backend_tokenizer, embedding_dim=16)
    SentenceTransformer(modules=[words]).save(str(tmp_path / "static"))
    encoder = SentenceEncoder(weights.get(str(tmp_path / "static")))
    assert encoder.parts == 1
    ((_, vectors, _),) = encoder.encode(["a cat", "a dog"])
    assert vectors.shape == (2, 16)
    assert [part.shape for part in encoder.split(vectors)] == [(2, 16)]


@needs_local
def test_neither_order_nor_neighbours_change_a_bit(vectors: np.ndarray) -> None:
    for seed in range(2):
        shuffle = np.random.default_rng(seed).permutation(len(TEXTS))
        assert _embed([TEXTS[at] for at in shuffle]).tobytes() == vectors[shuffle].tobytes()
    for at, text in enumerate(TEXTS[:20]):
        assert _embed([text])[0].tobytes() == vectors[at].tobytes()
    assert _embed(TEXTS[20:33] * 3).tobytes() == np.tile(vectors[20:33], (3, 1)).tobytes()


@needs_local
@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_bit(vectors: np.ndarray, threads: int) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert _embed(TEXTS).tobytes() == vectors.tobytes()
    finally:
        torch.set_num_threads(before)


@needs_local
def test_it_agrees_with_sentence_transformers(vectors: np.ndarray) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [text[: 20 * 256] for text in TEXTS]
    model = SentenceTransformer(str(weights.get("minilm").folder), device="cpu")
    expected = model.encode(texts, show_progress_bar=False, normalize_embeddings=True)
    assert (vectors[:, :384] * expected).sum(axis=1).min() > (
        0.999 if precision() == "bf16" else 0.99999
    )


@needs_local
def test_texts_of_one_meaning_are_near() -> None:
    texts = ["The parcel has not arrived.", "My package is still missing.", "I like green tea."]
    one, same, other = _embed(texts)[:, :384]
    assert one @ same > one @ other + 0.2


@needs_local
@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "\ufeff", "\U000e0001"])
def test_texts_that_hardly_are_some(text: str) -> None:
    (vector,) = _embed([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector[:384]) == pytest.approx(1, abs=1e-5)


@needs_local
def test_half_a_surrogate_pair() -> None:
    (vector,) = _embed(["half \ud83c"])
    assert np.linalg.norm(vector[:384]) == pytest.approx(1, abs=1e-5)


@needs_local
def test_no_texts_at_all() -> None:
    assert list(_encoder().encode([])) == []


@needs_local
def test_it_makes_no_noise_and_needs_no_network() -> None:
    script = (
        "from sqlfuncs.learning.encoders import encoders\n"
        "print(len(encoders.encode(encoders.encoder('minilm'), ['a', 'b'])))\n"
    )
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
    )
    # A machine that is busy may be slow enough for the progress to be shown.
    told = [line for line in ran.stderr.splitlines() if "reading texts with" not in line]
    assert (ran.returncode, ran.stdout, told) == (0, "2\n", [])
