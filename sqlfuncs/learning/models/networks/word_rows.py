"""Pieces of sentences that a network labels word by word, by each word's first token. Uses torch.

What else a word consists of has been read as well, and would have to be told which of its tokens
speaks (Devlin et al.: BERT, NAACL 2019, section 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from sqlfuncs.learning.encoders.reading import read_tokens
from sqlfuncs.learning.encoders.word_tokens import CONTEXT, WordTokens
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.networks.network import Network
from sqlfuncs.learning.models.networks.objective import NO_LABEL
from sqlfuncs.learning.models.networks.training import Rows, predicted

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WordPiece:
    """Tokens, `firsts` of which begin a word, and which `words` of the sentence these are."""

    ids: list[int]
    firsts: Places
    words: Places


@dataclass(frozen=True)
class WordRows(Rows):
    """What is learned from: `labels` of the words of each piece, which begin at tokens `firsts`.

    A label is -1 of a word that teaches nothing.
    """

    firsts: Sequence[Places] = field(default_factory=tuple)
    labels: Sequence[Codes] = field(default_factory=tuple)

    def take(self, places: Places) -> WordRows:
        """Some of the pieces."""
        return WordRows(
            [self.tokens[at] for at in places],
            self.codes[places],
            self.weights[places],
            firsts=[self.firsts[at] for at in places],
            labels=[self.labels[at] for at in places],
        )

    def tensor(self) -> torch.Tensor:
        """The label of each token, (pieces, longest), `NO_LABEL` of most."""
        found = torch.full((len(self.tokens), max(map(len, self.tokens))), NO_LABEL)
        for row, (firsts, labels) in enumerate(zip(self.firsts, self.labels, strict=True)):
            has_label = labels >= 0
            found[row, firsts[has_label]] = torch.from_numpy(labels[has_label])
        return found

    def how_good(self, network: Network) -> Floats:
        """The share of words that are right: (pieces,)."""
        said = read_words(network, self.tokens, self.firsts)
        pairs = (
            (each.argmax(axis=1) == labels)[labels >= 0]
            for each, labels in zip(said, self.labels, strict=True)
        )
        return np.array([right.mean() if len(right) else 0.0 for right in pairs])


def word_pieces(network: Network, sentences: Sequence[Sequence[str]]) -> Iterator[list[WordPiece]]:
    """Of each sentence its pieces, as long as the network reads at once."""
    cut = WordTokens(network.tokenizer, network.recipe.max_tokens)
    for pieces in cut.pieces(sentences):
        found = list[WordPiece]()
        for ids, of in pieces:
            words, firsts = np.unique(np.array(of, dtype=np.int64), return_index=True)
            own = words != CONTEXT
            found.append(WordPiece(ids, firsts[own] + cut.before, words[own]))
        yield found


def read_words(
    network: Network,
    tokens: Sequence[Sequence[int]],
    firsts: Sequence[Places],
    step: Callable[[int], None] = lambda pieces: None,
) -> list[Floats]:
    """How likely each label is for each piece's words: (words, labels). `step` counts pieces."""
    found: list[Floats] = [np.empty((0, 0))] * len(tokens)
    network.eval()
    for places, said, _ in read_tokens(tokens, predicted, network, network.usable_devices()):
        for place, each in zip(places, said, strict=True):
            found[place] = each[firsts[place]].astype(np.float64)
        step(len(places))
    return found
