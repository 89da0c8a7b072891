"""Encoders and language models on what stands for a GPU, and where their vectors are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.batches import WAY, Vectors
from sqlfuncs.learning.encoders.device import CPU, precision
from sqlfuncs.learning.encoders.encoders import Encoder
from sqlfuncs.llm.task import Task
from sqlfuncs.store import stores
from tests.conftest import needs_local, needs_smollm2
from tests.learning.encoders import standins
from tests.learning.encoders.standins import GPU, OTHER
from tests.learning.encoders.standins import unfailed as unfailed
from tests.learning.models.networks import tiny

pytestmark = [needs_local, pytest.mark.usefixtures("unfailed")]
TEXTS = [f"the parcel {n} is late and my money is lost " * (1 + n % 9) for n in range(80)]


@pytest.fixture(params=["encoder", "causal"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    """One of each kind, of random weights, which no other test has read with."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(int.from_bytes(str(tmp_path).encode()[-7:]))
        return encoders.encoder(str(getattr(tiny, request.param)(tmp_path / request.param)))


def kept(by: Encoder, texts: list[str], on: Any) -> dict[str, Vectors]:
    return stores.vectors().read(by.key_on(on), texts)


def cosines(some: Vectors, others: Vectors) -> Vectors:
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    found: Vectors = (some * others).sum(axis=1) / lengths
    return found


def test_vectors_of_a_gpu_are_close_and_kept_apart(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    on_processor = encoders.encode(encoder, TEXTS)
    assert encoder.key == encoder.key_on(CPU)
    with monkeypatch.context() as there:
        standins.are_here(there, GPU, OTHER)
        assert encoder.key == encoder.key_on(GPU) == encoder.key_on(OTHER)
        assert kept(encoder, TEXTS, GPU) == {}
        on_gpu = encoders.encode(encoder, TEXTS)
        assert cosines(on_gpu, on_processor).min() > 0.999
        assert heard == []
        assert (encoders.encode(encoder, TEXTS) == on_gpu).all()
    assert (encoders.encode(encoder, TEXTS) == on_processor).all()
    assert set(kept(encoder, TEXTS, GPU)) == set(kept(encoder, TEXTS, CPU)) == set(TEXTS)


def test_the_key_of_the_processor_is_what_it_was(encoder: Encoder) -> None:
    ends = {"SentenceEncoder": "halfway", "MidLayerEncoder": "summed up"}[type(encoder).__name__]
    assert WAY == 2
    assert encoder.key == f"{encoder.digest}:2:{precision()}:{ends}"


def test_what_the_processor_took_over_is_kept_as_its_own(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    replica = encoder._model.on(GPU)  # type: ignore[attr-defined]
    calls = iter(range(10_000))

    def breaks(*args: Any) -> None:
        if next(calls) >= 5:
            raise standins.broken()

    replica.register_forward_pre_hook(breaks)
    with monkeypatch.context() as there:
        standins.are_here(there, GPU)
        vectors = encoders.encode(encoder, TEXTS)
    by_gpu, by_processor = kept(encoder, TEXTS, GPU), kept(encoder, TEXTS, CPU)
    assert 0 < len(by_gpu) < len(TEXTS)
    assert set(by_gpu) | set(by_processor) == set(TEXTS)
    assert not set(by_gpu) & set(by_processor)
    assert [said.partition(" (")[0] for said in heard] == ["cpu:0 failed"]
    on_processor = encoders.encode(encoder, TEXTS)
    assert cosines(vectors, on_processor).min() > 0.999
    of_processor = [text in by_processor for text in TEXTS]
    assert (vectors[of_processor] == on_processor[of_processor]).all()


def test_vectors_of_words_stay_on_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoTokenizer

    words = AutoTokenizer.from_pretrained(tiny.encoder(tmp_path / "base")).backend_tokenizer
    folder = tmp_path / "static"
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=16)]).save(str(folder))
    standins.are_here(monkeypatch, GPU)
    by = encoders.encoder(str(folder))
    assert by.key == by.key_on(GPU) == by.key_on(CPU)
    encoders.encode(by, TEXTS)
    assert set(kept(by, TEXTS, CPU)) == set(TEXTS)


TASK = Task.read(["late parcel", "late bill", "money"])


@pytest.mark.parametrize("name", ["", pytest.param("smollm2", marks=needs_smollm2)])
def test_labels_of_a_language_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    from sqlfuncs.llm.local import LocalProvider

    name, texts = name or str(tiny.causal(tmp_path / "base")), TEXTS[:12]
    on_processor = LocalProvider(name)
    expected, identity = on_processor.ask(TASK, texts), on_processor.identity
    assert identity.endswith(f":{precision()}:{WAY}")
    assert (on_processor.requests_at_once, on_processor.texts_at_once) == (1, 64)
    standins.are_here(monkeypatch, GPU, OTHER)
    on_gpu = LocalProvider(name)
    answers = on_gpu.ask(TASK, texts)
    assert on_gpu.identity == identity.replace(precision(), f"cuda:{precision()}")
    assert on_gpu.texts_at_once > 64
    for one, other in zip(expected, answers, strict=True):
        assert one.probabilities is not None and other.probabilities is not None
        assert one.input_tokens == other.input_tokens
        for label in TASK.labels:
            assert other.probabilities[label] == pytest.approx(one.probabilities[label], abs=0.03)
    on_gpu._model.on(GPU).register_forward_pre_hook(_break)
    again = on_gpu.ask(TASK, texts)
    assert len(heard) == 1
    for one, other in zip(expected, again, strict=True):
        assert one.probabilities is not None and other.probabilities is not None
        for label in TASK.labels:
            assert other.probabilities[label] == pytest.approx(one.probabilities[label], abs=0.03)


def test_labels_of_one_token_each(tmp_path: Path) -> None:
    """Nothing then stands after a text."""
    from sqlfuncs.llm.local import LocalProvider

    model = LocalProvider(str(tiny.causal(tmp_path / "base")))
    task = Task.read(["late", "bill", "money"])
    assert [len(tokens) for tokens in model._frame(task).labels] == [1, 1, 1]
    for answer in model.ask(task, TEXTS[:3]):
        assert answer.probabilities is not None
        assert sum(answer.probabilities.values()) == pytest.approx(1)


def _break(*args: Any) -> None:
    raise standins.broken()
