"""The scale on which models learn numbers, whatever their unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sqlfuncs.learning.labels.numbers import Floats

_EXTREME = 6.0  # robust standard deviations from the median
_MOST = 0.95
_TO_SPREAD = 0.7413  # from the distance between the quartiles to a normal's standard deviation
_FARTHEST = 1e300  # spreads from the centre
_TENFOLD = 10.0  # from the 10th to the 90th percentile: differences are ratios then


@dataclass(frozen=True)
class Scale:
    """How models see numbers: their logarithms if `is_log`, `centre` as 0 and `spread` as 1."""

    is_log: bool
    centre: float
    spread: float

    @classmethod
    def of(cls, values: Floats, others: Floats) -> Scale:
        """The scale of some numbers, of which two or more differ; `others` are to be seen on it.

        >>> ratios, steps = np.array([1.0, 10, 100, 1000]), np.arange(9.0)
        >>> Scale.of(ratios, ratios).is_log, Scale.of(steps, steps).is_log
        (True, False)
        """
        tenth, ninetieth = np.quantile(values, [0.1, 0.9])
        is_positive = bool(values.min() > 0 and others.min(initial=np.inf) > 0)
        is_log = is_positive and bool(ninetieth >= _TENFOLD * tenth)
        seen = np.log(values) if is_log else values
        low, centre, high = np.quantile(seen, [0.25, 0.5, 0.75])
        spread = (high - low) * _TO_SPREAD
        if spread <= 0:  # most are the same number
            spread = float(np.abs(seen - centre).mean())
        return cls(is_log, float(centre), float(spread))

    def with_most(self, values: Floats) -> Scale:
        """Wider if need be, so that but one in twenty of some numbers is far out.

        Of amounts that are nearly the same in half of the rows, the others are no slips.

        >>> values = np.concatenate([np.arange(80) / 100, np.full(20, 50.0)])
        >>> Scale.of(values, values).with_most(values).taught(values).round()[-1].item()
        6.0
        >>> bool(Scale.of(values, values).seen(values).max() > 60)
        True
        """
        far = float(np.quantile(np.abs(self.seen(values)), _MOST))
        return replace(self, spread=self.spread * max(1.0, far / _EXTREME))

    def seen(self, values: Floats) -> Floats:
        """As models see them."""
        with np.errstate(over="ignore"):
            found = ((np.log(values) if self.is_log else values) - self.centre) / self.spread
        limited: Floats = found.clip(-_FARTHEST, _FARTHEST)
        return limited

    def taught(self, values: Floats) -> Floats:
        """The same as models learn it: what is far out teaches as if it was less far."""
        return self.seen(values).clip(-_EXTREME, _EXTREME)

    def unseen(self, seen: Floats) -> Floats:
        """The numbers again."""
        values = seen * self.spread + self.centre
        return np.exp(values) if self.is_log else values
