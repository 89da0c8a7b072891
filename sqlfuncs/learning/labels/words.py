"""Labels of words: one for each word of a sentence. Imports Arrow, numpy and the errors only.

A column of them comes from its engine as one of tags does: as JSON, an array of text for each row.
All words of a table stand in one array, those of a sentence beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import Codes, codes, in_order, refuse_too_many

KIND = "words"  # of such a column beside one of words, where an engine can tell
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Reasons = npt.NDArray[np.object_]
Places = npt.NDArray[np.int64]

_LEAST = 1e-12


@dataclass(frozen=True)
class Sentences:
    """How the words of a table belong to its rows: `lengths` (rows,), of sentences."""

    lengths: Places

    @property
    def starts(self) -> Places:
        """The place of each sentence's first word: (rows,)."""
        found: Places = np.cumsum(self.lengths) - self.lengths
        return found

    @property
    def of_words(self) -> Places:
        """The row of each word: (words,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def words_of(self, rows: Mask) -> Mask:
        """Which words are of some rows: (words,)."""
        return np.repeat(rows, self.lengths)

    def places(self, rows: Places) -> Places:
        """The places of the words of some rows, in their order.

        >>> Sentences(np.array([2, 1, 1])).places(np.array([2, 0])).tolist()
        [3, 0, 1]
        """
        lengths = self.lengths[rows]
        first = np.repeat(self.starts[rows] - (np.cumsum(lengths) - lengths), lengths)
        found: Places = first + np.arange(len(first))
        return found

    def least(self, values: Floats) -> Floats:
        """The least value of each sentence's words: (words,) to (rows,); infinity without any.

        >>> Sentences(np.array([2, 0, 1])).least(np.array([0.5, 0.2, 0.9])).tolist()
        [0.2, inf, 0.9]
        """
        found = np.full(len(self.lengths), np.inf)
        np.minimum.at(found, self.of_words, values)
        return found

    def product(self, values: Floats) -> Floats:
        """How likely all words of each sentence are right, as if errors were independent."""
        logs = np.log(np.maximum(values, _LEAST))
        found: Floats = np.exp(np.bincount(self.of_words, logs, len(self.lengths)))
        return found

    def any(self, values: Mask) -> Mask:
        """Whether it is true of a word: (words,) to (rows,)."""
        found = np.zeros(len(self.lengths), dtype=bool)
        np.logical_or.at(found, self.of_words, values)
        return found


@dataclass(frozen=True)
class WordLabels:
    """A column of them: the `lists` of each row, None where it has no label; and `reasons` why."""

    lists: list[list[str] | None]
    reasons: Reasons

    def names(self) -> tuple[str, ...]:
        """The different labels, in order. Raises TooManyClasses."""
        found = in_order({label for each in self.lists for label in each or []})
        refuse_too_many(sum(len(each or []) for each in self.lists), len(found))
        return found

    def fit(self, lengths: Places) -> WordLabels:
        """The same; a row that has not as many labels as words, (rows,), has none and says so."""
        lists, reasons = list(self.lists), self.reasons.copy()
        for row, (own, length) in enumerate(zip(self.lists, lengths.tolist(), strict=True)):
            if own is not None and len(own) != length:
                lists[row] = None
                reasons[row] = f"the row has {length:,} words and {len(own):,} labels"
        return WordLabels(lists, reasons)

    def codes(self, sentences: Sentences, names: Sequence[str]) -> Codes:
        """The place of each word's label among `names`: (words,), -1 where there is none."""
        pieces: list[str | None] = []
        for own, length in zip(self.lists, sentences.lengths.tolist(), strict=True):
            pieces += [None] * length if own is None else own
        return codes(pieces, names)


def read(rows: pa.StructArray, name: str = "label") -> WordLabels:
    """The labels in a field of JSON. Raises BadInput where no row has any.

    NULL is no label; what holds NULL or a blank one is none, and says so.
    """
    lists, whys = tags.read_with_reasons(rows.field(name))
    reasons = np.array([*map(_of_words, whys), None], dtype=object)[:-1]
    if lists and not any(lists):
        raise BadInput(f"no row has a word with a label in {name}: there is nothing to learn.")
    return WordLabels(lists, reasons)


def written(names: Sequence[str], sentences: Sentences, given: Codes, rows: Mask) -> pa.Array:
    """Labels of words (words,) as JSON, NULL but for some rows.

    >>> two = Sentences(np.array([2, 1]))
    >>> written(("O", "P"), two, np.array([1, 0, 0]), np.array([True, False])).to_pylist()
    ['["P","O"]', None]
    """
    starts = sentences.starts
    ends = starts + sentences.lengths
    lists = (
        given[start:end] if known else None
        for start, end, known in zip(starts, ends, rows.tolist(), strict=True)
    )
    return tags.as_json(names, lists)


def _of_words(why: str | None) -> str | None:
    return why if why is None else why.replace("list of tags", "list of labels")
