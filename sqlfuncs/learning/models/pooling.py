"""Averaging the word of several models: each calibrated, weighed by how well it predicts labels.

Temperature scaling: Guo et al., On calibration of modern neural networks (ICML 2017, section 4).
Linear opinion pool: its weights are those of a mixture, found by expectation maximisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes

if TYPE_CHECKING:
    from typing import Self

Floats = npt.NDArray[np.float64]
_SOFTEST, _SHARPEST = 0.5, 6.0
_LEAST = 1e-9
_STEPS, _SMALL_STEP = 200, 1e-4


class StoredPool(Protocol):
    """How the predictions of a trained model's heads become one, by a `name` of its own."""

    name: ClassVar[str]

    def __call__(self, predictions: Sequence[Floats], /) -> Floats:
        """Of each head (rows, width), of all together the same."""

    def state(self) -> dict[str, Any]:
        """What `from_state` makes it of again, as JSON has it; `weights` has one for each head."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""


@dataclass(frozen=True)
class Pool:
    """How models are averaged: the share of each (`weights`), and its `inverse_temperature`.

    That is the exponent by which its probabilities are calibrated.
    """

    inverse_temperature: tuple[float, ...]
    weights: tuple[float, ...]
    name: ClassVar[str] = "opinions"

    def state(self) -> dict[str, Any]:
        """See `StoredPool`."""
        return {"sharpness": self.inverse_temperature, "weights": self.weights}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Pool:
        """See `StoredPool`."""
        return cls(tuple(state["sharpness"]), tuple(state["weights"]))

    @classmethod
    def even(cls, models: int) -> Pool:
        """The plain mean of some models."""
        return cls((1.0,) * models, (1 / models,) * models)

    @classmethod
    def learn(
        cls, predictions: Sequence[Floats], codes: Codes, counts: Floats | None = None
    ) -> Pool:
        """From what each model says of rows it has not seen, (rows, classes), and their labels.

        Rows of class -1 have no label and teach nothing. `counts` (rows,) say how much each of the
        others does, above 0; all the same where they are not given.

        >>> right, wrong = np.array([[0.6, 0.4]] * 9 + [[0.4, 0.6]]), np.full((10, 2), 0.5)
        >>> Pool.learn([right, wrong], np.zeros(10, dtype=np.int64)).weights[0] > 0.9
        True
        """
        labeled = codes >= 0
        if not labeled.any():
            return cls.even(len(predictions))
        rows, given = np.flatnonzero(labeled), codes[labeled]
        counted = None if counts is None else counts[labeled]
        inverse_temperature = [
            _best_inverse_temperature(probs[rows], given, counted) for probs in predictions
        ]
        predicted = [
            _sharpened(probs[rows], power)[np.arange(len(rows)), given]
            for probs, power in zip(predictions, inverse_temperature, strict=True)
        ]
        return cls(
            tuple(inverse_temperature),
            _shares(np.maximum(np.stack(predicted, axis=1), _LEAST), counted),
        )

    def __call__(self, predictions: Sequence[Floats]) -> Floats:
        """The pooled probabilities, (rows, classes), of what each model says."""
        pooled = np.zeros_like(predictions[0])
        for probs, power, weight in zip(
            predictions, self.inverse_temperature, self.weights, strict=True
        ):
            pooled += weight * _sharpened(probs, power)
        return pooled


def _sharpened(probs: Floats, power: float) -> Floats:
    """Probabilities to a power, summing to 1 again; rows without any stay as they are."""
    # Among very many classes, powers of the probabilities themselves would vanish.
    raised: Floats = (probs / np.maximum(probs.max(axis=1, keepdims=True), _LEAST)) ** power
    raised /= np.maximum(raised.sum(axis=1, keepdims=True), 1)
    return raised


def _best_inverse_temperature(probs: Floats, given: Codes, counts: Floats | None) -> float:
    """The power under which the given classes are likeliest."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(given))

    def surprise(power: float) -> float:
        likely = np.maximum(_sharpened(probs, power)[rows, given], _LEAST)
        return float(-_mean(np.log(likely), counts))

    found = minimize_scalar(
        surprise, bounds=(_SOFTEST, _SHARPEST), method="bounded", options={"xatol": 0.01}
    )
    return float(found.x)


def _mean(values: Floats, counts: Floats | None) -> Floats:
    """The mean over rows, each as often as it counts."""
    found: Floats = (
        np.average(values, axis=0, weights=counts) if counts is not None else values.mean(axis=0)
    )
    return found


def _shares(predicted: Floats, counts: Floats | None) -> tuple[float, ...]:
    """The mixture's weights, from the probability each model gave to each row's label."""
    weights = np.full(predicted.shape[1], 1 / predicted.shape[1])
    for _ in range(_STEPS):
        parts = weights * predicted
        parts /= parts.sum(axis=1, keepdims=True)
        before, weights = weights, _mean(parts, counts)
        if np.abs(weights - before).max() < _SMALL_STEP:
            break
    return tuple(weights.tolist())
