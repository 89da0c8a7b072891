"""What is wrong with labels of words: confident learning over words, the noise reckoned in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident, noise
from sqlfuncs.learning.detection.confident import NOISE_CORRECTED, Floats, Found
from sqlfuncs.learning.labels.classes import Codes

# Below, words of which a model is sure are hardly ever mislabelled, as those are that rules and
# dictionaries label: what it says of the others counts more than that. Most words are easy, so the
# limit is lower than that of rows of classes.
_HARD_ONLY = 0.15
# Times the rate at which words of other labels are given the label outside: above, a label's own
# rate shows that it is confused with outside.
_MUCH_MORE = 1.5
# Of words that are outside and look like a label: how many are given it for each that is not. The
# model calls them by what most of them are given, so these are more.
_GIVEN_AS_SEEN = 2.0
# Of how right a word's label is, how much is told by the words beside it that are of one entity.
_SHARED = 0.5
_LEAST = 1e-12
Places = npt.NDArray[np.int64]


def outside(codes: Codes) -> int | None:
    """The label that most words have, of no entity; None where no label is on more than half."""
    given = np.bincount(codes)
    most = int(given.argmax())
    return most if 2 * given[most] > len(codes) else None


def transition(codes: Codes, probs: Floats) -> Floats:
    """T[j, k] = P(given k | true j), (labels, labels), where most words have one label, 'outside'.

    Whoever forgets entities forgets those of all labels. What is given as outside much more often
    than that, where the model sees one label, is no rate of forgetting: there the two are confused.
    A language model gives MISC to numbers and titles, say; the taggers learn it, and of the words
    that they call MISC many are outside, with whichever of both labels. Those given the label
    outside then show how often words that are outside are given the other one.
    """
    rates = noise.transition_matrix(codes, probs)
    counts = np.bincount(probs.argmax(axis=1), minlength=len(rates))
    out = outside(codes)
    others = np.delete(np.arange(len(rates)), [] if out is None else out)
    if out is None or not counts[out] or not counts[others].any():
        return rates
    usual = _weighted_median(rates[others, out], counts[others])
    beyond = np.maximum(rates[others, out] - _MUCH_MORE * usual, 0)
    rates[others, out] -= beyond
    rates[others, others] += beyond
    overused = _GIVEN_AS_SEEN * beyond * counts[others] / counts[out]
    overused *= min(1, rates[out, out] / 2 / max(overused.sum(), _LEAST))
    rates[out, others] += overused
    rates[out, out] -= overused.sum()
    return rates


def correction(codes: Codes, probs: Floats) -> noise.Correction:
    """The correction that fits the noise in labels of words.

    People forget words: that is seen where a model is sure, and says much of all others.
    """
    seen, rates = noise.evidence(codes, probs), transition(codes, probs)
    if seen.uniformity < _HARD_ONLY:
        return noise.correction(codes, probs, seen, rates)
    return noise.careful_correction(codes, probs, rates)


def find(codes: Codes, probs: Floats, positions: Places, cut: str, method: str) -> Found:
    """Score and flag words: their labels (words,), and probabilities (words, labels).

    `positions` (words,) rise by 1 from a word to the next one of its sentence, and by more to that
    of another. `cut` and `method` are as for `confident.find`. Raises BadOption for others.
    """
    if cut not in confident.CUTS:
        raise BadOption.among("cut", cut, confident.CUTS)
    if method not in confident.METHODS:
        raise BadOption.among("method", method, confident.METHODS)
    if not len(codes):  # no label is one that was learned: people have decided on all anew
        none = np.zeros(0)
        return Found(none, none.astype(bool), codes, none)
    cut = taken(codes, probs, cut)
    method = NOISE_CORRECTED if method == "auto" else method
    corrected = correction(codes, probs) if NOISE_CORRECTED in (cut, method) else None
    flags = None if cut == NOISE_CORRECTED else confident.filtered(codes, probs, cut)
    unknown = np.zeros(len(codes), dtype=bool)
    found = confident.found(codes, probs, method, corrected, flags, unknown)
    if method in confident.CLEANLAB_METHODS:
        return found
    return replace(found, quality=shared(found.quality, codes, probs, positions))


def shared(quality: Floats, codes: Codes, probs: Floats, positions: Places) -> Floats:
    """How right labels are, where those of one entity are right or wrong together: (words,).

    The words of an entity stand beside each other, none of them both given and called the label
    outside. Logarithms of odds are averaged with the mean of theirs.

    >>> codes, called = np.array([0, 1, 1, 0, 0]), np.eye(2)[[0, 1, 0, 0, 0]]
    >>> one = np.array([0.9, 0.9, 0.1, 0.9, 0.9])
    >>> shared(one, codes, called, np.arange(5)).round(2).tolist()
    [0.9, 0.75, 0.25, 0.9, 0.9]
    """
    out = outside(codes)
    if out is None:
        return quality
    named = np.flatnonzero((codes != out) | (probs.argmax(axis=1) != out))
    entity = np.cumsum(np.diff(positions[named], prepend=-2) != 1) - 1
    bounded = quality[named].clip(_LEAST, 1 - _LEAST)
    odds = np.log(bounded) - np.log1p(-bounded)
    means = np.bincount(entity, odds) / np.maximum(np.bincount(entity), 1)
    found = quality.copy()
    found[named] = 1 / (1 + np.exp(-(1 - _SHARED) * odds - _SHARED * means[entity]))
    return found


def taken(codes: Codes, probs: Floats, cut: str) -> str:
    """What a cut stands for: 'auto' for the one that fits the noise."""
    return confident.choose_cut(noise.evidence(codes, probs)) if cut == "auto" else cut


def _weighted_median(values: Floats, weights: Codes) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])
