"""Words as vectors, each read in its sentence, halfway up a sentence encoder. Uses torch.

Of an encoder's layers the last are about the sentence; halfway up a token still says what it is.
A sentence that is longer than an encoder reads at once is read in windows that overlap, and each
word taken from the one that has most on both sides of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlfuncs import work
from sqlfuncs.learning.encoders.batches import WAY, Vectors
from sqlfuncs.learning.encoders.device import devices, way
from sqlfuncs.learning.encoders.middle import without_layers_from
from sqlfuncs.learning.encoders.reading import Replicas, read_tokens
from sqlfuncs.learning.encoders.sentence import MAX_TOKENS, loaded, transformer
from sqlfuncs.learning.encoders.word_tokens import CONTEXT, Piece, WordTokens
from sqlfuncs.store import weights
from sqlfuncs.store.weights import Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class WordEncoder:
    """The mean over each word's tokens, halfway up the layers, among up to 256 tokens around it."""

    def __init__(self, found: Weights) -> None:
        """Nothing is loaded yet."""
        self.name, self.digest = found.name, found.digest
        self._weights = found
        layers, self.width = transformer(found.folder)
        self._layer = round(layers / 2)

    def encode(self, sentences: Sequence[Sequence[str]]) -> Vectors:
        """A vector for each word of all sentences: (words, width). Raises Cancelled."""
        count = sum(map(len, sentences))
        total = np.zeros((count, self.width), dtype=np.float32)
        tokens_of = np.zeros(count, dtype=np.int64)
        pieces = list(self._pieces(sentences))
        with work.task(f"reading words with {self.name.rpartition('/')[2]}", len(pieces)) as task:
            ids = [own for own, _ in pieces]
            for places, states, _ in read_tokens(ids, self._run, self._model):
                for place, own in zip(places, states, strict=True):
                    words = np.array(pieces[place][1])
                    own_words = words != CONTEXT
                    np.add.at(total, words[own_words], own[1:-1][own_words])
                    np.add.at(tokens_of, words[own_words], 1)
                task.advance(len(places))
        total /= np.maximum(tokens_of, 1)[:, None]
        return total

    def reading(self) -> str:
        """What it is and how it is run: for fingerprints."""
        return f"{self.digest}:{WAY}:{way(devices()[0])}:halfway"

    def _pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[Piece]:
        """Sentences as tokens, and which of all words these are of."""
        longest = min(self._loaded.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        cut = WordTokens(self._loaded.tokenizer, longest).pieces(sentences)
        start = 0
        for words, pieces in zip(sentences, cut, strict=True):
            for ids, of in pieces:
                yield ids, [place if place == CONTEXT else start + place for place in of]
            start += len(words)

    def _run(self, model: SentenceTransformer, ids: Any) -> Any:
        import torch

        said = model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        return said["all_layer_embeddings"][self._layer].float()

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        model = loaded(self._weights, output_hidden_states=True)
        without_layers_from(model[0].model, self._layer + 1)
        return model

    @cached_property
    def _model(self) -> Replicas:
        return Replicas(self._loaded)


@cache
def of_weights(found: Weights) -> WordEncoder:
    """An encoder, loaded once."""
    return WordEncoder(found)


def of_fast() -> WordEncoder | None:
    """That of 'fast'; None where the extra `local` or its weights are not there."""
    from sqlfuncs.learning.encoders import encoders

    found = weights.local(weights.MINILM) if encoders.is_available() else None
    return None if found is None else of_weights(found)
