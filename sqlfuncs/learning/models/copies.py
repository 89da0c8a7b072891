"""What the other rows of a row's own content are called: evidence that no model can give.

A row is judged by its copies, itself left out, as if a model's prediction were so many more of
them, its `prior_strength`: a Dirichlet prior, whose strength is that under which copies predict
each other best (empirical Bayes; Robbins 1956). What a table with few copies says of them is
little; there the strength is drawn towards that of copies which came about by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.folds import repeated
from sqlfuncs.statistics.intervals import wilson

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ACCIDENTAL = 8.0  # how many copies a model's word is worth where they are accidents (decisions.md)
_LEAST_STRENGTH, _MOST_STRENGTH = 0.02, 1000.0
_LEAST = 1e-9
_HAIR = 1e-6


@dataclass(frozen=True)
class Copies:
    """The labels of each content, for the rows of a table: those without copies take no part.

    `rows` are the places of those that have a labeled copy, `content` (rows,) the number of each
    one's content, `own` (rows,) its class, -1 for none, and `counts` (contents, classes) how many
    rows are called what. `share` of the labeled rows have a copy; `total` are all rows.
    """

    rows: npt.NDArray[np.int64]
    content: npt.NDArray[np.int64]
    own: Codes
    counts: Floats
    share: float
    total: int

    @classmethod
    def of(cls, keys: Sequence[bytes], codes: Codes, n_classes: int) -> Copies:
        """From the digests of the rows' contents (rows,) and their classes, -1 without a label."""
        labeled = codes >= 0
        has = repeated(keys, codes)
        if not labeled.all():
            known = {keys[row] for row in np.flatnonzero(labeled).tolist()}
            unlabeled = np.flatnonzero(~labeled)
            has[unlabeled] = [keys[row] in known for row in unlabeled.tolist()]
        rows = np.flatnonzero(has)
        numbers: dict[bytes, int] = {}
        content = np.array(
            [numbers.setdefault(keys[row], len(numbers)) for row in rows.tolist()], dtype=np.int64
        )
        counts = np.zeros((len(numbers), n_classes))
        number = np.array([numbers.get(key, -1) for key in keys], dtype=np.int64)
        counted = labeled & (number >= 0)
        np.add.at(counts, (number[counted], codes[counted]), 1)
        share = (has & labeled).sum() / max(1, labeled.sum())
        return cls(rows, content, codes[rows], counts, float(share), len(codes))

    def judge(self, probs: Floats, prior_strength: float | None = None) -> Floats:
        """Probabilities (rows, classes) of a model, with what is said by the copies of each row.

        Rows of one content and one class come out equal if a model's word of them is.
        """
        if not len(self.rows):
            return probs
        prior_strength = self.prior_strength(probs) if prior_strength is None else prior_strength
        counts = self.counts[self.content]
        labeled = np.flatnonzero(self.own >= 0)
        own = self.own[labeled]
        counts[labeled, own] -= 1
        prior = prior_strength * probs[self.rows]
        judged = counts + prior
        judged /= counts.sum(axis=1, keepdims=True) + prior_strength
        _settle(judged, labeled, own, counts.sum(axis=1)[labeled] + prior_strength)
        result = probs.copy()
        result[self.rows] = judged
        return result

    def outvoted(self) -> Mask:
        """Which rows are called otherwise than surely most of their copies: (rows of the table,).

        Surely: by the lower end of a 95 % interval, for which it takes four copies that agree.
        """
        result = np.zeros(self.total, dtype=bool)
        labeled = self.own >= 0
        counts, own = self.counts[self.content[labeled]], self.own[labeled]
        others = counts.sum(axis=1) - 1
        counts[np.arange(len(own)), own] = 0
        result[self.rows[labeled]] = wilson(counts.max(axis=1), others, -1) > 0.5
        return result

    def prior_strength(self, probs: Floats) -> float:
        """How many copies the model's word is worth."""
        return float(
            np.exp(
                self.share * np.log(self._likeliest(probs)) + (1 - self.share) * np.log(ACCIDENTAL)
            )
        )

    def _likeliest(self, probs: Floats) -> float:
        """The prior_strength under which labels are likeliest, each predicted by the others."""
        from scipy.optimize import minimize_scalar

        labeled = self.own >= 0
        content, own = self.content[labeled], self.own[labeled]
        alike = self.counts[content, own] - 1
        others = self.counts[content].sum(axis=1) - 1
        predictions = np.maximum(probs[self.rows[labeled], own], _LEAST)

        def surprise(power: float) -> float:
            prior_strength = np.exp(power)
            return float(
                -np.log((alike + prior_strength * predictions) / (others + prior_strength)).mean()
            )

        found = minimize_scalar(
            surprise,
            bounds=(np.log(_LEAST_STRENGTH), np.log(_MOST_STRENGTH)),
            method="bounded",
            options={"xatol": 0.01},
        )
        return float(np.exp(found.x))


def _settle(judged: Floats, rows: npt.NDArray[np.int64], own: Codes, weight: Floats) -> None:
    """Where a row is outvoted only because it is left out itself, nothing is decided: a tie.

    Of two copies that are called otherwise each would be told by the other that it is wrong, and
    of an even split every row. A label that is the likeliest, or no less likely than another,
    once its own row counts too is made a hair likelier than that other one.
    """
    given = judged[rows, own]
    likeliest = judged[rows].argmax(axis=1)
    most = judged[rows, likeliest]
    tied = (given < most) & (given + 1 / weight >= most - _LEAST)
    even = (given + most)[tied] / 2
    judged[rows[tied], likeliest[tied]] = even * (1 - _HAIR)
    judged[rows[tied], own[tied]] = even * (1 + _HAIR)
