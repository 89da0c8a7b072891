"""The middle layers of a sentence encoder, by one of random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.device import ready
from sqlfuncs.learning.encoders.encoders import Encoder
from sqlfuncs.learning.encoders.middle import middle_third
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

pytestmark = needs_local
TEXTS = ["where is my parcel", "a", "", "!", *(f"parcel {n} " * (1 + n % 7) for n in range(30))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.encoder(tmp_path / "encoder", layers=6)


def _read(by: Encoder, texts: list[str]) -> Vectors:
    found: dict[int, Vectors] = {}
    for batch in by.encode(texts):
        found.update(zip(batch.places, batch.vectors, strict=True))
    return np.stack([found[place] for place in range(len(texts))])


@pytest.mark.parametrize("layers", range(1, 40))
def test_the_middle_third_is_never_empty_and_lies_within(layers: int) -> None:
    read = middle_third(layers)
    assert 1 <= read.start < read.stop <= layers + 1
    assert layers < 3 or read.stop - 1 < layers  # the last layer is not read


def test_it_is_the_mean_of_the_middle_layers_of_the_whole_model(folder: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    by = encoders.encoder(str(folder), is_middle=True)
    found = _read(by, TEXTS)
    whole: Any = ready(
        SentenceTransformer(
            str(folder),
            device="cpu",
            config_kwargs={"output_hidden_states": True},
            model_kwargs={"attn_implementation": "eager"},
        )
    )
    layers = middle_third(whole[0].model.config.num_hidden_layers)
    for text, vector in zip(TEXTS, found, strict=True):
        ids = torch.tensor([whole.tokenizer(text)["input_ids"] or [0]])
        with torch.inference_mode():
            said = whole({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        states = [states.float().mean(dim=1)[0] for states in said["all_layer_embeddings"]]
        expected, lower, upper = (
            torch.stack([states[layer + off] for layer in layers]).mean(dim=0).numpy()
            for off in (0, -1, 1)
        )
        off = np.abs(vector - expected).max()
        assert off < 0.2 * min(np.abs(vector - other).max() for other in (lower, upper))


def test_nothing_is_computed_above_the_layer_after_the_middle(folder: Path) -> None:
    by: Any = encoders.encoder(str(folder), is_middle=True)
    _read(by, TEXTS[:2])
    assert len(by._loaded[0].model.encoder.layer) == 5  # of six, of which 3 and 4 are read


def test_one_text_has_the_same_bits_among_any(folder: Path) -> None:
    by = encoders.encoder(str(folder), is_middle=True)
    assert (_read(by, TEXTS)[::-1] == _read(by, TEXTS[::-1])).all()


def test_it_is_kept_apart_from_what_else_the_model_says(folder: Path) -> None:
    middle, whole = encoders.encoder(str(folder), is_middle=True), encoders.encoder(str(folder))
    assert middle.key != whole.key
    assert (middle.parts, whole.parts) == (1, 2)
    assert encoders.encode(middle, TEXTS).shape[1] * 2 == encoders.encode(whole, TEXTS).shape[1]
