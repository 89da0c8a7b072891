"""Numbers as a target of models: a row has one amount, and its prediction is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.features.ridge import LeftOut, fit_regressor, left_out
from sqlfuncs.learning.models.number_copies import with_copies
from sqlfuncs.learning.models.target import Floats, Mask, Pooling, Target, Whole, counts_of

_STRATA = 5  # parts of the numbers of which each fold has evenly many


@dataclass(frozen=True)
class LeastSquares:
    """A weighted sum of what heads predict: `weights`, each 0 or more, around `mean`."""

    weights: tuple[float, ...]
    mean: float
    name: ClassVar[str] = "least squares"

    def state(self) -> dict[str, Any]:
        """See `pooling.StoredPool`."""
        return {"weights": self.weights, "mean": self.mean}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LeastSquares:
        """See `pooling.StoredPool`."""
        return cls(tuple(state["weights"]), state["mean"])

    def __call__(self, predictions: Sequence[Floats]) -> Floats:
        """Of each head (rows, 1), of all together the same."""
        pooled = np.full_like(predictions[0], self.mean)
        for weight, predicted in zip(self.weights, predictions, strict=True):
            pooled += weight * (predicted - self.mean)
        return pooled


@dataclass(frozen=True)
class NumberTarget(Target):
    """`values` (rows,), NaN for rows without a label; of a variance of about 1.

    `weights` (rows,) are how much each row counts where heads are pooled; all the same if None.
    """

    values: Floats
    weights: RowWeights | None = None
    width = 1

    @property
    def _known(self) -> Mask:
        known: Mask = ~np.isnan(self.values)
        return known

    @property
    def strata(self) -> Whole:
        """Fifths of the numbers, in their order."""
        parts = np.full(len(self.values), -1, dtype=np.int64)
        known = self.values[self._known]
        if len(known):
            edges = np.quantile(known, np.linspace(0, 1, _STRATA + 1)[1:-1])
            parts[self._known] = np.searchsorted(edges, known, side="right")
        return parts

    @property
    def ranks(self) -> Whole:
        """The numbers in their order."""
        ranks = np.full(len(self.values), -1, dtype=np.int64)
        ranks[self._known] = np.unique(self.values[self._known], return_inverse=True)[1]
        return ranks

    def as_values(self) -> Floats:
        """The numbers."""
        return self.values[:, None]

    def chosen(self, places: Whole | Mask) -> NumberTarget:
        """The same numbers, of some rows."""
        return NumberTarget(
            self.values[places], None if self.weights is None else self.weights[places]
        )

    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head that predicts a number."""
        return fit_regressor(learned, place, view, self.values[:, None], weights)

    def left_out(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> LeftOut:
        """By normal equations, where heads solve them."""
        short = left_out(learned, place, view, self.values[:, None], weights)
        return short or super().left_out(learned, place, view, weights)

    def pool(self, predictions: Sequence[Floats]) -> Pooling:
        """By least squares with weights of 0 or more (Breiman: Stacked regressions, 1996).

        >>> says, noise = np.arange(9.0)[:, None], np.zeros((9, 1))
        >>> NumberTarget(np.arange(9.0)).pool([says, noise])([says, noise])[3].round(3).tolist()
        [3.0]
        """
        from scipy.optimize import nnls

        known = self._known
        if known.sum() < 2:
            return LeastSquares((1 / len(predictions),) * len(predictions), 0.0)
        counts = counts_of(self.weights, known)
        mean = float(np.average(self.values[known], weights=counts[:, 0]))
        said = np.hstack([each[known] for each in predictions]) - mean
        root = np.sqrt(counts)
        weights, _ = nnls(root * said, root[:, 0] * (self.values[known] - mean))
        return LeastSquares(tuple(weights.tolist()), mean)

    def with_copies(
        self, keys: Sequence[bytes], predicted: Floats, unseen: Mask
    ) -> tuple[Floats, Mask]:
        """See `number_copies`."""
        return with_copies(keys, self.values[:, None], predicted), unseen
