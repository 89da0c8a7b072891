"""What a label_issues result suggests where labels are of words, and what people found of it.

A suggestion is right where fewer of its words differ from the true labels than of those given, and
does harm where more do: it may mend one word of two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.detection.verification import Candidates, Reviews
from sqlfuncs.learning.labels import numbers, tags
from sqlfuncs.learning.tasks.base import Suggestions
from sqlfuncs.learning.tasks.reviews import Reviewed

Lists = Sequence[list[str] | None]

_UNTOLD = (
    "labels of words are not corrected by the model's word alone, which is too often wrong on some "
    "tables: people who look at some rows tell"
)


def suggestions(rows: pa.StructArray) -> Suggestions:
    """Of the rows that are flagged, the surest first."""
    given, suggested = (tags.read_lists(rows.field(n)) for n in ("label", "suggested_label"))
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))
    confidence = numbers.as_numbers(rows.field("confidence"))
    usable = flagged & ~np.isnan(confidence) & (_differing(given, suggested) > 0)
    places = np.flatnonzero(usable)
    places = places[np.argsort(-confidence[places], kind="stable")]
    right = confidence[places]
    return Suggestions(
        np.arange(len(rows)),
        Candidates(places, right, 1 - right),
        _reviews(rows, given, suggested),
        _UNTOLD,
        lambda: np.zeros(len(rows), dtype=bool),
    )


def strength(rows: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `model_strength` that are about any label."""
    given = tags.read_lists(rows.field("label"))
    judged = np.array([each is not None for each in given], dtype=bool)
    judged &= np.asarray(rows.field("not_judged").is_null())
    return {
        "judged": pa.array([int(judged.sum())]),
        "can_judge": pa.array([False]),
        "reason": pa.array([_UNTOLD]),
    }


def _reviews(rows: pa.StructArray, given: Lists, suggested: Lists) -> Reviews:
    """What people said of the rows of the result."""
    reviewed = Reviewed.read(rows)
    if reviewed is None:
        return Reviews.none(len(rows))
    texts = reviewed.new_label.to_pylist()
    true = [None if text is None else tags.parsed(text) for text in texts]
    before, after = _differing(given, true), _differing(suggested, true)
    is_told = reviewed.relabelled & (before >= 0)
    is_compared = is_told & (after >= 0)
    wrong = (reviewed.wrong & ~reviewed.relabelled) | (is_told & (before > 0))
    return Reviews(
        reviewed.ranks,
        reviewed.decided | reviewed.undecided,
        wrong,
        is_compared & (after < before),
        ~wrong | (is_compared & (after > before)),
    )


def _differing(one: Lists, other: Lists) -> npt.NDArray[np.int64]:
    """In how many words lists differ: (rows,); -1 where they are not of one length."""
    return np.array(
        [
            -1
            if a is None or b is None or len(a) != len(b)
            else sum(x != y for x, y in zip(a, b, strict=True))
            for a, b in zip(one, other, strict=True)
        ],
        dtype=np.int64,
    )
