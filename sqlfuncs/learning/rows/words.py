"""Rows that are sentences, as lists of words, or somebody's probabilities of each word's labels.

They are rows where labels are of words alone: `registry` does not know them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.encoders import words as encoders
from sqlfuncs.learning.labels.words import Places, Sentences
from sqlfuncs.learning.rows.base import Chosen, Reasons, Rows, is_usable
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.rows.types import is_list, is_text
from sqlfuncs.wording import Given, Option, TypeName, Words


@dataclass(frozen=True)
class WordLists(Rows):
    """Sentences: the words of each row, none where `reasons` has one."""

    kind = "words"
    called = "lists of words"
    example = Words("words (", TypeName(pa.list_(pa.string())), ")")
    can_be_trained_on = True

    values: list[list[str]]
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Lists of text."""
        return is_list(of) and is_text(of.value_type)

    @classmethod
    def read(cls, x: pa.Array) -> WordLists:
        """The words of a column. Empty lists, and those that hold NULL, cannot be used."""
        whole: list[list[str | None] | None] = x.to_pylist()
        reasons = np.array([*map(_why_not, whole), None], dtype=object)[:-1]
        values = [
            [word or "" for word in each or []] if why is None else []
            for each, why in zip(whole, reasons.tolist(), strict=True)
        ]
        return cls(values, reasons)

    @classmethod
    def asked(cls, x: pa.Array) -> WordLists:
        """The words of a column that a model is asked about: empty lists are rows like others.

        A word that is NULL is read as one without a letter.
        """
        whole: list[list[str | None] | None] = x.to_pylist()
        reasons = np.array([*(None if each is not None else "x is NULL" for each in whole), None])
        return cls([[word or "" for word in each or []] for each in whole], reasons[:-1])

    def reading(self, model: str) -> str:
        """With which encoder. Raises BadOption for 'best', which has no more to read words with."""
        if model != "fast":
            raise BadOption(
                f"{Option('base', Given(model))} reads texts; words it would read as 'fast' does. "
                f"Labels of words may have {Option('base', 'fast')} or an encoder: 'minilm'."
            )
        by = encoders.of_fast()
        return "words" if by is None else f"words {by.reading()}"

    def to_arrow(self) -> pa.Array:
        """As lists of strings."""
        return pa.array(self.values, pa.list_(pa.string()))

    @property
    def sentences(self) -> Sentences:
        """Which words are of which row."""
        return Sentences(np.array([len(each) for each in self.values], dtype=np.int64))

    @property
    def words(self) -> Sentences:
        """See `Rows.words`."""
        return self.sentences

    def chosen(self, places: Chosen) -> WordLists:
        """Some of the rows."""
        return WordLists([self.values[place] for place in places], self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of each sentence's words."""
        return [_digest(each) for each in self.values]


@dataclass(frozen=True)
class WordProbabilities(Rows):
    """For each word of a sentence how likely each label is: `of_words` are all words' maps."""

    kind = "word probabilities"
    called = "maps of probabilities of words"
    example = Words("maps (", TypeName(pa.list_(pa.map_(pa.string(), pa.float64()))), ")")
    needs_model = False

    sentences: Sentences
    of_words: Probabilities
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Lists of maps."""
        return is_list(of) and bool(pa.types.is_map(of.value_type))

    @classmethod
    def read(cls, x: pa.Array) -> WordProbabilities:
        """The maps of a column. A row of which one is no distribution cannot be used."""
        lengths = pc.fill_null(pc.list_value_length(x), 0).to_numpy(zero_copy_only=False)
        said = Probabilities.read(x.filter(x.is_valid()).flatten() if x.null_count else x.flatten())
        sentences = Sentences(lengths.astype(np.int64))
        reasons = np.full(len(x), None, dtype=object)
        for word in np.flatnonzero(~is_usable(said.reasons))[::-1].tolist():
            row, place = _place(sentences, word)
            reasons[row] = f"word {place}: {said.reasons[word]}"
        reasons[lengths == 0] = "the sentence has no words"
        reasons[np.asarray(x.is_null())] = "x is NULL"
        return cls(sentences, said, reasons)

    def chosen(self, places: Chosen) -> WordProbabilities:
        """Some of the rows."""
        own = Sentences(self.sentences.lengths[places])
        words = self.of_words.chosen(self.sentences.places(places))
        return WordProbabilities(own, words, self.reasons[places])

    def digests(self) -> list[bytes]:
        """The numbers of each row."""
        values, starts = self.of_words.values, self.sentences.starts
        return [
            (values[start : start + length] + 0.0).tobytes()
            for start, length in zip(starts, self.sentences.lengths, strict=True)
        ]


def are_words(of: pa.DataType) -> bool:
    """Whether rows of a type are of words: then a list of text beside them labels each of these.

    >>> are_words(pa.list_(pa.string())), are_words(pa.list_(pa.float32()))
    (True, False)
    """
    return WordLists.is_type(of) or WordProbabilities.is_type(of)


def _why_not(words: Sequence[str | None] | None) -> str | None:
    if words is None:
        return "x is NULL"
    if any(word is None for word in words):
        return "the list of words holds NULL"
    return None if words else "the sentence has no words"


def _place(sentences: Sentences, word: int) -> tuple[int, int]:
    """The row of a word, and its place there, from 1."""
    ends: Places = np.cumsum(sentences.lengths)
    row = int(np.searchsorted(ends, word, side="right"))
    return row, word - int(sentences.starts[row]) + 1


def _digest(words: Sequence[str]) -> bytes:
    """Of words and where they end: no two lists have the same."""
    pieces = [word.encode("utf-8", "surrogatepass") for word in words]
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    return sha256(lengths.tobytes() + b"".join(pieces)).digest()
