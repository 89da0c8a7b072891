"""Classes that are steps of a scale: a label is the worse, the farther it is from what is likely.

Not an ordinal model: classes are told apart as ever, and what they cost is reckoned after.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import noise
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.wording import Option

Floats = npt.NDArray[np.float64]


def places(ordered: object, classes: Sequence[str]) -> Codes:
    """The place of each class on the scale, from 0: (classes,).

    Raises BadOption for what is no list of different values, or lacks a class.

    >>> places(["bad", "fair", "good"], ("fair", "good", "bad")).tolist()
    [1, 2, 0]
    """
    example = Option("ordered", ["bad", "fair", "good"])
    if not isinstance(ordered, list) or any(each is None for each in ordered):
        raise BadOption(f"ordered has to be a list of the labels from one end on: {example}.")
    names = [str(each).lower() if isinstance(each, bool) else str(each) for each in ordered]
    if len({*names}) < len(names):
        raise BadOption(f"{Option('ordered', names)} names a label twice: each stands there once.")
    missing = [name for name in classes if name not in names]
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:5])
        raise BadOption(
            f"{Option('ordered', names)} lacks labels that the table has: {shown}. All stand in "
            f"it, from one end of the scale to the other: {example}."
        )
    return np.array([names.index(name) for name in classes], dtype=np.int64)


def by_distance(found: Found, codes: Codes, probs: Floats, scale: Codes, *, is_own: bool) -> Found:
    """What was found, scored by how far labels are expected to be off: (rows,).

    `scale` (classes,) are the classes' places. The quality is 1 less the expected distance, as a
    share of the longest; the suggestion the median of what the label may be, which costs least; a
    row is flagged as it was, but not where that is the label given. `is_own`: somebody else's
    probabilities, whose noise is not known.
    """
    likely = probs if is_own else noise.careful_correction(codes, probs).apply(codes, probs)
    steps = np.abs(scale[:, None] - scale[None, :]) / max(1, int(np.ptp(scale)))
    quality = 1 - (likely * steps[codes]).sum(axis=1)
    along = np.argsort(scale)
    middle = (np.cumsum(likely[:, along], axis=1) < 0.5 * likely.sum(axis=1)[:, None]).sum(axis=1)
    suggested = along[middle.clip(0, len(along) - 1)]
    rows = np.arange(len(codes))
    return Found(quality, found.flagged & (suggested != codes), suggested, likely[rows, suggested])
