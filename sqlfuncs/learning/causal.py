"""Causal language models as encoders: what their middle layers hold of a text. Uses torch.

The middle layers of even a tiny language model carry tone and intent better than a sentence
encoder made for topic; its last layers are about the next word.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlfuncs.learning.batches import (
    WAY,
    Vectors,
    in_batches,
    precision,
    ready,
    shortened,
)
from sqlfuncs.store.weights import Weights

_MAX_TOKENS = 256
_MEAN_DEPTH = 2 / 3
_LAST_DEPTH = 5 / 6


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
    """The mean over the tokens two thirds of the way up, and the last token at five sixths."""

    parts = 2

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._folder = weights.folder

    @property
    def key(self) -> str:
        """What its vectors are kept under."""
        return f"{self.digest}:{WAY}:{precision()}:middle"

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batch by batch: positions in `texts`, and the two parts side by side for each."""
        if not texts:
            return
        tokenizer, _, _, _ = self._loaded
        tokens = tokenizer(shortened(texts, _MAX_TOKENS), truncation=True, max_length=_MAX_TOKENS)[
            "input_ids"
        ]
        yield from in_batches(tokens, self._run)

    def _run(self, ids: Any) -> Vectors:
        import torch

        _, model, mean_layer, last_layer = self._loaded
        layers = model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
        mean = layers[mean_layer].float().mean(dim=1)
        last = layers[last_layer][:, -1].float()
        vectors: Vectors = torch.cat([mean, last], dim=1).numpy()
        return vectors

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int, int]:
        """The tokenizer, the model without the layers above those read, and those two."""
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        folder = str(self._folder)
        gguf = next(self._folder.glob("*.gguf"), None)
        source: dict[str, Any] = {"gguf_file": gguf.name} if gguf else {}
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        with contextlib.redirect_stderr(io.StringIO()):
            tokenizer = AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True, **source
            )
            model = AutoModel.from_pretrained(
                folder,
                trust_remote_code=False,
                local_files_only=True,
                attn_implementation="eager",
                **({"use_safetensors": True} if gguf is None else {}),
                **source,
            )
        count = len(model.layers)
        mean_layer, last_layer = round(_MEAN_DEPTH * count), round(_LAST_DEPTH * count)
        # Above the last layer, hidden states would pass through the final norm: one more is kept.
        model.layers = model.layers[: last_layer + 1]
        return (
            tokenizer,
            ready(model),
            mean_layer,
            last_layer,
        )
