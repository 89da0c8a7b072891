"""What a label_issues result suggests where labels are tags, and what people found of it.

A suggestion is right where fewer of its tags differ from the true ones than of those given, and
does harm where more do: it may mend one tag of two.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection.verification import Candidates, Reviews
from sqlfuncs.learning.labels import numbers, tags
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.tasks.base import Mask, Suggestions
from sqlfuncs.learning.tasks.reviews import Reviewed

_UNTOLD = (
    "tags are not corrected by the model's word alone, which is too often wrong on some tables: "
    "people who look at some of them tell"
)


def suggestions(rows: pa.StructArray) -> Suggestions:
    """Of the rows that are flagged, the surest first."""
    given, suggested = (tags.read_lists(rows.field(n)) for n in ("label", "suggested_label"))
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))
    confidence = numbers.as_numbers(rows.field("confidence"))
    usable = flagged & ~np.isnan(confidence) & _are_known(given) & _are_known(suggested)
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
    judged = _are_known(tags.read_lists(rows.field("label")))
    judged &= np.asarray(rows.field("not_judged").is_null())
    return {
        "judged": pa.array([int(judged.sum())]),
        "can_judge": pa.array([False]),
        "reason": pa.array([_UNTOLD]),
    }


def _are_known(lists: list[list[str] | None]) -> Mask:
    return np.array([each is not None for each in lists], dtype=bool)


def _reviews(
    rows: pa.StructArray, given: list[list[str] | None], suggested: list[list[str] | None]
) -> Reviews:
    """What people said of the rows of the result."""
    reviewed = Reviewed.read(rows)
    if reviewed is None:
        return Reviews.none(len(rows))
    texts = reviewed.new_label.to_pylist()
    told = [None if text is None else tags.parsed(text) for text in texts]
    names = in_order({tag for each in (*given, *suggested, *told) for tag in each or []})
    one, other, true = (
        tags.coded([each or [] for each in lists], names) for lists in (given, suggested, told)
    )
    is_told = reviewed.relabelled & _are_known(told)
    before, after = (one != true).sum(axis=1), (other != true).sum(axis=1)
    wrong = (reviewed.wrong & ~reviewed.relabelled) | (is_told & (before > 0))
    return Reviews(
        reviewed.ranks,
        reviewed.decided | reviewed.undecided,
        wrong,
        is_told & (after < before),
        ~wrong | (is_told & (after > before)),
    )
