"""What a label_issues result suggests where labels are more or less wrong, and what people found.

A suggestion is right where it is nearer to the true label than the one given, and does harm where
it is farther: it may mend one tag of two. None rests on the model alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.detection.verification import Candidates, Reviews
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.tasks.base import Columns, Mask, Suggestions
from sqlfuncs.learning.tasks.reviews import Reviewed

Side = TypeVar("Side")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suggested(Generic[Side]):
    """Labels of a kind: how they are `read`, those of the result and those that people wrote.

    `distance` says how far two columns of them are apart, (rows,), NaN where one of them is no
    label; `untold` why no correction rests on the model's word alone.
    """

    read: Callable[[pa.Array], Side]
    distance: Callable[[Side, Side], Floats]
    untold: str

    def suggestions(self, rows: pa.StructArray) -> Suggestions:
        """Of the rows that are flagged, the surest first."""
        given, suggested = (self.read(rows.field(name)) for name in ("label", "suggested_label"))
        flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))
        confidence = numbers.as_numbers(rows.field("confidence"))
        usable = flagged & ~np.isnan(confidence) & (self.distance(given, suggested) > 0)
        places = np.flatnonzero(usable)
        places = places[np.argsort(-confidence[places], kind="stable")]
        right = confidence[places]
        return Suggestions(
            np.arange(len(rows)),
            Candidates(places, right, 1 - right),
            self._reviews(rows, given, suggested),
            self.untold,
            lambda: np.zeros(len(rows), dtype=bool),
        )

    def strength(self, issues: pa.StructArray) -> Columns:
        """The columns of `model_strength` that are about any label."""
        given = self.read(issues.field("label"))
        judged: Mask = ~np.isnan(self.distance(given, given))
        judged &= np.asarray(issues.field("not_judged").is_null())
        return {
            "judged": pa.array([int(judged.sum())]),
            "can_judge": pa.array([False]),
            "reason": pa.array([self.untold]),
        }

    def _reviews(self, rows: pa.StructArray, given: Side, suggested: Side) -> Reviews:
        """What people said of the rows of the result."""
        reviewed = Reviewed.read(rows)
        if reviewed is None:
            return Reviews.none(len(rows))
        true = self.read(reviewed.new_label)
        before, after = self.distance(given, true), self.distance(suggested, true)
        wrong = (reviewed.wrong & ~reviewed.relabelled) | (reviewed.relabelled & (before > 0))
        return Reviews(
            reviewed.ranks,
            reviewed.decided | reviewed.undecided,
            wrong,
            reviewed.relabelled & (after < before),
            ~wrong | (reviewed.relabelled & (after > before)),
        )
