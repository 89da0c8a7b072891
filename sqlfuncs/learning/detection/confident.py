"""Which given labels are probably wrong: scores and cuts of confident learning.

Northcutt, Jiang, Chuang: Confident Learning (JAIR 2021), as implemented by cleanlab.
Arrays: `codes` (rows,) of int, the given classes; `probs` (rows, classes), each row summing
to 1 and out of sample: from a model that was not trained on that row's label.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import habits, noise
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CLEANLAB_METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
NOISE_CORRECTED = "noise_corrected"
METHODS = ("auto", NOISE_CORRECTED, *CLEANLAB_METHODS)
CLEANLAB_CUTS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
)
CUTS = ("auto", NOISE_CORRECTED, *CLEANLAB_CUTS)
_CLIP = 1e-6
_SAME = 1e-6  # cleanlab takes probabilities that differ by less for the same
# cleanlab passes its work through module globals, which two threads would overwrite.
_cleanlab = threading.Lock()


def label_quality(codes: Codes, probs: Floats, method: str = "self_confidence") -> Floats:
    """How likely each given label is right: (rows,), 0 worst to 1 best.

    Equal to cleanlab.rank.get_label_quality_scores.

    >>> probs = np.array([[0.7, 0.3], [0.2, 0.8]])
    >>> label_quality(np.array([0, 0]), probs).tolist()
    [0.7, 0.2]
    >>> label_quality(np.array([0, 0]), probs, "normalized_margin").round(3).tolist()
    [0.7, 0.2]
    """
    if method not in CLEANLAB_METHODS:
        raise BadOption.among("method", method, CLEANLAB_METHODS)
    rows = np.arange(len(codes))
    given = probs[rows, codes]
    if method == "self_confidence":
        return given
    if method == "normalized_margin":
        others = probs.copy()
        others[rows, codes] = -np.inf
        margin: Floats = (given - others.max(axis=1) + 1) / 2
        return margin
    logs = np.log(probs, where=probs > 0, out=np.zeros_like(probs))
    entropy = -(probs * logs).sum(axis=1) / np.log(probs.shape[1])
    weighted = entropy / np.maximum(given, _CLIP)
    scores: Floats = np.log(weighted + 1) / np.maximum(weighted, _CLIP)
    return scores


@dataclass(frozen=True)
class Found:
    """What is known of each row's label: all of shape (rows,).

    `suggested` is the class to use instead where flagged, `confidence` how likely that one is.
    """

    quality: Floats
    flagged: Mask
    suggested: Codes
    confidence: Floats


def find(
    codes: Codes,
    probs: Floats,
    cut: str = "auto",
    method: str = "self_confidence",
    outvoted: Mask | None = None,
    annotators: Codes | None = None,
) -> Found:
    """Score and flag rows. `method` may be 'auto', which stands for 'noise_corrected'.

    `outvoted` rows, which their copies call otherwise, are flagged whatever 'auto' stands for:
    copies need no model to be believed. `annotators` (rows,) say who gave each label, -1 for nobody
    known: then the noise is theirs (`habits`).
    """
    if cut not in CUTS:
        raise BadOption.among("cut", cut, CUTS)
    known = np.zeros(len(codes), dtype=bool)
    seen = noise.evidence(codes, probs)
    if cut == "auto":
        cut = choose_cut(seen)
        if outvoted is not None:
            known = outvoted & (probs.argmax(axis=1) != codes)
    method = NOISE_CORRECTED if method == "auto" else method
    correction: noise.Corrects | None = None
    if NOISE_CORRECTED in (cut, method):
        correction = habits.corrects(noise.correction(codes, probs, seen), codes, probs, annotators)
    flags = None if cut == NOISE_CORRECTED else filtered(codes, probs, cut)
    return found(codes, probs, method, correction, flags, known)


def found(
    codes: Codes,
    probs: Floats,
    method: str,
    correction: noise.Corrects | None,
    flags: Mask | None,
    known: Mask,
) -> Found:
    """Rows scored by `method` and flagged: each by itself, given what is known of the noise.

    `flags` are a filter's; None: where `correction` finds another class likelier than the given
    one. Rows that are `known` to be wrong are flagged in any case.
    """
    if correction is None:
        assert flags is not None
        return _found(label_quality(codes, probs, method), flags | known, probs)
    corrected = correction.apply(codes, probs)
    rows = np.arange(len(codes))
    quality = (
        corrected[rows, codes] if method == NOISE_CORRECTED else label_quality(codes, probs, method)
    )
    if flags is None:
        flagged = corrected.argmax(axis=1) != codes
        quality = np.where(known & ~flagged, quality / 2, quality)
        return _found(quality, flagged | known, np.where(known[:, None], probs, corrected))
    flagged = flags | known
    if method == NOISE_CORRECTED:
        # Another judge than the score flags these rows: where it finds a label more likely wrong
        # than right, the score cannot say that it is more likely right. Halved, they keep their
        # order, and rank no worse among all.
        quality = np.where(flagged, quality / 2, quality)
    return _found(quality, flagged, probs)


def choose_cut(seen: noise.Evidence) -> str:
    """The cut that fits the noise, from the data: what 'auto' stands for.

    A model that does not beat the commonest class says little: 'prune_by_class', the most
    careful of cleanlab's filters. Else 'noise_corrected', which flags the rows whose likeliest
    class after `noise.correction` is not the given one.
    """
    return NOISE_CORRECTED if seen.beats_the_majority else "prune_by_class"


def _found(quality: Floats, flagged: Mask, probs: Floats) -> Found:
    return Found(quality, flagged, probs.argmax(axis=1), probs.max(axis=1))


def filtered(codes: Codes, probs: Floats, cut: str) -> Mask:
    """The rows that cleanlab.filter.find_label_issues flags.

    Where it flags a number of rows, the worst, and the last of them are tied, it takes those that
    happen to come first. Rows of one label and the same probabilities are flagged alike here, as
    most of them are, whatever their order.
    """
    if cut == "predicted_neq_given":
        return np.asarray(probs[np.arange(len(codes)), codes] + _SAME < probs.max(axis=1))
    work.ready("cleanlab.filter")
    from cleanlab.filter import find_label_issues

    order, alike = _by_content(codes, probs)
    with _cleanlab, warnings.catch_warnings():
        # That a class has too few rows to prune is no news to somebody with a small class.
        warnings.simplefilter("ignore", UserWarning)
        ordered = find_label_issues(codes[order], probs[order], filter_by=cut, n_jobs=1)
    flags = np.empty(len(codes), dtype=bool)
    flags[order] = (2 * np.bincount(alike, ordered) >= np.bincount(alike))[alike]
    return flags


def _by_content(codes: Codes, probs: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """An order of rows that their own order has no part in: (rows,), and in it a number for each.

    The numbers are shared by rows of one class and the same probabilities, and by no others.
    """
    rows = np.arange(len(codes))
    given = probs[rows, codes]
    order = np.lexsort((given, codes))
    starts = np.ones(len(codes), dtype=bool)
    starts[1:] = (np.diff(codes[order]) != 0) | (np.diff(given[order]) != 0)
    runs = np.cumsum(starts) - 1
    tied = np.flatnonzero(np.bincount(runs)[runs] > 1)
    if len(tied):
        columns = probs[order[tied]].T
        order[tied] = order[tied][np.lexsort((*columns, runs[tied]))]
        starts[1:] |= (np.diff(probs[order], axis=0) != 0).any(axis=1)
        runs = np.cumsum(starts) - 1
    return order, runs
