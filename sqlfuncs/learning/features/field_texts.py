"""What heads see of the texts of several fields: of each by itself, and of all of them as one.

Where the fields of a row are parts of one text, what they say together says more; where one of them
says nothing of the label, the others by themselves do. Which of the two it is, the pool finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.features import TextFeatures
from sqlfuncs.learning.features.heads import Head, RowWeights
from sqlfuncs.learning.labels.classes import Codes

MOST_APART = 4  # fields read by themselves, the first ones: each costs as much as all as one text


@dataclass(frozen=True)
class FieldTexts:
    """Features of the texts of fields: `parts` (name, features), the name "" for all as one.

    The features of each part have equally many views, which follow each other.
    """

    parts: Sequence[tuple[str, TextFeatures]]

    @classmethod
    def learn(
        cls, fields: Sequence[tuple[str, Sequence[str]]], model: str
    ) -> tuple[FieldTexts, list[Any]]:
        """Of fields, each its name and texts, "" where it has none; and the views of their rows."""
        read = list(fields[:MOST_APART])
        if len(fields) > 1:
            rows = zip(*(texts for _, texts in fields), strict=True)
            read.append(("", ["\n".join(filter(None, row)) for row in rows]))
        parts: list[tuple[str, TextFeatures]] = []
        views: list[Any] = []
        for name, texts in read:
            there = [row for row, text in enumerate(texts) if text]
            features, own = TextFeatures.learn([texts[row] for row in there], model)
            parts.append((name, features))
            views += [_spread(view, there, len(texts)) for view in own]
        return cls(parts), views

    @property
    def _count(self) -> int:
        """How many views each part has."""
        return self.parts[0][1].count

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> Head:
        """Train a linear head on one of the views."""
        part, at = divmod(place, self._count)
        return self.parts[part][1].fit_head(at, view, codes, n_classes, weights)

    @property
    def view_names(self) -> tuple[str, ...]:
        """What each view is, and of which field."""
        return tuple(
            f"{name}: {view}" if name else view
            for name, features in self.parts
            for view in features.view_names
        )

    def attributions(
        self, heads: Sequence[Head], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """Which words of which field speak for a class, and which for another."""
        said: list[Named] = [[] for _ in pro]
        for part, (name, features) in enumerate(self.parts):
            if name:
                own = slice(part * self._count, (part + 1) * self._count)
                found = features.attributions(heads[own], views[own], pro, contra)
                for row, words in zip(said, found, strict=True):
                    row += [(f"{name}: {word}", weight) for word, weight in words]
        return said


def _spread(view: Any, places: Sequence[int], rows: int) -> Any:
    """A view of some rows as one of all `rows`: 0 for the others, of which nothing is known."""
    from scipy.sparse import csr_matrix, issparse

    if len(places) == rows:
        return view
    if issparse(view):
        ones = np.ones(len(places), dtype=np.float32)
        places_of: Any = csr_matrix((ones, (places, range(len(places)))), (rows, len(places)))
        return places_of @ view
    spread = np.zeros((rows, view.shape[1]), dtype=view.dtype)
    spread[places] = view
    return spread
