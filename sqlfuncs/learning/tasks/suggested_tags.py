"""What a label_issues result suggests of tags: nearer is what has fewer wrong ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.tasks.suggested import Suggested

Lists = Sequence[list[str] | None]


def _differing(one: Lists, other: Lists) -> npt.NDArray[np.float64]:
    """How many tags only one of two lists has."""
    pairs = zip(one, other, strict=True)
    return np.array(
        [np.nan if a is None or b is None else len({*a} ^ {*b}) for a, b in pairs], dtype=float
    )


_OF_TAGS = Suggested[Lists](
    tags.read_lists,
    _differing,
    "tags are not corrected by the model's word alone, which is too often wrong on some tables: "
    "people who look at some of them tell",
)
suggestions, strength = _OF_TAGS.suggestions, _OF_TAGS.strength
