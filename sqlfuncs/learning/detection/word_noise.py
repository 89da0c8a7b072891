"""What is wrong with labels of words: confident learning over words, the noise reckoned in."""

from __future__ import annotations

import numpy as np

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident, noise
from sqlfuncs.learning.detection.confident import NOISE_CORRECTED, Floats, Found
from sqlfuncs.learning.labels.classes import Codes

# Below, words of which a model is sure are hardly ever mislabelled, as those are that rules and
# dictionaries label: what it says of the others counts more than that. Most words are easy, so the
# limit is lower than that of rows of classes.
_HARD_ONLY = 0.15


def correction(codes: Codes, probs: Floats) -> noise.Correction:
    """The correction that fits the noise in labels of words.

    People forget words: that is seen where a model is sure, and says much of all others.
    """
    seen = noise.evidence(codes, probs)
    if seen.uniformity < _HARD_ONLY:
        return noise.correction(codes, probs, seen)
    return noise.careful_correction(codes, probs)


def find(codes: Codes, probs: Floats, cut: str, method: str) -> Found:
    """Score and flag words: their labels (words,), and probabilities (words, labels).

    `cut` and `method` are as for `confident.find`. Raises BadOption for others.
    """
    if cut not in confident.CUTS:
        raise BadOption.among("cut", cut, confident.CUTS)
    if method not in confident.METHODS:
        raise BadOption.among("method", method, confident.METHODS)
    cut = taken(codes, probs, cut)
    method = NOISE_CORRECTED if method == "auto" else method
    corrected = correction(codes, probs) if NOISE_CORRECTED in (cut, method) else None
    flags = None if cut == NOISE_CORRECTED else confident.filtered(codes, probs, cut)
    unknown = np.zeros(len(codes), dtype=bool)
    return confident.found(codes, probs, method, corrected, flags, unknown)


def taken(codes: Codes, probs: Floats, cut: str) -> str:
    """What a cut stands for: 'auto' for the one that fits the noise."""
    return confident.choose_cut(noise.evidence(codes, probs)) if cut == "auto" else cut
