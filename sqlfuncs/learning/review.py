"""Which rows a person should review first, from what reviewed rows turned out to be.

Arrays: `given` (rows,) of int, the labels as they were given; `probs` (rows, classes), out of
sample, each row summing to 1; `reviewed` and `wrong` (rows,) of bool, what people said so far.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning import noise
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.noise import Floats

Mask = npt.NDArray[np.bool_]

_PRIOR_ROWS = 20.0  # how many reviewed rows' worth the model's own estimate counts in a group
_SMALLEST = 1e-3


def chance_wrong(given: Codes, probs: Floats, reviewed: Mask, wrong: Mask) -> Floats:
    """P(the given label is wrong) of each row: (rows,), above 0 and below 1.

    Without reviewed rows it is one minus the given label's `noise.corrected`. With them, rows
    of one given and one predicted class are a group: what share of its reviewed rows was wrong,
    against what was expected of those very rows, shifts the log-odds of the whole group. That
    rows were chosen for review because they looked bad is thereby reckoned in: they are compared
    with themselves. A group without reviewed rows stays as it is.

    >>> given, probs = np.zeros(40, dtype=int), np.full((40, 2), 0.5)
    >>> probs[20:] = [0.1, 0.9]
    >>> nobody, said = np.zeros(40, dtype=bool), np.arange(40) >= 30
    >>> before = chance_wrong(given, probs, nobody, nobody)
    >>> after = chance_wrong(given, probs, said, nobody)  # ten reviewed, none of them wrong
    >>> bool((after[20:] < before[20:]).all()), bool((after[:20] == before[:20]).all())
    (True, True)
    """
    rows = np.arange(len(given))
    expected = 1 - noise.corrected(given, probs)[rows, given]
    expected = np.clip(expected, _SMALLEST, 1 - _SMALLEST)
    n_classes = probs.shape[1]
    group = given * n_classes + probs.argmax(axis=1)
    names, group = np.unique(group, return_inverse=True)

    def total(values: Floats | Mask) -> Floats:
        return np.bincount(group, values.astype(np.float64), minlength=len(names))

    own = _PRIOR_ROWS * total(expected) / total(np.ones(len(given)))
    seen = total(reviewed) + _PRIOR_ROWS
    found = (total(wrong & reviewed) + own) / seen
    foreseen = (total(expected * reviewed) + own) / seen
    shift = _log_odds(found) - _log_odds(foreseen)
    chance: Floats = 1 / (1 + np.exp(-(_log_odds(expected) + shift[group])))
    return np.where(shift[group] == 0, expected, chance)


def _log_odds(share: Floats) -> Floats:
    odds: Floats = np.log(share) - np.log1p(-share)
    return odds
