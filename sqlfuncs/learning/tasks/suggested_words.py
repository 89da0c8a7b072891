"""What a label_issues result suggests of labels of words: nearer is what has fewer wrong entities.

Entities are what `evaluate` counts: one of which a word of two is mended stays wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.tasks.suggested import Suggested
from sqlfuncs.learning.tasks.suggested_tags import Lists
from sqlfuncs.statistics.entities import entities


def distance(one: Lists, other: Lists) -> npt.NDArray[np.float64]:
    """How many entities only one of two lists has, (rows,); NaN for lists of different lengths.

    Where two are as far by their entities words tell, all of which add less than one entity.

    >>> true = [["B-PER", "I-PER", "O"]] * 3
    >>> distance([["B-PER", "I-PER", "O"], ["B-PER", "O", "O"], ["O", "O", "O"]], true).tolist()
    [0.0, 2.25, 1.5]
    """
    pairs = zip(one, other, strict=True)
    return np.array(
        [np.nan if a is None or b is None else _of_sentence(a, b) for a, b in pairs], dtype=float
    )


def _of_sentence(one: Sequence[str], other: Sequence[str]) -> float:
    if len(one) != len(other):
        return np.nan
    words = sum(a != b for a, b in zip(one, other, strict=True))
    return len(entities(one) ^ entities(other)) + words / (len(one) + 1)


_OF_WORDS = Suggested[Lists](
    tags.read_lists,
    distance,
    "labels of words are not corrected by the model's word alone, which is too often wrong on some "
    "tables: people who look at some rows tell",
)
suggestions, strength = _OF_WORDS.suggestions, _OF_WORDS.strength
