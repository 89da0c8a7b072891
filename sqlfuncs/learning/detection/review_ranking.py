"""Which rows a person should review first, from what reviewed rows turned out to be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection.noise import Floats
from sqlfuncs.learning.labels.classes import Codes

Mask = npt.NDArray[np.bool_]

_PRIOR_ROWS = 20.0  # how many reviewed rows' worth the model's own estimate counts in a group
_SMALLEST = 1e-3


def quality_after_review(
    given: Codes, probs: Floats, quality: Floats, reviewed: Mask, wrong: Mask
) -> Floats:
    """How likely each given label is right, with what people found reckoned in: (rows,), 0 to 1.

    `given` (rows,) are the labels as they were given, `probs` (rows, classes) out of sample,
    `quality` (rows,) the model's own word, `reviewed` and `wrong` (rows,) what people said.

    Rows of one given and one predicted class are a group. What share of its reviewed rows was
    wrong, against what `quality` foresaw for those very rows, shifts the log-odds of the whole
    group. Rows are reviewed because they look bad, and are compared with themselves; so that
    alone shifts nothing. A group without reviewed rows stays as it is.

    >>> given, quality = np.zeros(40, dtype=int), np.full(40, 0.5)
    >>> probs = np.repeat([[0.9, 0.1], [0.1, 0.9]], 20, axis=0)
    >>> reviewed, wrong = np.arange(40) >= 30, np.zeros(40, dtype=bool)
    >>> after = quality_after_review(given, probs, quality, reviewed, wrong)
    >>> after[[0, 20]].round(3).tolist()  # ten reviewed of the second group, none of them wrong
    [0.5, 0.667]
    """
    expected = np.clip(1 - quality, _SMALLEST, 1 - _SMALLEST)
    names, group = np.unique(given * probs.shape[1] + probs.argmax(axis=1), return_inverse=True)

    def total(values: npt.NDArray[np.generic]) -> Floats:
        sums = np.bincount(group, values.astype(np.float64), minlength=len(names))
        return sums.astype(np.float64)

    own = _PRIOR_ROWS * total(expected) / total(np.ones(len(given)))
    seen = total(reviewed) + _PRIOR_ROWS
    found = _log_odds((total(wrong & reviewed) + own) / seen)
    foreseen = _log_odds((total(expected * reviewed) + own) / seen)
    odds = _log_odds(expected) + (found - foreseen)[group]
    # What nothing was learned of keeps its very value, and with it the order of ties.
    same = total(reviewed)[group] == 0
    right: Floats = np.where(same, quality, 1 / (1 + np.exp(odds)))
    return right


def _log_odds(share: Floats) -> Floats:
    odds: Floats = np.log(share) - np.log1p(-share)
    return odds
