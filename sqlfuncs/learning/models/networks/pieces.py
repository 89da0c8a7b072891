"""Rows as a network learns from them: a text each, or the pieces of a sentence. Uses torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models.folds import Order
from sqlfuncs.learning.models.networks.network import Network
from sqlfuncs.learning.models.networks.training import Rows, lengths, predictions
from sqlfuncs.learning.models.networks.word_rows import WordRows, read_words, word_pieces
from sqlfuncs.learning.models.target import Floats, Target


@dataclass(frozen=True)
class Pieces(ABC):
    """What is learned from, `rows`; `of` (pieces,) says which row of the table each is of."""

    rows: Rows
    of: Order

    @abstractmethod
    def predicted(self, network: Network, out: Order) -> Floats:
        """What a network says of the pieces at some places: as the table has it, else NaN."""

    @abstractmethod
    def cut_short(self, most: int) -> int:
        """How many rows are not read to their end, of which up to so many tokens are."""


@dataclass(frozen=True)
class OfTexts(Pieces):
    """Texts, as far as they are read."""

    @classmethod
    def of_target(
        cls,
        network: Network,
        texts: Sequence[str],
        target: Target,
        weights: RowWeights,
        order: Order,
    ) -> OfTexts:
        """In some `order` the rows of a table; `weights` (rows,) are how much each counts."""
        values = target.as_values()
        rows = Rows(
            network.tokens([texts[at] for at in order]),
            target.strata[order],
            weights[order].astype(np.float32),
            None if values is None else values[order].astype(np.float32),
        )
        return cls(rows, order)

    def predicted(self, network: Network, out: Order) -> Floats:
        """(rows, width)."""
        found = np.full((len(self.of), network.head.out_features), np.nan)
        found[self.of[out]] = predictions(network, self.rows.take(out).tokens)
        return found

    def cut_short(self, most: int) -> int:
        """Those as long as that."""
        return sum(length >= most for length in lengths(self.rows.tokens))


@dataclass(frozen=True)
class OfWords(Pieces):
    """Sentences in pieces of whole words. `places` are those of a piece's words in the table."""

    rows: WordRows
    places: Sequence[Order]
    count: int  # of all words

    @classmethod
    def of_sentences(
        cls,
        network: Network,
        sentences: Sequence[Sequence[str]],
        codes: Codes,
        weights: RowWeights,
        order: Order,
    ) -> OfWords:
        """In some `order` the rows of a table.

        `codes` (words,) are labels, -1 of words that teach nothing; `weights` (rows,).
        """
        starts = Sentences(np.array([len(each) for each in sentences], dtype=np.int64)).starts
        common = np.bincount(codes[codes >= 0], minlength=network.head.out_features)
        pieces = word_pieces(network, [sentences[at] for at in order])
        of, places = list[int](), list[Order]()
        tokens, firsts, labels = list[list[int]](), list[Order](), list[Codes]()
        for row, own in zip(order.tolist(), pieces, strict=True):
            for piece in own:
                of.append(row)
                places.append(starts[row] + piece.words)
                tokens.append(piece.ids)
                firsts.append(piece.firsts)
                labels.append(codes[places[-1]])
        taught = np.array([(each >= 0).sum() for each in labels])
        strata = np.array([_rarest(each, common) for each in labels], dtype=np.int64)
        each = (weights[of] * taught).astype(np.float32)
        rows = WordRows(tokens, strata, each, firsts=firsts, labels=labels)
        return cls(rows, np.array(of, dtype=np.int64), places, len(codes))

    def predicted(self, network: Network, out: Order) -> Floats:
        """(words, width)."""
        found = np.full((self.count, network.head.out_features), np.nan)
        some = self.rows.take(out)
        for at, said in zip(
            out.tolist(), read_words(network, some.tokens, some.firsts), strict=True
        ):
            found[self.places[at]] = said
        return found

    def cut_short(self, most: int) -> int:
        """None: what is long is in several pieces."""
        return 0


def _rarest(codes: Codes, common: Codes) -> int:
    """The label of some words that the fewest words have."""
    own = codes[codes >= 0]
    return int(own[common[own].argmin()]) if len(own) else 0
