"""Flags of which only so many are expected to be false, by a reviewed random sample.

The given labels that people found right are what false flags look like: a row's conformal p-value
is the share of them that look as doubtful as it does, and the procedure of Benjamini and Hochberg
flags as many rows as it can. Conformal p-values: Bates, Candes, Lei, Romano, Sesia: Testing for
outliers with conformal p-values (Annals of Statistics 2023, sections 2.2 and 3), with the share of
right labels in the sample as that of all rows (Storey: JRSS B 2002).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
