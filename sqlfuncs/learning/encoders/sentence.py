"""Sentence encoders: any model that sentence-transformers loads. Uses torch when called.

Their last layer is made for topic: texts about one thing lie close. The layers halfway up hold
how a thing is said as well, and come from the same pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.encoders.batches import WAY, Vectors, in_batches, precision, ready, tokenized
from sqlfuncs.learning.encoders.pretrained import LOCAL, loading
from sqlfuncs.store.weights import Weights
from sqlfuncs.wording import Option, Words

if TYPE_CHECKING:
    from PIL.Image import Image
    from sentence_transformers import SentenceTransformer

_MAX_TOKENS = 256


class SentenceEncoder:
    """What a sentence encoder gives a text of up to 256 tokens.

    That is its vector, of length 1, and the mean over the tokens halfway up its layers.
    """

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._weights = weights
        self._layers, self._width = _transformer(weights.folder)

    @property
    def key(self) -> str:
        """What its vectors are kept under."""
        return f"{self.digest}:{WAY}:{precision()}:halfway"

    @property
    def parts(self) -> int:
        """The vector, and what is read halfway up if the model has layers."""
        return 2 if self._layers else 1

    def split(self, vectors: Vectors) -> list[Vectors]:
        """The parts of vectors that `encode` gave."""
        return np.split(vectors, [vectors.shape[1] - self._width], axis=1)[: self.parts]

    def meaning(self, vectors: Vectors) -> Vectors:
        """The first of the parts: the vector of length 1."""
        return self.split(vectors)[0]

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batch by batch: positions in `texts`, and a vector of length 1 for each."""
        if not texts:
            return
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):  # no transformer: its words are looked up one by one
            yield list(range(len(texts))), _at_once(self._model, texts)
            return
        longest = min(self._model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
        yield from in_batches(tokenized(tokenizer, texts, longest), self._run)

    def _run(self, ids: Any) -> Vectors:
        import torch

        mask = torch.ones_like(ids)
        said = self._model({"input_ids": ids, "attention_mask": mask})
        parts = [torch.nn.functional.normalize(said["sentence_embedding"].float(), dim=1)]
        if self._layers:
            halfway = said["all_layer_embeddings"][round(self._layers / 2)]
            parts.append(halfway.float().mean(dim=1))
        vectors: Vectors = torch.cat(parts, dim=1).numpy()
        return vectors

    @cached_property
    def _model(self) -> SentenceTransformer:
        loaded: SentenceTransformer = ready(_load(self._weights, output_hidden_states=True))
        return loaded


def _at_once(model: SentenceTransformer, values: Sequence[Any]) -> Vectors:
    vectors: Vectors = model.encode(
        list(values), show_progress_bar=False, normalize_embeddings=True
    )
    return vectors


def _transformer(folder: Path) -> tuple[int, int]:
    """How many layers a model's transformer has and how wide they are; 0 if it has none.

    What is damaged has none either: loading it says what is wrong.
    """
    listed = folder / "modules.json"
    try:
        if listed.exists():
            first = json.loads(listed.read_text(encoding="utf-8"))[0]
            if first["type"].rpartition(".")[2] != "Transformer":
                return 0, 0
            folder = folder / first["path"]
        about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(about["num_hidden_layers"]), int(about["hidden_size"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0, 0


class ImageEncoder:
    """Images as vectors of length 1, by a model that sentence-transformers knows to read them."""

    def __init__(self, weights: Weights) -> None:
        """Loads the model. Raises BadInput for one that reads no images."""
        self._model = _load(weights).eval()
        if not self._model.supports("image"):
            raise BadInput(
                f"{weights.name} does not read images. Name one that does, for example "
                f"'sentence-transformers/clip-ViT-B-32', or leave {Option('model', Words())}out."
            )

    def __call__(self, images: Sequence[Image]) -> Vectors:
        """One vector for each image."""
        return _at_once(self._model, images)


def _load(weights: Weights, **config: Any) -> SentenceTransformer:
    work.ready("sentence_transformers")
    from sentence_transformers import SentenceTransformer

    with loading(weights.name, weights.folder):
        return SentenceTransformer(
            str(weights.folder),
            device="cpu",
            config_kwargs=config,
            # Of torch's kernels for attention, only this one gives the same bits in every batch.
            model_kwargs={"attn_implementation": "eager", "use_safetensors": True},
            **LOCAL,
        )
