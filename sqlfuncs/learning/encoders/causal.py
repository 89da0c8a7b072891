"""Causal language models as encoders: what their middle layers hold of a text. Uses torch.

The middle layers of even a tiny language model carry tone and intent better than a sentence
encoder made for topic; its last layers are about the next word. What the model is about to say
when it is to sum a text up in a word holds more of the text than its last token does: Jiang et
al., Scaling sentence embeddings with large language models (EMNLP Findings 2024, section 3).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sqlfuncs.learning.encoders.batches import WAY, Vectors, tokenized
from sqlfuncs.learning.encoders.device import Device, devices, way
from sqlfuncs.learning.encoders.gpus import Batch, Tokens
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors, loading, tokenizer
from sqlfuncs.learning.encoders.reading import Replicas, read
from sqlfuncs.store.weights import Weights

_MAX_TOKENS = 256
_BEFORE = "Text: "
_AFTER = "\n\nIn one word, the text above is"
# How far up the layers are that are read, of all: for the mean over the text's tokens, and for
# the last token of what stands after it.
_MEAN_DEPTHS = (8 / 15, 2 / 3)
_LAST_DEPTHS = (2 / 3, 5 / 6)


def is_causal(folder: Path) -> bool:
    """Whether a folder holds a causal language model rather than a sentence encoder."""
    if (folder / "modules.json").is_file():
        return False
    if next(folder.glob("*.gguf"), None):
        return True
    try:
        about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return any(name.endswith("ForCausalLM") for name in about.get("architectures") or ())


class MidLayerEncoder:
    """Means over the tokens of a text, and the token after which a word is to sum it up."""

    parts = len(_MEAN_DEPTHS) + len(_LAST_DEPTHS)
    is_middle = False

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._weights = weights

    @property
    def key(self) -> str:
        """What its vectors are kept under, of where it runs now."""
        return self.key_on(devices()[0])

    def key_on(self, device: Device) -> str:
        """What vectors are kept under that were made there."""
        return f"{self.digest}:{WAY}:{way(device)}:summed up"

    def split(self, vectors: Vectors) -> list[Vectors]:
        """The parts of vectors that `encode` gave."""
        return np.split(vectors, self.parts, axis=1)

    def meaning(self, vectors: Vectors) -> Vectors:
        """All of the parts."""
        return vectors

    def encode(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Batch by batch: positions in `texts`, the parts side by side for each, and made where."""
        if not texts:
            return
        words, _ = self._loaded
        before = words(_BEFORE)["input_ids"]
        after = words(_AFTER, add_special_tokens=False)["input_ids"]
        text = slice(len(before), -len(after))

        def tokenize(some: Sequence[str]) -> list[Tokens]:
            own = tokenized(words, some, _MAX_TOKENS, add_special_tokens=False)
            return [before + (ids or after) + after for ids in own]

        def run(model: Any, ids: Any) -> Any:
            return _middle(model, text, ids)

        yield from read(texts, tokenize, run, self._model)

    @cached_property
    def _model(self) -> Replicas:
        return Replicas(self._loaded[1])

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer, and the model without the layers above those that are read."""
        from transformers import AutoModel

        folder, source = as_safetensors(self._weights)
        with loading(self.name, folder):
            words = tokenizer(folder, source)
            model = AutoModel.from_pretrained(
                folder, attn_implementation="eager", **source, **LOCAL
            )
        # Above the last layer, hidden states would pass through the final norm: one more is kept.
        model.layers = model.layers[: _layer(model, max(*_MEAN_DEPTHS, *_LAST_DEPTHS)) + 1]
        return words, model


def _middle(model: Any, text: slice, ids: Any) -> Any:
    """What the layers in the middle hold of texts that are those tokens: (rows, parts)."""
    import torch

    layers = model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
    means = [layers[_layer(model, at)][:, text].float().mean(dim=1) for at in _MEAN_DEPTHS]
    lasts = [layers[_layer(model, at)][:, -1].float() for at in _LAST_DEPTHS]
    return torch.cat([*means, *lasts], dim=1)


def _layer(model: Any, depth: float) -> int:
    count: int = model.config.num_hidden_layers
    return round(depth * count)
