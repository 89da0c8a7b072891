"""Shares and their intervals. Imports numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z = 1.959963984540054  # 95 %


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """A ratio, NaN where the whole is 0."""
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    out = np.full(above.shape, np.nan)
    divided: Floats = np.divide(above, below, out=out, where=below > 0)
    return divided


def wilson(hits: npt.ArrayLike, n: npt.ArrayLike, side: int) -> Floats:
    """The lower (-1) or upper (1) end of the 95 % Wilson score interval; NaN where n is 0.

    >>> wilson([8], [10], -1).round(3).tolist(), wilson([8], [10], 1).round(3).tolist()
    ([0.49], [0.943])
    """
    share, total = ratio(hits, n), np.asarray(n, dtype=np.float64)
    total = np.where(total > 0, total, np.nan)
    spread = Z * np.sqrt(share * (1 - share) / total + Z**2 / (4 * total**2))
    end = (share + Z**2 / (2 * total) + side * spread) / (1 + Z**2 / total)
    # It holds the share itself: what rounding takes away there is given back.
    held = np.minimum(end, share) if side < 0 else np.maximum(end, share)
    clipped: Floats = np.clip(held, 0, 1)
    return clipped
