"""Flags of which only so many are expected to be false, by a reviewed random sample.

The given labels that people found right are what false flags look like: a row's conformal p-value
is the share of them that look as doubtful as it does, and the procedure of Benjamini and Hochberg
flags as many rows as it can. Conformal p-values: Bates, Candes, Lei, Romano, Sesia: Testing for
outliers with conformal p-values (Annals of Statistics 2023), with the share of right labels in the
sample as that of all rows (Storey: JRSS B 2002). That holds on average over
samples. To hold with a confidence, sets of flags are tested as corrections are (`release`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection.release import PRECISION_SETS, outcome
from sqlfuncs.learning.detection.sampling import Drawn

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def flags_within(share: float, quality: Floats, drawn: Drawn) -> Mask:
    """The most doubtful rows, of whose flags no more than this share is expected to be false.

    `quality` (rows,) is low where a label is doubtful; what the drawn rows were found to be must
    have no part in it. Drawn rows are flagged as any other, and count for nothing.

    >>> quality = np.arange(1000) / 1000  # of which the first 200 are wrong
    >>> places = np.arange(0, 1000, 5)
    >>> drawn = Drawn(places, places < 200, np.full(200, -1))
    >>> int(flags_within(0.1, quality, drawn).sum())
    215
    """
    others = np.ones(len(quality), dtype=bool)
    others[drawn.places] = False
    right = np.sort(quality[drawn.places[~drawn.wrong]])
    most_right = (1 + len(right)) / (1 + len(drawn.places))
    ordered = np.sort(quality[others])
    p_values = (1 + np.searchsorted(right, ordered, side="right")) / (1 + len(right))
    allowed = share / most_right * np.arange(1, len(ordered) + 1) / max(1, len(ordered))
    passing = np.flatnonzero(p_values <= allowed)
    flagged: Mask = quality <= (ordered[passing[-1]] if len(passing) else -np.inf)
    return flagged


def flags_surely_within(
    share: float, risk: float, quality: Floats, flagged: Mask, drawn: Drawn
) -> Mask:
    """The most doubtful of the flagged rows, of which at most this share is false, but for `risk`.

    `quality` and `flagged` (rows,) have not seen what the drawn rows were found to be. That more of
    the rows nobody has drawn are flagged falsely has a chance of `risk` at most.

    >>> quality = np.arange(1000) / 1000  # of which the first 200 are wrong
    >>> places = np.arange(0, 1000, 5)
    >>> drawn = Drawn(places, places < 200, np.full(200, -1))
    >>> int(flags_surely_within(0.2, 0.05, quality, quality < 0.2, drawn).sum())
    200
    """
    order = np.flatnonzero(flagged)
    order = order[np.argsort(quality[order], kind="stable")]
    rank = np.full(len(quality), -1)
    rank[order] = np.arange(len(order))
    inside = flagged[drawn.places]
    found = outcome(
        drawn.wrong[inside].astype(np.float64) - (1 - share),
        rank[drawn.places[inside]],
        len(order),
        risk=risk,
        lowest=share - 1,
        sets=PRECISION_SETS,
    ).largest
    surely = np.zeros(len(quality), dtype=bool)
    surely[order[: found.size]] = True
    return surely
