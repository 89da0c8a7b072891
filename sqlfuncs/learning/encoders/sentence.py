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
from sqlfuncs.learning.encoders.batches import WAY, Vectors, tokenized
from sqlfuncs.learning.encoders.device import (
    CPU,
    Device,
    Failed,
    attempt,
    devices,
    say_too_small,
    way,
)
from sqlfuncs.learning.encoders.gpus import Batch
from sqlfuncs.learning.encoders.pretrained import LOCAL, loading
from sqlfuncs.learning.encoders.reading import Replicas, read
from sqlfuncs.store.weights import Weights
from sqlfuncs.wording import Option, Words

if TYPE_CHECKING:
    from PIL.Image import Image
    from sentence_transformers import SentenceTransformer

MAX_TOKENS = 256
_BATCH = 32  # images, or texts whose words are looked up: the library's own number


class SentenceEncoder:
    """What a sentence encoder gives a text of up to 256 tokens.

    That is its vector, of length 1, and the mean over the tokens halfway up its layers.
    """

    is_middle = False

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._weights = weights
        self._layers, self._width = transformer(weights.folder)
        self._is_transformer = _is_transformer(weights.folder)

    @property
    def key(self) -> str:
        """What its vectors are kept under, of where it runs now."""
        return self.key_on(devices()[0])

    def key_on(self, device: Device) -> str:
        """What vectors are kept under that were made there."""
        own = device if self._is_transformer else CPU
        return f"{self.digest}:{WAY}:{way(own)}:halfway"

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

    def encode(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Batch by batch: positions in `texts`, a vector of length 1 for each, and made where."""
        if not texts:
            return
        tokenizer = self._loaded.tokenizer
        if not callable(tokenizer):  # no transformer: its words are looked up one by one
            own = self._model.on(CPU)
            yield Batch(list(range(len(texts))), _at_once(own, texts), CPU)
            return
        longest = min(self._loaded.max_seq_length or MAX_TOKENS, MAX_TOKENS)

        def tokenize(some: Sequence[str]) -> list[Any]:
            return tokenized(tokenizer, some, longest)

        on = None if self._is_transformer else (CPU,)
        yield from read(texts, tokenize, self._run, self._model, on)

    def _run(self, model: SentenceTransformer, ids: Any) -> Any:
        import torch

        mask = torch.ones_like(ids)
        said = model({"input_ids": ids, "attention_mask": mask})
        parts = [torch.nn.functional.normalize(said["sentence_embedding"].float(), dim=1)]
        if self._layers:
            halfway = said["all_layer_embeddings"][round(self._layers / 2)]
            parts.append(halfway.float().mean(dim=1))
        return torch.cat(parts, dim=1)

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        return loaded(self._weights, output_hidden_states=True)

    @cached_property
    def _model(self) -> Replicas:
        return Replicas(self._loaded)


def _at_once(
    model: SentenceTransformer, values: Sequence[Any], batch_size: int = _BATCH
) -> Vectors:
    vectors: Vectors = model.encode(
        list(values), batch_size=batch_size, show_progress_bar=False, normalize_embeddings=True
    )
    return vectors


def _is_transformer(folder: Path) -> bool:
    """Whether a model is more than vectors of words, which a GPU looks up no faster."""
    try:
        first = json.loads((folder / "modules.json").read_text(encoding="utf-8"))[0]
        return bool(first["type"].rpartition(".")[2] == "Transformer")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return True  # the folder of a transformer alone; what is damaged is said when it is loaded


def transformer(folder: Path) -> tuple[int, int]:
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
        model = loaded(weights).eval()
        if not model.supports("image"):
            raise BadInput(
                f"{weights.name} does not read images. Name one that does, for example "
                f"'sentence-transformers/clip-ViT-B-32', or leave {Option('model', Words())}out."
            )
        self._model = Replicas(model, is_cast=False)

    def __call__(self, images: Sequence[Image]) -> Vectors:
        """One vector for each image. Raises BadOption."""
        on, size = devices()[0], _BATCH
        while on != CPU:
            found = attempt(on, lambda size=size: _at_once(self._model.on(on), images, size))  # type: ignore[misc]
            if not isinstance(found, Failed):
                vectors: Vectors = found
                return vectors
            if found is Failed.MEMORY and size > 1:
                size //= 2
                continue
            if found is Failed.MEMORY:
                say_too_small(on, "one image")
            break
        return _at_once(self._model.on(CPU), images)


def loaded(weights: Weights, **config: Any) -> SentenceTransformer:
    """A model from its folder, on the processor. Raises DamagedModel."""
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
