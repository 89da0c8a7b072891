"""The middle layers of a sentence encoder: how a thing is said, rather than what it is about.

Of an encoder's layers the first are about words, the last about topic; those in the middle third
hold tone and intent. Nothing above them is computed. Uses torch when called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlfuncs.learning.encoders.batches import WAY, Vectors, tokenized
from sqlfuncs.learning.encoders.device import Device, devices, way
from sqlfuncs.learning.encoders.gpus import Batch
from sqlfuncs.learning.encoders.reading import Replicas, read
from sqlfuncs.learning.encoders.sentence import MAX_TOKENS, loaded, transformer
from sqlfuncs.store.weights import Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def middle_third(layers: int) -> range:
    """Which layers are read, from 1: those after the first third, up to the second.

    >>> [list(middle_third(layers)) for layers in (12, 6, 2)]
    [[5, 6, 7, 8], [3, 4], [1]]
    """
    return range(layers // 3 + 1, max(2 * layers // 3, 1) + 1)


class MiddleEncoder:
    """The mean over the tokens of a text, up to 256, and over the middle third of the layers."""

    parts = 1
    is_middle = True

    def __init__(self, weights: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = weights.name
        self.digest = weights.digest
        self._weights = weights
        self._read = middle_third(transformer(weights.folder)[0])

    @property
    def key(self) -> str:
        """What its vectors are kept under, of where it runs now."""
        return self.key_on(devices()[0])

    def key_on(self, device: Device) -> str:
        """What vectors are kept under that were made there."""
        return f"{self.digest}:{WAY}:{way(device)}:middle third"

    def split(self, vectors: Vectors) -> list[Vectors]:
        """The only part."""
        return [vectors]

    def meaning(self, vectors: Vectors) -> Vectors:
        """All there is."""
        return vectors

    def encode(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Batch by batch: positions in `texts`, a vector for each, and where it was made."""
        if not texts:
            return
        model = self._loaded
        longest = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)

        def tokenize(some: Sequence[str]) -> list[Any]:
            return tokenized(model.tokenizer, some, longest)

        yield from read(texts, tokenize, self._run, self._model)

    def _run(self, model: SentenceTransformer, ids: Any) -> Any:
        import torch

        said = model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        layers = said["all_layer_embeddings"][self._read.start : self._read.stop]
        return torch.stack([layer.float().mean(dim=1) for layer in layers]).mean(dim=0)

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        model = loaded(self._weights, output_hidden_states=True)
        # The last layer's states may pass through a norm that is for the end: one more is kept.
        without_layers_from(model[0].model, self._read.stop)
        return model

    @cached_property
    def _model(self) -> Replicas:
        return Replicas(self._loaded)


def without_layers_from(model: Any, count: int) -> None:
    """Leave a transformer so many layers, wherever it has them."""
    import torch

    layers = model.config.num_hidden_layers
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.ModuleList) and len(child) == layers > count:
                setattr(module, name, child[:count])
                return
