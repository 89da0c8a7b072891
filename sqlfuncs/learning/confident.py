"""Which given labels are probably wrong: scores and cuts of confident learning.

Northcutt, Jiang, Chuang: Confident Learning (JAIR 2021), as implemented by cleanlab.
Arrays: `codes` (rows,) of int, the given classes; `probs` (rows, classes), each row summing
to 1 and out of sample: from a model that was not trained on that row's label.
"""

from __future__ import annotations

import threading
import warnings

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.classes import Codes

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
CLEANLAB_CUTS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
)
CUTS = ("auto", *CLEANLAB_CUTS)
_CLIP = 1e-6
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
    if method not in METHODS:
        raise BadOption.among("method", method, METHODS)
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


def label_issues(codes: Codes, probs: Floats, cut: str = "auto") -> Mask:
    """Which labels are probably wrong: (rows,) of bool.

    `cut` is 'auto' or the name of one of cleanlab's filters, which then flags exactly what
    cleanlab.filter.find_label_issues flags. 'auto' is 'prune_by_class': of cleanlab's filters
    the one that lost nothing in precision and recall on any of the data it was tried on.
    """
    if cut not in CUTS:
        raise BadOption.among("cut", cut, CUTS)
    from cleanlab.filter import find_label_issues

    with _cleanlab, warnings.catch_warnings():
        # That a class has too few rows to prune is no news to somebody with a small class.
        warnings.simplefilter("ignore", UserWarning)
        flags: Mask = find_label_issues(
            codes,
            probs,
            filter_by="prune_by_class" if cut == "auto" else cut,
            n_jobs=1,
        )
    return flags
