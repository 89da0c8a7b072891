"""Sentence encoders: any model that sentence-transformers loads. Uses torch when called."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.batches import (
    WAY,
    Vectors,
    in_batches,
    precision,
    ready,
    shortened,
)
from sqlfuncs.store.weights import Weights

if TYPE_CHECKING:
    from PIL.Image import Image
    from sentence_transformers import SentenceTransformer

_MAX_TOKENS = 256


class SentenceEncoder:
    """The vector of length 1 that a sentence encoder gives a text of up to 256 tokens."""

    parts = 1

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._folder = weights.folder

    @property
    def key(self) -> str:
        """What its vectors are kept under."""
        return f"{self.digest}:{WAY}:{precision()}"

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batch by batch: positions in `texts`, and a vector of length 1 for each."""
        if not texts:
            return
        longest = min(self._model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
        tokens = self._model.tokenizer(
            shortened(texts, longest), truncation=True, max_length=longest
        )["input_ids"]
        yield from in_batches(tokens, self._run)

    def _run(self, ids: Any) -> Vectors:
        import torch

        mask = torch.ones_like(ids)
        said = self._model({"input_ids": ids, "attention_mask": mask})["sentence_embedding"]
        vectors: Vectors = torch.nn.functional.normalize(said.float(), dim=1).numpy()
        return vectors

    @cached_property
    def _model(self) -> SentenceTransformer:
        loaded: SentenceTransformer = ready(_load(self._folder))
        return loaded


class ImageEncoder:
    """Images as vectors of length 1, by a model that sentence-transformers knows to read them."""

    def __init__(self, weights: Weights) -> None:
        """Loads the model. Raises BadInput for one that reads no images."""
        self._model = _load(weights.folder).eval()
        if not self._model.supports("image"):
            raise BadInput(
                f"{weights.name} does not read images. Name one that does, for example "
                "'sentence-transformers/clip-ViT-B-32', or leave model := out."
            )

    def __call__(self, images: Sequence[Image]) -> Vectors:
        """One vector for each image."""
        vectors: Vectors = self._model.encode(
            list(images), show_progress_bar=False, normalize_embeddings=True
        )
        return vectors


def _load(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with contextlib.redirect_stderr(io.StringIO()):
        return SentenceTransformer(
            str(folder),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            # Of torch's kernels for attention, only this one gives the same bits in every batch.
            model_kwargs={"attn_implementation": "eager", "use_safetensors": True},
        )
