"""What a label_issues result suggests of labels of words: nearer is what has fewer wrong ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.tasks.suggested import Suggested
from sqlfuncs.learning.tasks.suggested_tags import Lists


def _differing(one: Lists, other: Lists) -> npt.NDArray[np.float64]:
    """In how many words two lists differ, which are of one length."""
    return np.array(
        [
            np.nan
            if a is None or b is None or len(a) != len(b)
            else sum(x != y for x, y in zip(a, b, strict=True))
            for a, b in zip(one, other, strict=True)
        ],
        dtype=float,
    )


_OF_WORDS = Suggested[Lists](
    tags.read_lists,
    _differing,
    "labels of words are not corrected by the model's word alone, which is too often wrong on some "
    "tables: people who look at some rows tell",
)
suggestions, strength = _OF_WORDS.suggestions, _OF_WORDS.strength
