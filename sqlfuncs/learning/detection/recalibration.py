"""What a reviewed random sample teaches about all other labels: probabilities that fit it.

The models' word on each row's true class is an offset, to which a logistic regression with ridge
penalty adds what the reviewed rows show: how far the models are to be trusted at all, and how that
depends on the given class, on the models' probabilities and on what the rows are. How strong the
penalty is, nobody knows beforehand: several are fitted and averaged by how well each predicts
reviewed rows that it has not seen (pseudo-Bayesian model averaging; Yao, Vehtari, Simpson, Gelman:
Using stacking to average Bayesian predictive distributions, Bayesian Analysis 2018). The first of
them hardly changes the order of rows, so that a small sample does little harm.

Arrays: `codes` (rows,) the given classes; `probs` (rows, classes) the models' out-of-sample
probabilities of the given class; `likely` (rows, classes) those of the true class, by noise alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection.sampling import Drawn
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

# How freely the regression may fit: its coefficients' variances times this. 0 leaves all but the
# scale. Of the freer ones each is believed e times less than the one before, until rows speak for
# it.
_FREEDOMS = (0.0, 0.01, 0.04, 0.15, 0.5, 1.5)
_LOG_PRIOR = np.array([0.0, 0.0, 0.0, -1.0, -2.0, -3.0])
_CONTENT = 2.0  # variance of what the rows' content adds, beside 1 for the other terms
_FOLDS = 10  # of the reviewed rows
_MOST_DRAWN = 1_000  # reviewed rows that are learned from: the first ones
_MOST_FEATURES = 200  # directions in which they differ most
_MOST_CLASSES = 64  # beyond, there are more coefficients than evidence
_LEAST_OFFSET, _LEAST_PROBABILITY, _LEAST_SCORE = 1e-3, 1e-3, 1e-4
_SCALE_PENALTY, _SHIFT_PENALTY = 4.0, 1.0


class Content(Protocol):
    """What rows are, as features of a linear model, at hand or not."""

    def gram(self, rows: Places) -> Floats:
        """Inner products of some rows' features, (chosen, chosen); 1 is a mean square length."""

    def apply(self, rows: Places, dual: Floats) -> Floats:
        """Inner products of all rows' features with `rows`, times `dual` (chosen, columns)."""


def recalibrated(
    codes: Codes, probs: Floats, likely: Floats, drawn: Drawn, content: Content | None = None
) -> Floats:
    """The probability of each class to be the true one: (rows, classes), rows summing to 1.

    What a drawn row was found to be takes no part in its own probabilities.

    >>> codes = np.repeat([0, 1], 100)
    >>> probs = np.full((200, 2), 0.5)
    >>> places = np.arange(0, 200, 2)  # of each second row somebody says: class 1 is always wrong
    >>> drawn = Drawn(places, codes[places] == 1, np.zeros(100, dtype=np.int64))
    >>> recalibrated(codes, probs, probs, drawn)[[1, 101]].round().tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    drawn = drawn.first(_MOST_DRAWN)
    terms = _Terms.of(codes, probs, likely, drawn, content)
    freedoms = _FREEDOMS if probs.shape[1] <= _MOST_CLASSES else _FREEDOMS[:1]
    fold = np.arange(len(drawn.places)) % min(_FOLDS, len(drawn.places))
    unseen = np.zeros((len(freedoms), len(drawn.places), probs.shape[1]))
    for at, freedom in enumerate(freedoms):
        for held_out in range(fold.max() + 1):
            fitted = terms.fit(np.flatnonzero(fold != held_out), freedom)
            rows = np.flatnonzero(fold == held_out)
            unseen[at, rows] = terms.predict_drawn(fitted, rows)
    scores = np.log(np.maximum((unseen * terms.targets).sum(axis=2), _LEAST_SCORE))
    found = np.zeros_like(likely)
    for weight, freedom in zip(_weights(scores), freedoms, strict=True):
        if weight > 1e-3:
            found += weight * terms.predict(terms.fit(np.arange(len(fold)), freedom))
    for held_out in range(fold.max() + 1):
        rows = np.flatnonzero(fold == held_out)
        weights = _weights(scores[:, fold != held_out])
        found[drawn.places[rows]] = np.einsum("f,frk->rk", weights, unseen[:, rows])
    found /= found.sum(axis=1, keepdims=True)
    return found


def _weights(scores: Floats) -> Floats:
    """How much each freedom counts, by the log-likelihoods of unseen rows: (freedoms, rows)."""
    total = scores.sum(axis=1) + _LOG_PRIOR[: len(scores)]
    weights: Floats = np.exp(total - total.max())
    weights /= weights.sum()
    return weights


@dataclass(frozen=True)
class _Fitted:
    """`scale` and `shift` of the offset, and coefficients of the drawn rows: (drawn, classes)."""

    scale: float
    shift: float
    dual: Floats


@dataclass(frozen=True)
class _Terms:
    """The regression's offset and terms, for all rows and for the drawn ones.

    `offset`, `given` and `centred` (rows, classes); `targets` (drawn, classes) are 1 for what the
    true class may be, which is one class, or all but the given one; `features` (drawn, directions)
    have the drawn rows' kernel as their inner products; `dual` turns coefficients of these into
    ones of rows.
    """

    offset: Floats
    given: Floats
    centred: Floats
    places: Places
    targets: Floats
    features: Floats
    dual: Floats
    content: Content | None

    @classmethod
    def of(
        cls, codes: Codes, probs: Floats, likely: Floats, drawn: Drawn, content: Content | None
    ) -> _Terms:
        """The terms of these rows."""
        width = probs.shape[1]
        given, centred = np.eye(width)[codes], _centred(probs, _LEAST_PROBABILITY)
        places = drawn.places
        known = np.where(drawn.wrong, drawn.true, codes[places])
        targets = np.where(known[:, None] >= 0, np.eye(width)[known], 1 - given[places])
        kernel = 1 + given[places] @ given[places].T + centred[places] @ centred[places].T
        if content is not None:
            kernel += _CONTENT * content.gram(places)
        values, vectors = (each[..., -_MOST_FEATURES:] for each in np.linalg.eigh(kernel))
        kept = values > values.max() * 1e-6
        roots = np.sqrt(values[kept])
        return cls(
            _centred(likely, _LEAST_OFFSET),
            given,
            centred,
            places,
            targets,
            vectors[:, kept] * roots,
            vectors[:, kept] / roots,
            content,
        )

    def fit(self, rows: Places, freedom: float) -> _Fitted:
        """What those of the drawn rows teach."""
        places = self.places[rows]
        offset, given, targets = self.offset[places], self.given[places], self.targets[rows]
        scale, shift = _scale_and_shift(offset, given, targets)
        if not freedom:
            return _Fitted(scale, shift, np.zeros((len(self.places), offset.shape[1])))
        features = self.features[rows] * np.sqrt(freedom)
        slopes = _ridge(features, scale * offset + shift * given, targets)
        return _Fitted(scale, shift, self.dual @ slopes * np.sqrt(freedom))

    def predict_drawn(self, fitted: _Fitted, rows: Places) -> Floats:
        """Probabilities of some of the drawn rows: (chosen, classes)."""
        places = self.places[rows]
        kernel = self.features[rows] @ self.features.T
        return _softmax(self._base(fitted, places) + kernel @ fitted.dual)

    def predict(self, fitted: _Fitted) -> Floats:
        """Probabilities of all rows: (rows, classes)."""
        every = slice(None)
        scores = self._base(fitted, every) + fitted.dual.sum(axis=0)
        scores += self.given @ (self.given[self.places].T @ fitted.dual)
        scores += self.centred @ (self.centred[self.places].T @ fitted.dual)
        if self.content is not None and fitted.dual.any():
            scores += _CONTENT * self.content.apply(self.places, fitted.dual)
        return _softmax(scores)

    def _base(self, fitted: _Fitted, rows: Places | slice) -> Floats:
        base: Floats = fitted.scale * self.offset[rows] + fitted.shift * self.given[rows]
        return base


def _scale_and_shift(offset: Floats, given: Floats, targets: Floats) -> tuple[float, float]:
    """How much the models' word counts, 1 for as it is, and how much the given class, 0."""
    from scipy.optimize import minimize

    def loss(values: Floats) -> tuple[float, Floats]:
        scale, shift = values
        surprise, slope = _surprise(scale * offset + shift * given, targets)
        surprise += _SCALE_PENALTY * (scale - 1) ** 2 / 2 + _SHIFT_PENALTY * shift**2 / 2
        return surprise, np.array(
            [
                (slope * offset).sum() + _SCALE_PENALTY * (scale - 1),
                (slope * given).sum() + _SHIFT_PENALTY * shift,
            ]
        )

    limits = [(0.1, 5.0), (-6.0, 6.0)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=limits)
    return float(found.x[0]), float(found.x[1])


def _ridge(features: Floats, offset: Floats, targets: Floats) -> Floats:
    """The slopes, (features, classes), of a multinomial regression with a ridge penalty of 1."""
    from scipy.optimize import minimize

    shape = (features.shape[1], offset.shape[1])

    def loss(values: Floats) -> tuple[float, Floats]:
        slopes = values.reshape(shape)
        surprise, slope = _surprise(offset + features @ slopes, targets)
        return surprise + (slopes**2).sum() / 2, (features.T @ slope + slopes).ravel()

    found = minimize(
        loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    slopes: Floats = found.x.reshape(shape)
    return slopes


def _surprise(scores: Floats, targets: Floats) -> tuple[float, Floats]:
    """Minus the log-likelihood of what the true class may be, and its slope by the scores."""
    predicted = _softmax(scores)
    possible = predicted * targets
    of_possible = np.maximum(possible.sum(axis=1, keepdims=True), 1e-12)
    return float(-np.log(of_possible).sum()), predicted - possible / of_possible


def _centred(probs: Floats, least: float) -> Floats:
    logs: Floats = np.log(np.maximum(probs, least))
    logs -= logs.mean(axis=1, keepdims=True)
    return logs


def _softmax(scores: Floats) -> Floats:
    raised: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return raised
