"""Why models think that labels are wrong, of rows whose features say nothing of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.features.heads import AnyHead, Learned
from sqlfuncs.learning.models.explaining import Explainer, Why
from sqlfuncs.learning.rows.base import Chosen
from sqlfuncs.learning.rows.embedding import Embeddings


@dataclass(frozen=True)
class _Bare:
    """Features as a package may have them: heads, and no names."""

    own: Learned[AnyHead]

    def fit_head(self, place: int, view: Any, codes: Any, n_classes: int) -> AnyHead:
        return self.own.fit_head(place, view, codes, n_classes)


class _Foreign(Embeddings):
    def chosen(self, places: Chosen) -> _Foreign:
        return _Foreign(**vars(super().chosen(places)))

    def features(self, model: str) -> tuple[Any, list[Any]]:
        learned, views = super().features(model)
        return _Bare(learned), views


def test_heads_vote_by_their_numbers() -> None:
    x = pa.array([[float(i % 2), 1.0, i / 99] for i in range(60)], pa.list_(pa.float32()))
    codes = np.arange(60) % 2
    codes[7] = 0
    learned = np.arange(60) != 7
    asked, suggested = np.array([7]), np.array([1])
    explainer = Explainer(_Foreign(**vars(Embeddings.read(x))), codes, 2, learned, "fast")
    assert explainer.explain(asked, suggested) == [Why({"view 1": 1}, [])]
