"""Rows of which a model is in doubt, and labels of which it is sure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats

Mask = npt.NDArray[np.bool_]

_AS_LIKELY = 0.8
ROUNDING = 1e-9  # probabilities that differ by less are the same


def ambiguity(probs: Floats) -> Floats:
    """How likely the second likeliest class is beside the likeliest: (rows, classes) to (rows,).

    0 where one class is certain, 1 where two are as likely. This is about what a row is: its label
    does not come into it.

    >>> ambiguity(np.array([[0.5, 0.4, 0.1], [1.0, 0.0, 0.0]])).tolist()
    [0.8, 0.0]
    """
    second, first = np.partition(probs, -2, axis=1)[:, -2:].T
    # Where all are 0, no class is likelier than another.
    found: Floats = np.divide(second, first, out=np.ones(len(probs)), where=first > 0)
    return found


def ambiguous(probs: Floats) -> Mask:
    """Rows for which two classes are about as likely: (rows, classes) to (rows,).

    The second likeliest has at least four fifths of the probability of the likeliest.

    >>> ambiguous(np.array([[0.5, 0.4, 0.1], [0.5, 0.39, 0.11]])).tolist()
    [True, False]
    """
    found: Mask = ambiguity(probs) >= _AS_LIKELY
    return found


def mean_self_confidence(codes: Codes, probs: Floats) -> Floats:
    """The mean probability of a class among the rows given it: (classes,); 1 without such rows.

    The threshold of confident learning (Northcutt, Jiang, Chuang, JAIR 2021, section 3.1).

    >>> probs = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    >>> mean_self_confidence(np.array([0, 0, 1]), probs).round(2).tolist()
    [0.7, 0.8, 1.0]
    """
    counts = np.bincount(codes, minlength=probs.shape[1])
    own = np.bincount(codes, probs[np.arange(len(codes)), codes], probs.shape[1])
    return np.where(counts > 0, own / np.maximum(counts, 1), 1.0)


def well_labeled(codes: Codes, probs: Floats, flagged: Mask, usual: Floats | None = None) -> Mask:
    """Rows whose label is surely right: (rows,).

    It is the likeliest class, at least as likely as it is on average among the rows given it,
    neither ambiguous nor flagged. Rows of one content and label come out alike. `usual` (classes,)
    are these averages where the rows are not all of a table: its `mean_self_confidence`.
    """
    own = probs[np.arange(len(codes)), codes]
    usual = mean_self_confidence(codes, probs) if usual is None else usual
    found: Mask = (probs.argmax(axis=1) == codes) & ~flagged & ~ambiguous(probs)
    return found & (own >= usual[codes] - ROUNDING)
