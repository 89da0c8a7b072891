"""What a word is like, and those around it: hashed, one row for each word. Imports numpy.

Its letters, its first and last ones, its shape ('Xxx', '00') and the same of its neighbours: what
taggers without a network rest on (Ratinov, Roth: Design Challenges and Misconceptions in Named
Entity Recognition, CoNLL 2009, section 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from sqlfuncs import work

_COLUMNS = 2**20
_FEWEST = 2  # words that have a feature before anything is learned of it
_LONGEST = 4  # letters of a beginning or an end
_LETTERS = 64  # of a word: no more of them are looked at
_OUTSIDE = "\0"  # stands for what is before a sentence and after it
_CLASSES = ((re.compile("[A-Z]"), "X"), (re.compile("[a-z]"), "x"), (re.compile("[0-9]"), "0"))
_LONG_RUN = re.compile(r"(.)\1{2,}")


def shape(word: str) -> str:
    """Letters by their kinds, and no more than two of one kind in a row.

    >>> shape("McDonald's"), shape("1996-08-22")
    ("XxXxx'x", '00-00-00')
    """
    for which, stands in _CLASSES:
        word = which.sub(stands, word)
    return _LONG_RUN.sub(r"\1\1", word)


@dataclass(frozen=True)
class WordFeatures:
    """The features that something is learned of: `columns` (features,), of all that are hashed."""

    columns: npt.NDArray[np.int32]

    @classmethod
    def learn(cls, sentences: Sequence[Sequence[str]]) -> tuple[WordFeatures, Any]:
        """Those that two words or more have, and of all words which they have."""
        whole = _whole(sentences)
        often = np.bincount(whole.indices, minlength=_COLUMNS) >= _FEWEST
        learned = cls(np.flatnonzero(often).astype(np.int32))
        return learned, whole[:, learned.columns].tocsr()

    def of(self, sentences: Sequence[Sequence[str]]) -> Any:
        """Which of them words have: a sparse matrix of zeros and ones, (words, features)."""
        return _whole(sentences)[:, self.columns].tocsr()


def _whole(sentences: Sequence[Sequence[str]]) -> Any:
    """The features of all words: a sparse matrix of zeros and ones, (words, columns)."""
    from scipy.sparse import csr_matrix

    known: dict[str, int] = {}
    columns, ends = list[int](), [0]
    for words in work.checked(sentences):
        for features in of_sentence([word[:_LETTERS] for word in words]):
            columns += [_column(known, feature) for feature in features]
            ends.append(len(columns))
    at = np.array(columns, dtype=np.int32)
    values = np.ones(len(at), dtype=np.float32)
    matrix = csr_matrix((values, at, np.array(ends)), shape=(len(ends) - 1, _COLUMNS))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def of_sentence(words: Sequence[str]) -> Iterator[list[str]]:
    """The features of each word of a sentence, by name."""
    low, shapes = [word.lower() for word in words], [shape(word) for word in words]
    padded = [_OUTSIDE, _OUTSIDE, *low, _OUTSIDE, _OUTSIDE]
    forms = [_OUTSIDE, _OUTSIDE, *shapes, _OUTSIDE, _OUTSIDE]
    for at, word in enumerate(words):
        before2, before, own, after, after2 = padded[at : at + 5]
        form2, form, shaped, next_form, next_form2 = forms[at : at + 5]
        features = [f"w{word}", f"l{own}", f"s{shaped}"]
        features += [f"b{min(at, 2)}", f"e{min(len(words) - 1 - at, 1)}"]
        for length in range(1, _LONGEST + 1):
            features += [f"p{length}{own[:length]}", f"q{length}{own[-length:]}"]
        features += [f"l-2{before2}", f"l-1{before}", f"l+1{after}", f"l+2{after2}"]
        features += [f"s-2{form2}", f"s-1{form}", f"s+1{next_form}", f"s+2{next_form2}"]
        features += [f"q-1{before[-3:]}", f"q+1{after[-3:]}"]
        features += [f"<{before} {own}", f">{own} {after}", f"={form} {shaped} {next_form}"]
        yield features


def _column(known: dict[str, int], feature: str) -> int:
    column = known.get(feature)
    if column is None:
        column = crc32(feature.encode("utf-8", "surrogatepass")) % _COLUMNS
        known[feature] = column
    return column
