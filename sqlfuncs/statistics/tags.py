"""How well predicted tags agree with the true ones, from how often the two occur together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.statistics.intervals import Floats, wilson

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_STEPS = 1000  # of the thresholds that are tried, from 0 to 1


def evaluate(
    actual: Mask, predicted: Mask, count: Counts, missing: Mask | None = None
) -> dict[str, float]:
    """Figures by name, from tags (combinations, tags), each in `count` rows.

    Where a prediction is `missing` (combinations,) it is wrong, whatever the true tags are.

    `accuracy` is the share of rows that have exactly the true tags, with its 95 % Wilson interval;
    `macro_f1` the mean F1 of tags, `micro_f1` that of all together, `weighted_f1` the mean by how
    common they are, `jaccard` the mean over rows of tags in common to tags in either, 1 where
    neither has any. F1 of a tag that is nowhere is 0, as in scikit-learn.

    >>> true, said = np.array([[1, 1], [0, 1], [0, 0]]) > 0, np.array([[1, 0], [0, 1], [0, 0]]) > 0
    >>> found = evaluate(true, said, np.array([1, 1, 2]))
    >>> found["n"], found["correct"], found["micro_f1"], found["jaccard"]
    (4, 3, 0.8, 0.875)
    """
    weights = count[:, None]
    hits = (weights * (actual & predicted)).sum(axis=0)
    support, said = (weights * actual).sum(axis=0), (weights * predicted).sum(axis=0)
    f1 = 2 * hits / np.maximum(support + said, 1)
    n = int(count.sum())
    is_there = np.ones(len(count), dtype=bool) if missing is None else ~missing
    correct = int(count[(actual == predicted).all(axis=1) & is_there].sum())
    low, high = (float(wilson(correct, n, side)) for side in (-1, 1))
    either = (actual | predicted).sum(axis=1)
    common = (actual & predicted).sum(axis=1)
    overlap = np.where(either > 0, common / np.maximum(either, 1), 1.0) * is_there
    total = int(support.sum())
    return {
        "n": n,
        "correct": correct,
        "accuracy": correct / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(f1.mean()) if len(f1) else 0.0,
        "micro_f1": float(2 * hits.sum() / max(1, int((support + said).sum()))),
        "weighted_f1": float((f1 * support).sum() / total) if total else 0.0,
        "jaccard": float((overlap * count).sum() / n),
    }


def best_threshold(
    probs: Floats, given: Mask, counts: npt.NDArray[np.floating[Any]] | None = None
) -> float:
    """The threshold, one for all tags, under which their micro F1 is highest.

    `probs` (rows, tags) are how likely each is, calibrated; `counts` (rows,) how much each row
    counts, all the same if None. Under calibrated ones no thresholds of single tags do better, but
    for chance (Lipton, Elkan, Naryanaswamy: Optimal thresholding of classifiers to maximize F1
    measure, ECML 2014). .5 where no row has a tag.

    >>> best_threshold(np.array([[0.9, 0.3], [0.4, 0.1]]), np.array([[1, 0], [1, 0]]) > 0)
    0.4
    """
    step = (probs * _STEPS).astype(np.int64).clip(0, _STEPS).ravel()
    each = np.ones(len(probs)) if counts is None else counts
    every = np.repeat(each, probs.shape[1])
    said, hits = (
        np.bincount(step, weights, _STEPS + 1)[::-1].cumsum()[::-1]
        for weights in (every, every * given.ravel())
    )
    f1 = 2 * hits / np.maximum(said + hits[0], 1e-12)
    return float(_STEPS - f1[::-1].argmax()) / _STEPS if hits[0] > 0 else 0.5
