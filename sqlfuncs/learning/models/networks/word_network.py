"""A trained network that labels words, as a model: it reads sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sqlfuncs import work
from sqlfuncs.learning.models.networks.model import NetworkModel
from sqlfuncs.learning.rows.base import Floats, Rows
from sqlfuncs.learning.rows.words import WordLists


@dataclass(frozen=True)
class WordNetwork:
    """A network that has been trained, or restored: `model` is what is stored."""

    model: NetworkModel

    def predict(self, rows: Rows) -> Floats:
        """How likely each label is for each word: (words, labels), each row summing to 1."""
        assert isinstance(rows, WordLists)
        from sqlfuncs.learning.models.networks.word_rows import read_words, word_pieces

        network = self.model.network
        pieces = [piece for own in word_pieces(network, rows.values) for piece in own]
        name = network.recipe.base.rpartition("/")[2]
        with work.task(f"reading words with {name}", len(pieces)) as task:
            said = read_words(
                network,
                [each.ids for each in pieces],
                [each.firsts for each in pieces],
                task.advance,
            )
        # Pieces are in the order of the words, each of which is in one.
        return np.vstack([np.empty((0, network.head.out_features)), *said])
