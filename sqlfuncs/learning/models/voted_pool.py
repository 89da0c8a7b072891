"""Averaging the word of models with that of votes: evidence beside theirs, which multiplies.

What models say of a row and what voters say of it are two pieces of evidence. Where these are
independent given the true class, their probabilities multiply (a logarithmic opinion pool of
weights 1; Genest, Zidek: Combining probability distributions, Statistical Science 1986). Where
votes repeat what the models know already, or mean nothing, they are better left alone. Which of the
two it is, the likelihood of the labels tells, of rows that no head has seen: Bayesian model
averaging, by all rows at once. Labels that are wrong now and then are foretold worse by the whole
product than by its root, even where it is right about the true classes: the test is of the root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.pooling import Pool

Floats = npt.NDArray[np.float64]
_LEAST = 1e-9
_SURE = 700.0  # beyond, exponentials overflow
_LOG_PRIOR = -3.0  # of votes that say something: a few rows are to show it first


@dataclass(frozen=True)
class VotedPool:
    """Heads pooled `alone`, and each times the votes' word, `beside` them.

    `shares` (classes,) are those of the classes; `weight` is that of the second, 0 to 1.
    """

    alone: Pool
    beside: Pool
    shares: Floats
    weight: float

    @classmethod
    def learn(cls, predictions: Sequence[Floats], codes: Codes) -> VotedPool:
        """As `Pool.learn`; the last of `predictions` is what votes foretell.

        >>> codes = np.repeat([0, 1], 50)
        >>> knows_little = np.full((100, 2), 0.5)
        >>> votes = np.where(codes[:, None] == [0, 1], 0.8, 0.2)
        >>> VotedPool.learn([knows_little, votes], codes)([knows_little, votes])[0].round()
        array([1., 0.])
        """
        *heads, votes = predictions
        labeled = np.flatnonzero(codes >= 0)
        given = codes[labeled]
        width = votes.shape[1]
        shares = np.bincount(given, minlength=width) / max(1, len(given))
        roots = [_times(head, votes, shares, 0.5) for head in heads]
        alone, of_roots = Pool.learn(heads, codes), Pool.learn(roots, codes)

        def likelihood(pool: Pool, said: Sequence[Floats]) -> float:
            probs = pool([each[labeled] for each in said])[np.arange(len(given)), given]
            return float(np.log(np.maximum(probs, _LEAST)).sum())

        gain = likelihood(of_roots, roots) - likelihood(alone, heads) + _LOG_PRIOR
        weight = float(1 / (1 + np.exp(-np.clip(gain, -_SURE, _SURE))))
        beside = Pool.learn([_times(head, votes, shares) for head in heads], codes)
        return cls(alone, beside, shares, weight)

    def __call__(self, predictions: Sequence[Floats]) -> Floats:
        """The pooled probabilities, (rows, classes), of what each head says, the votes' last."""
        *heads, votes = predictions
        multiplied = [_times(head, votes, self.shares) for head in heads]
        alone, beside = self.alone(heads), self.beside(multiplied)
        pooled: Floats = (1 - self.weight) * alone + self.weight * beside
        return pooled


def _times(head: Floats, votes: Floats, shares: Floats, power: float = 1.0) -> Floats:
    """A head's probabilities times what votes add to the shares, to a power; rows summing to 1.

    The head's own where they rule out each other.
    """
    product = head * (votes / np.maximum(shares, _LEAST)) ** power
    total = product.sum(axis=1, keepdims=True)
    found: Floats = np.where(total > _LEAST, product / np.maximum(total, _LEAST), head)
    return found
