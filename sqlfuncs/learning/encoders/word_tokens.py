"""Sentences that are lists of words, as the tokens of a transformer, and of which word each is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlfuncs import work

_LETTERS = 64  # of a word: no more of them are read
_SENTENCES = 1000  # that are split into tokens between two looks for Ctrl-C
CONTEXT = -1  # in the place of a word: a token that is read for what it says of others
_OVERLAP = 4  # windows of a long sentence share one part in so many
Piece = tuple[list[int], list[int]]  # the ids of some tokens, and which word each is a part of


class WordTokens:
    """How a tokenizer splits words, of which a piece holds up to `longest` tokens in all.

    What stands before and after a sentence to the model is before and after each piece. A word is
    never left out: one of no token that the tokenizer knows is the one that is unknown.
    """

    def __init__(self, tokenizer: Any, longest: int) -> None:
        self._tokenizer = tokenizer
        self._before, self._after = (
            [] if each is None else [each]
            for each in (tokenizer.cls_token_id, tokenizer.sep_token_id)
        )
        self._longest = max(1, longest - len(self._before) - len(self._after))

    @property
    def before(self) -> int:
        """How many tokens stand before the first one of a word."""
        return len(self._before)

    def pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[list[Piece]]:
        """Of each sentence its pieces: long ones are read in windows. Raises Cancelled.

        Words are numbered within their sentence, and each is in one piece; in another it is
        CONTEXT. What stands before and after has no number.
        """
        for at in range(0, len(sentences), _SENTENCES):
            work.check()
            some = sentences[at : at + _SENTENCES]
            known = self._split(sorted({word for words in some for word in words}))
            for words in some:
                cut = self._cut([known[word] for word in words])
                yield [([*self._before, *ids, *self._after], of) for ids, of in cut]

    def _split(self, words: Sequence[str]) -> dict[str, list[int]]:
        """The tokens of each word, as one within a sentence: behind a blank."""
        if not words:
            return {}
        texts = [f" {word[:_LETTERS]}".encode("utf-8", "replace").decode() for word in words]
        split = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        unknown = self._tokenizer.unk_token_id or 0
        return {word: ids or [unknown] for word, ids in zip(words, split, strict=True)}

    def _cut(self, words: Sequence[list[int]]) -> Iterator[Piece]:
        tokens = [own[: self._longest] for own in words]
        for part, taken in windows([len(own) for own in tokens], self._longest):
            ids = [token for place in part for token in tokens[place]]
            yield (
                ids,
                [place if place in taken else CONTEXT for place in part for _ in tokens[place]],
            )


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
