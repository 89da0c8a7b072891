"""Numbers that a model is trained on, on a scale of their own (`labels.number_scale`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import TooFewClasses
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.number_scale import Scale
from sqlfuncs.learning.models.decoding import NumberDecoder, Said
from sqlfuncs.learning.models.number_target import NumberTarget
from sqlfuncs.learning.models.target import Floats, counts_of
from sqlfuncs.learning.rows.base import Reasons
from sqlfuncs.learning.tasks.taught import TaughtWhole, contradicting
from sqlfuncs.statistics import regression
from sqlfuncs.wording import Snippet

_LEAST = 1e-12
_WORST = -1e6  # of a share of variance: what is below has no meaning


def read(rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
    """The labels as the shortest text of each number, and why a row has none."""
    own = numbers.read(rows)
    return [None if value != value else repr(value) for value in own.values.tolist()], own.reasons


@dataclass(frozen=True)
class TaughtNumbers(TaughtWhole):
    """One number for each row."""

    texts: Sequence[str]
    way = "numbers 1"
    loss = "smooth_l1"
    classes = ()

    @cached_property
    def values(self) -> Floats:
        """The numbers."""
        return np.array([float(text) for text in self.texts])

    @cached_property
    def scale(self) -> Scale:
        """How models see them."""
        return Scale.of(self.values, self.values).with_most(self.values)

    def target(self, weights: RowWeights | None = None) -> NumberTarget:
        """The numbers on their scale. One that is far out teaches as if it was less far."""
        return NumberTarget(self.scale.taught(self.values), weights)

    def refuse_useless(self) -> None:
        """See `Taught.refuse_useless`."""
        if (self.values == self.values[0]).all():
            raise TooFewClasses(
                f"every row has the number {self.values[0]:g}: it takes two or more. "
                f"{Snippet('how columns are named')}"
            )

    @property
    def counts(self) -> Mapping[str, int]:
        """None: numbers are no classes."""
        return {}

    def warnings(self, contradictions: int) -> list[str]:
        """See `Taught.warnings`."""
        return contradicting(contradictions, "another number as well")

    def decoder(self, predicted: Floats, weights: RowWeights | None = None) -> NumberDecoder:
        """With a line through the labels over the predictions: few epochs hardly leave the mean."""
        known = ~np.isnan(predicted[:, 0])
        if not known.any():
            return NumberDecoder(self.scale)
        counts = counts_of(weights, known)[:, 0]
        if not counts.any():
            counts = np.ones(len(counts))
        said, true = predicted[known, 0], self.scale.taught(self.values[known])
        centre, mean = (float(np.average(each, weights=counts)) for each in (said, true))
        spread = float((counts * (said - centre) ** 2).sum())
        slope = float((counts * (said - centre) * (true - mean)).sum()) / max(spread, _LEAST)
        slope = max(slope, 0.0)
        line = replace(
            self.scale,
            centre=self.scale.centre + self.scale.spread * (mean - slope * centre),
            spread=self.scale.spread * slope,
        )
        return NumberDecoder(line)

    def _score(self, places: npt.NDArray[np.int64], said: Sequence[Said]) -> float | None:
        """The share of the variance that is explained, R squared; None where that has no sense."""
        predicted = np.array([float(number) for each in said for number in each.labels])
        if not np.isfinite(predicted).all():
            return None
        count = np.ones(len(places), dtype=np.int64)
        found = regression.evaluate(self.values[places], predicted, count).r2
        return found if found > _WORST else None
