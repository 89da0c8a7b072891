"""Sentences that are lists of words, as the tokens of a transformer, and of which word each is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlfuncs import work

_LETTERS = 64  # of a word: no more of them are read
_SENTENCES = 1000  # that are split into tokens between two looks for Ctrl-C
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
        """Of each sentence its pieces: long ones are cut between words. Raises Cancelled.

        Words are numbered within their sentence; what stands before and after has no number.
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
        ids, of = list[int](), list[int]()
        for word, own in enumerate(words):
            own = own[: self._longest]
            if len(ids) + len(own) > self._longest:
                yield ids, of
                ids, of = [], []
            ids, of = ids + own, of + [word] * len(own)
        if ids:
            yield ids, of
