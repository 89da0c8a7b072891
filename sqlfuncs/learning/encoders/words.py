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
from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.middle import without_layers_from
from sqlfuncs.learning.encoders.reading import Replicas, read_tokens
from sqlfuncs.learning.encoders.sentence import MAX_TOKENS, loaded, transformer
from sqlfuncs.store import weights
from sqlfuncs.store.weights import Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LETTERS = 64  # of a word: no more of them are read
_SENTENCES = 1000  # that are split into tokens between two looks for Ctrl-C
_OVERLAP = 4  # windows of a long sentence share one part in so many
_CONTEXT = -1  # in the place of a word: a token that is read for what it says of others
Piece = tuple[list[int], list[int]]  # the ids of some tokens, and which word each is a part of


class WordEncoder:
    """The mean over each word's tokens, halfway up the layers, among up to 256 tokens around it."""

    def __init__(self, found: Weights) -> None:
        """Nothing is loaded yet."""
        self.name = found.name
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
                    own_words = words != _CONTEXT
                    np.add.at(total, words[own_words], own[1:-1][own_words])
                    np.add.at(tokens_of, words[own_words], 1)
                task.advance(len(places))
        total /= np.maximum(tokens_of, 1)[:, None]
        return total

    def _pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[Piece]:
        """Sentences as tokens; long ones in windows."""
        tokenizer: Any = self._loaded.tokenizer
        first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
        longest = min(self._loaded.max_seq_length or MAX_TOKENS, MAX_TOKENS) - 2
        start = 0
        for at in range(0, len(sentences), _SENTENCES):
            work.check()
            for words in sentences[at : at + _SENTENCES]:
                tokens = _tokens(tokenizer, words, longest)
                for part, kept in windows([len(own) for own in tokens], longest):
                    ids = [token for place in part for token in tokens[place]]
                    of = [
                        start + place if place in kept else _CONTEXT
                        for place in part
                        for _ in tokens[place]
                    ]
                    yield [first, *ids, last], of
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


def windows(lengths: Sequence[int], longest: int) -> Iterator[tuple[range, range]]:
    """Runs of words that are read at once, and which of them are taken from each: every one once.

    `lengths` are the numbers of tokens of each word of a sentence, each `longest` at most, which
    is how many are read at once. Words that two runs share are taken half from each.

    >>> list(windows([1] * 10, 8))
    [(range(0, 8), range(0, 7)), (range(6, 10), range(7, 10))]
    """
    start, taken = 0, 0
    while start < len(lengths):
        end, size = start, 0
        while end < len(lengths) and size + lengths[end] <= longest:
            size += lengths[end]
            end += 1
        if end == len(lengths):
            yield range(start, end), range(taken, end)
            return
        shared = end
        most = min(longest // _OVERLAP, longest - lengths[end])
        while shared > start and sum(lengths[shared - 1 : end]) <= most:
            shared -= 1
        middle = (shared + end + 1) // 2
        yield range(start, end), range(taken, middle)
        start, taken = shared, middle


def _tokens(tokenizer: Any, words: Sequence[str], longest: int) -> list[list[int]]:
    """The tokens of each word of a sentence, so many at most; an unknown one where it has none."""
    if not words:
        return []
    some = [word[:_LETTERS].encode("utf-8", "replace").decode() for word in words]
    split = tokenizer(some, is_split_into_words=True, add_special_tokens=False, verbose=False)
    found = [list[int]() for _ in words]
    for word, token in zip(split.word_ids(), split["input_ids"], strict=True):
        found[word].append(token)
    return [own[:longest] or [tokenizer.unk_token_id] for own in found]
