"""What a label_issues result suggests where labels are numbers, and what people found of it.

A suggestion is right where the true number is nearer to it than to the number given, and does harm
where it is farther: so much can be said of one that is never exactly the true number.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection.verification import Candidates, Reviews
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.numbers import Floats
from sqlfuncs.learning.tasks.base import Mask, Suggestions
from sqlfuncs.learning.tasks.reviews import Reviewed

_UNTOLD = (
    "that a number is unusual for its row does not tell that it is wrong: only people who look at "
    "some of them do"
)


def suggestions(rows: pa.StructArray) -> Suggestions:
    """Of the rows that are flagged, the surest first."""
    given, suggested = (
        numbers.as_numbers(rows.field(name)) for name in ("label", "suggested_label")
    )
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))
    confidence = numbers.as_numbers(rows.field("confidence"))
    usable = flagged & ~np.isnan(given) & ~np.isnan(suggested) & ~np.isnan(confidence)
    places = np.flatnonzero(usable & (given != suggested))
    places = places[np.argsort(-confidence[places], kind="stable")]
    right = confidence[places]
    every = np.arange(len(rows))
    return Suggestions(
        every,
        Candidates(places, right, 1 - right),
        _reviews(rows, given, suggested),
        _UNTOLD,
        lambda: np.zeros(len(rows), dtype=bool),
    )


def strength(rows: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `model_strength` that are about any label."""
    judged = ~np.isnan(numbers.as_numbers(rows.field("label")))
    judged &= np.asarray(rows.field("not_judged").is_null())
    return {
        "judged": pa.array([int(judged.sum())]),
        "can_judge": pa.array([False]),
        "reason": pa.array([_UNTOLD]),
    }


def _reviews(rows: pa.StructArray, given: Floats, suggested: Floats) -> Reviews:
    """What people said of the rows of the result."""
    reviewed = Reviewed.read(rows)
    if reviewed is None:
        return Reviews.none(len(rows))
    new = numbers.as_numbers(reviewed.new_label)
    is_told = reviewed.relabelled & ~np.isnan(new) & (new != given)
    known = reviewed.decided | reviewed.undecided
    wrong = (reviewed.wrong & ~reviewed.relabelled) | is_told
    farther = is_told & _is_nearer(given, suggested, new)
    return Reviews(
        reviewed.ranks,
        known,
        wrong,
        is_told & _is_nearer(suggested, given, new),
        ~wrong | farther,
    )


def _is_nearer(one: Floats, other: Floats, true: Floats) -> Mask:
    """Where one number is nearer to the true one than another is: (rows,)."""
    nearer: Mask = np.abs(one - true) < np.abs(other - true)
    return nearer
