"""Tags as a target of models: a row has any number of them, and its prediction is how likely each.

Heads are lines through the tags as zeros and ones, all learned at once; what they say together is
calibrated for each tag (Platt: Probabilistic outputs for support vector machines, 1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.features.ridge import LeftOut, fit_regressor, left_out
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.models.number_copies import with_copies
from sqlfuncs.learning.models.target import Floats, Mask, Pooling, Target, Whole, counts_of

_STEPS = 25
_USUAL_SLOPE = 1.5  # of a tag's log odds, by a standard deviation of what heads say
_SLOPES_PRIOR = 5.0  # how firmly slopes are held to the usual one
_INTERCEPTS_PRIOR = 1e-3
_LEAST_SPREAD = 1e-6
_OF_TAGS = ("means", "spreads", "slopes", "intercepts")


@dataclass(frozen=True)
class Calibrated:
    """A weighted sum of what heads say of each tag, as a probability.

    `weights` are of heads; `means`, `spreads`, `slopes` and `intercepts` (tags,) of tags.
    """

    weights: tuple[float, ...]
    means: Floats
    spreads: Floats
    slopes: Floats
    intercepts: Floats
    name: ClassVar[str] = "calibrated"

    def state(self) -> dict[str, Any]:
        """See `pooling.StoredPool`."""
        of_tags = {name: getattr(self, name).tolist() for name in _OF_TAGS}
        return {"weights": self.weights, **of_tags}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Calibrated:
        """See `pooling.StoredPool`."""
        return cls(tuple(state["weights"]), *(np.array(state[name]) for name in _OF_TAGS))

    def __call__(self, predictions: Sequence[Floats]) -> Floats:
        """Of each head (rows, tags), of all together how likely each tag is."""
        score = _summed(self.weights, predictions, self.means) / self.spreads
        return _sigmoid(score * self.slopes + self.intercepts)


@dataclass(frozen=True)
class TagTarget(Target):
    """`values` (rows, tags): 1 where a row has a tag, else 0; NaN for rows without a label.

    `weights` (rows,) are how much each row counts where heads are pooled; all the same if None.
    """

    values: Floats
    weights: RowWeights | None = None

    @property
    def width(self) -> int:  # type: ignore[override]
        """The number of tags."""
        return int(self.values.shape[1])

    @property
    def _known(self) -> Mask:
        known: Mask = ~np.isnan(self.values[:, 0])
        return known

    @property
    def strata(self) -> Whole:
        """The rarest tag of each row, so that each fold has some of it; the last for no tag."""
        found = np.full(len(self.values), -1, dtype=np.int64)
        given = self.values[self._known] > 0
        counts = np.where(given, given.sum(axis=0), len(given) + 1)
        found[self._known] = np.where(given.any(axis=1), counts.argmin(axis=1), self.width)
        return found

    @property
    def ranks(self) -> Whole:
        """An order of sets of tags."""
        found = np.full(len(self.values), -1, dtype=np.int64)
        packed = np.packbits(self.values[self._known] > 0, axis=1)
        found[self._known] = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
        return found

    def as_values(self) -> Floats:
        """The zeros and ones."""
        return self.values

    def chosen(self, places: Whole | Mask) -> TagTarget:
        """The same tags, of some rows."""
        return TagTarget(
            self.values[places], None if self.weights is None else self.weights[places]
        )

    def refuse_too_many(self) -> None:
        """Raise TooManyClasses."""
        classes.refuse_too_many(len(self.values), self.width)

    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head that says of each tag how much it is there."""
        return fit_regressor(learned, place, view, self.values, weights)

    def left_out(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> LeftOut:
        """By normal equations, where heads solve them."""
        short = left_out(learned, place, view, self.values, weights)
        return short or super().left_out(learned, place, view, weights)

    def pool(self, predictions: Sequence[Floats]) -> Pooling:
        """Heads weighed by least squares over all tags, then each tag calibrated."""
        from scipy.optimize import nnls

        known = self._known
        given = self.values[known]
        counts = counts_of(self.weights, known)
        said = [each[known] for each in predictions]
        means = np.average(given, axis=0, weights=counts[:, 0])
        root = np.sqrt(counts)
        centred = np.stack([(root * (each - means)).ravel() for each in said], axis=1)
        found, _ = nnls(centred, (root * (given - means)).ravel())
        weights = tuple(found.tolist()) if found.any() else (1 / len(said),) * len(said)
        score = _summed(weights, said, means)
        spreads = np.maximum(score.std(axis=0), _LEAST_SPREAD)
        slopes, intercepts = _calibrate(score / spreads, given, counts)
        return Calibrated(weights, means, spreads, slopes, intercepts)

    def with_copies(
        self, keys: Sequence[bytes], predicted: Floats, unseen: Mask
    ) -> tuple[Floats, Mask]:
        """See `number_copies`."""
        return with_copies(keys, self.values, predicted).clip(0, 1), unseen


def _summed(weights: Sequence[float], predictions: Sequence[Floats], means: Floats) -> Floats:
    total = np.zeros_like(predictions[0])
    for weight, predicted in zip(weights, predictions, strict=True):
        total += weight * (predicted - means)
    return total


def _calibrate(score: Floats, given: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """The slope and intercept of each tag's log odds by Newton's method: both (tags,).

    `counts` (rows, 1) are how much each row counts. Slopes are held to the usual one, and
    intercepts start where as many rows have the tag.
    """
    rate = ((given * counts).sum(axis=0) + 0.5) / (counts.sum() + 1)
    slopes, intercepts = np.full(len(rate), _USUAL_SLOPE), np.log(rate / (1 - rate))
    for _ in range(_STEPS):
        likely = _sigmoid(score * slopes + intercepts)
        off, bent = counts * (likely - given), counts * likely * (1 - likely)
        steep = (off * score).sum(axis=0) + _SLOPES_PRIOR * (slopes - _USUAL_SLOPE)
        high = off.sum(axis=0) + _INTERCEPTS_PRIOR * intercepts
        aa = (bent * score**2).sum(axis=0) + _SLOPES_PRIOR
        ab, bb = (bent * score).sum(axis=0), bent.sum(axis=0) + _INTERCEPTS_PRIOR
        size = aa * bb - ab**2
        slope_step, intercept_step = (
            (bb * steep - ab * high) / size,
            (aa * high - ab * steep) / size,
        )
        # A step that is too long would overshoot where hardly any row has the tag.
        slopes = slopes - slope_step.clip(-1, 1)
        intercepts = intercepts - intercept_step.clip(-1, 1)
    return slopes, intercepts


def _sigmoid(odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-odds.clip(-50, 50)))
    return found
