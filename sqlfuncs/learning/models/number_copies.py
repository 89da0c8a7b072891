"""What the other rows of a row's own content are labelled, where labels are numbers.

A row is judged by its copies, itself left out: the model's residual at a content is an effect of
that content, which varies between contents, and what is left varies within one. Both variances are
estimated by moments, and the effect is drawn towards 0 by them (empirical Bayes; Morris: JASA 78,
1983, section 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_ACCIDENTAL = 8.0  # how many copies the model's word is worth where hardly any are there to tell
_ENOUGH = 20.0  # pairs of copies, of which half what they say of that is believed


def with_copies(keys: Sequence[bytes], values: Floats, predicted: Floats) -> Floats:
    """Predictions (rows, width) that know the labels of each row's copies.

    `keys` (rows,) are equal for copies; `values` (rows, width) are labels, NaN for none. Columns
    are numbers each by itself.

    >>> keys, values = [b"a"] * 5 + [b"b", b"c"], np.array([9.0, 9, 9, 9, 9, 0, 0])
    >>> with_copies(keys, values[:, None], np.zeros((7, 1)))[:, 0].round(1).tolist()
    [6.2, 6.2, 6.2, 6.2, 6.2, 0.0, 0.0]
    """
    numbers: dict[bytes, int] = {}
    content = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    known = ~np.isnan(values).any(axis=1)
    counts = np.bincount(content[known], minlength=len(numbers)).astype(np.float64)
    if (counts < 2).all():
        return predicted
    found = predicted.copy()
    for column in range(values.shape[1]):
        residual = np.where(known, values[:, column] - predicted[:, column], 0)
        sums = np.bincount(content, residual, len(numbers)).astype(np.float64)
        strength = _prior_strength(content[known], residual[known], counts, sums)
        found[:, column] += (sums[content] - residual) / (counts[content] - known + strength)
    return found


def _prior_strength(content: Places, residual: Floats, counts: Floats, sums: Floats) -> float:
    """How many copies the model's word is worth: the variance within contents to that between.

    Few copies tell little of that, and their word is drawn towards a fixed strength.
    """
    several = counts > 1
    pairs = float((counts[several] - 1).sum())
    squares = np.bincount(content, residual**2, minlength=len(counts))[several]
    n, s = counts[several], sums[several]
    within = float((squares - s**2 / n).sum()) / pairs
    # The products of different rows of one content have the effect's variance as their mean.
    between = float(((s**2 - squares) / (n - 1)).sum() / n.sum())
    found = float(np.clip(within / between if between > 0 else 1e6, 1e-3, 1e6))
    trust = pairs / (pairs + _ENOUGH)
    return float(np.exp(trust * np.log(found) + (1 - trust) * np.log(_ACCIDENTAL)))
