"""Linear heads: multinomial logistic regression on one kind of features."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
_fitting = threading.Lock()


# How much each row counts in training, (rows,), each 0 or more; None: all the same.
RowWeights = npt.NDArray[np.float32]


class AnyHead(Protocol):
    """What is trained on one view of rows."""

    def predict(self, view: Any) -> Floats:
        """Of classes their probabilities: (rows, classes), each row summing to 1."""


class StoredHead(AnyHead, Protocol):
    """One that a trained model consists of."""

    def state(self) -> dict[str, npt.NDArray[np.float32]]:
        """The arrays that it is made of again, by name."""


H = TypeVar("H", bound=AnyHead, covariant=True)


class Learned(Protocol[H]):
    """Features of rows, which know how a head on each of their views is trained."""

    def fit_head(self, place: int, view: Any, codes: Codes, n_classes: int) -> H:
        """Train a head on the view at `place`. Deterministic for rows in one order."""


class Weighable(Learned[H], Protocol[H]):
    """Features whose heads can count some rows for more than others."""

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> H:
        """`Learned.fit_head`, with how much each row counts."""


@dataclass(frozen=True)
class Head:
    """A trained head: `weights` (features, classes) and `bias` (classes,).

    A class that no training row had gets a bias of minus infinity: probability 0.
    """

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def predict(self, features: Any) -> Floats:
        """Class probabilities: (rows, classes), each row summing to 1."""
        scores = np.asarray(features @ self.weights, dtype=np.float64) + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        exponentials = np.exp(scores)
        result: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
        return result

    def state(self) -> dict[str, npt.NDArray[np.float32]]:
        """See `StoredHead`."""
        return {"weights": self.weights, "bias": self.bias}


def fit(
    features: Any,
    codes: Codes,
    n_classes: int,
    inverse_penalty: float,
    weights: RowWeights | None = None,
) -> Head:
    """Train a head. `features` (rows, features) may be sparse.

    `inverse_penalty` is the inverse of the L2 regularization strength, scikit-learn's C. Rows of a
    few features each are fitted by stochastic average gradients, which takes a fifth of the time of
    L-BFGS there and leaves the interpreter to other threads; dense rows by L-BFGS.

    Deterministic for rows in one order on one BLAS thread.
    """
    work.ready("sklearn.linear_model")
    from scipy.sparse import issparse
    from sklearn.linear_model import LogisticRegression

    if weights is not None:
        counts = weights > 0
        features, codes, weights = features[counts], codes[counts], weights[counts]
    present = np.unique(codes)
    slopes = np.zeros((features.shape[1], n_classes), dtype=np.float32)
    bias = np.full(n_classes, -np.inf, dtype=np.float32)
    if len(present) == 1:
        bias[present] = 0
        return Head(slopes, bias)
    if issparse(features):
        way = {"solver": "sag", "tol": 1e-2, "random_state": 0}
    else:  # L-BFGS stops by the steepest slope, and slopes are as small as classes are many
        way = {"tol": min(1e-3, 3e-3 / len(present))}
    model = LogisticRegression(C=inverse_penalty, max_iter=1000, **way).fit(
        features, codes, weights
    )
    if len(present) == 2:
        slopes[:, present[1]] = model.coef_[0]
        bias[present] = [0, model.intercept_[0]]
    else:
        slopes[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return Head(slopes, bias)


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit with one BLAS thread: how sums are split over threads would change their last bits.

    What scikit-learn warns of (a fit that stops before it is exact, very many classes) is no
    news to an analyst.
    """
    from threadpoolctl import threadpool_limits

    with _fitting, threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        yield
