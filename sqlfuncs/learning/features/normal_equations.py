"""Ridge regression by its normal equations. Imports numpy and scipy.

They are sums over rows, so that those of all rows but a fold's are a subtraction away: rows of a
table are read twice and not once for each fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from typing import Self

Floats = npt.NDArray[np.float64]

_PENALTIES = 10.0 ** np.arange(-2, 5, 0.5)
_ROWS_AT_ONCE = 65_536  # in double precision
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NormalEquations:
    """Sums over rows, each as often as it counts: of their `features` and `values`, and products.

    `count` is the number of rows. Features are about an `origin` (features,) and values about a
    `level` (width,), near their means, so that nothing is lost where they are far from 0.
    """

    origin: Floats
    level: Floats
    count: float
    features: Floats  # (features,)
    values: Floats  # (width,)
    gram: Floats  # (features, features)
    cross: Floats  # (features, width)
    squares: Floats  # (width,), of the values

    @classmethod
    def of(cls, view: Any, values: Floats, counts: Floats) -> Self:
        """Those of rows: `view` (rows, features), dense, `values` (rows, width), `counts` (rows,).

        `counts` are each 0 or more, and not all 0.
        """
        total = float(counts.sum())
        origin = np.asarray(counts @ view, dtype=np.float64) / total
        return cls._about(origin, counts @ values / total, view, values, counts)

    @classmethod
    def _about(
        cls, origin: Floats, level: Floats, view: Any, values: Floats, counts: Floats
    ) -> Self:
        width = len(level)
        features, gram = np.zeros(len(origin)), np.zeros((len(origin), len(origin)))
        cross = np.zeros((len(origin), width))
        roots = None if (counts == 1).all() else np.sqrt(counts)[:, None]
        for at in range(0, len(values), _ROWS_AT_ONCE):
            some = slice(at, at + _ROWS_AT_ONCE)
            block, apart = view[some] - origin, values[some] - level
            features += counts[some] @ block
            if roots is not None:
                block *= roots[some]
                apart *= roots[some]
            gram += block.T @ block  # which BLAS knows to be symmetric, at half the cost
            cross += block.T @ apart
        apart = values - level
        return cls(
            origin,
            level,
            float(counts.sum()),
            features,
            counts @ apart,
            gram,
            cross,
            counts @ apart**2,
        )

    def without(self, view: Any, values: Floats, counts: Floats) -> Self:
        """Those of the other rows, where some of them are these: the arguments of `of`."""
        some = self._about(self.origin, self.level, view, values, counts)
        return type(self)(
            self.origin,
            self.level,
            self.count - some.count,
            self.features - some.features,
            self.values - some.values,
            self.gram - some.gram,
            self.cross - some.cross,
            self.squares - some.squares,
        )

    def penalties(self) -> Floats:
        """For each column of values the penalty of the least generalised cross-validation error.

        Golub, Heath, Wahba: Technometrics 21, 1979. One eigendecomposition serves all penalties.
        """
        gram, cross = self._centred()
        found, axes = np.linalg.eigh(gram)
        squares = np.maximum(found, 0)
        along = axes.T @ cross
        spread = self.squares - self.values**2 / self.count
        errors = np.full((len(_PENALTIES), len(spread)), np.inf)
        for place, penalty in enumerate(_PENALTIES):
            shrunk = along / (squares + penalty)[:, None]
            residual = spread - 2 * (along * shrunk).sum(axis=0) + squares @ shrunk**2
            freedom = 1 - (1 + (squares / (squares + penalty)).sum()) / self.count
            if freedom > 0:
                errors[place] = np.maximum(residual, 0) / freedom**2
        best: Floats = _PENALTIES[errors.argmin(axis=0)]
        return best

    def solve(self, penalties: Floats) -> tuple[Floats, Floats]:
        """Slopes (features, width) and intercepts (width,), with a penalty for each column.

        One that rounding would drown is what it takes for the equations to have a solution.
        """
        from scipy.linalg import cho_factor, cho_solve

        gram, cross = self._centred()
        least = _EPSILON * len(gram) * float(np.trace(gram))
        slopes = np.empty_like(cross)
        for penalty in np.unique(penalties).tolist():
            of_it = penalties == penalty
            firm = gram + max(penalty, least) * np.eye(len(gram))
            factor = cho_factor(firm, overwrite_a=True, check_finite=False)
            slopes[:, of_it] = cho_solve(factor, cross[:, of_it], check_finite=False)
        centre = self.origin + self.features / self.count
        return slopes, self.level + self.values / self.count - centre @ slopes

    def _centred(self) -> tuple[Floats, Floats]:
        """The products about the means of these rows: of features, and of these with values."""
        gram = self.gram - np.outer(self.features, self.features / self.count)
        return gram, self.cross - np.outer(self.features, self.values / self.count)
