"""The models `fast` and `best`: averages of linear heads on unlike views, trained in seconds.

Averaging a sentence encoder's view and a bag of words and characters ranks label errors
better than either, and better than the encoder alone does with the true labels.
"""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning import features
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.heads import AnyHead, H, Head, Learned
from sqlfuncs.learning.inputs import Embeddings, Floats, Texts

_WORKERS = 2
_fitting = threading.Lock()


@dataclass(frozen=True)
class FastModel:
    """A trained model: features and a head for each of their views."""

    features: features.Features
    heads: tuple[Head, ...]

    def probabilities(self, rows: Texts | Embeddings) -> Floats:
        """Class probabilities: (rows, classes), each row summing to 1."""
        views = self.features.views(rows)
        return mean_probabilities(self.heads, views)

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        files, arrays = self.features.state()
        for at, head in enumerate(self.heads):
            arrays[f"head.{at}.weights"] = head.weights
            arrays[f"head.{at}.bias"] = head.bias
        about = {"heads": len(self.heads)}
        return {
            **files,
            "fast.json": json.dumps(about).encode(),
            "fast.safetensors": save({k: np.ascontiguousarray(v) for k, v in arrays.items()}),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> FastModel:
        """What `to_files` gave."""
        from safetensors.numpy import load

        arrays = load(files["fast.safetensors"])
        about = json.loads(files["fast.json"])
        return cls(
            features.restore(files, arrays),
            tuple(
                Head(arrays[f"head.{at}.weights"], arrays[f"head.{at}.bias"])
                for at in range(about["heads"])
            ),
        )


def fit(
    learned: features.Features, views: Sequence[Any], codes: Codes, n_classes: int
) -> FastModel:
    """Train a head on each view of some rows, in the order given."""
    with one_thread():
        return FastModel(learned, _fit_heads(learned, views, codes, n_classes))


def _fit_heads(
    learned: Learned[H], views: Sequence[Any], codes: Codes, n_classes: int
) -> tuple[H, ...]:
    return tuple(
        learned.fit_head(place, view, codes, n_classes) for place, view in enumerate(views)
    )


def mean_probabilities(trained: Sequence[AnyHead], views: Sequence[Any]) -> Floats:
    """The mean of the heads' class probabilities: (rows, classes)."""
    each = [head.probabilities(view) for head, view in zip(trained, views, strict=True)]
    mean: Floats = np.mean(each, axis=0)
    return mean


def cross_probabilities(
    learned: Learned[AnyHead],
    views: Sequence[Any],
    codes: Codes,
    n_classes: int,
    folds: npt.NDArray[np.int64],
) -> Floats:
    """Probabilities of each row from heads that did not see it: (rows, classes).

    `folds` (repeats, rows) holds the fold of each row in several cuts, over which the
    probabilities are averaged. Rows of class -1 have no label: nothing learns from them.
    """
    out = np.zeros((len(folds), len(codes), n_classes))
    labeled = codes >= 0
    parts = [(cut, fold) for cut, numbers in enumerate(folds) for fold in np.unique(numbers)]

    def judge(part: tuple[int, int]) -> tuple[int, npt.NDArray[np.bool_], Floats | None]:
        work.check()
        cut, fold = part
        held_out = (folds[cut] == fold) | ~labeled
        if held_out.all():
            return cut, held_out, None
        trained = _fit_heads(learned, [v[~held_out] for v in views], codes[~held_out], n_classes)
        return cut, held_out, mean_probabilities(trained, [view[held_out] for view in views])

    with (
        one_thread(),
        work.task("judging labels", len(parts)) as task,
        ThreadPoolExecutor(_WORKERS) as pool,
    ):
        for cut, held_out, probs in pool.map(judge, parts):
            if probs is not None:
                out[cut, held_out] += probs
            task.advance()
    mean: Floats = out.mean(axis=0)
    mean[~labeled] /= np.maximum(mean[~labeled].sum(axis=1, keepdims=True), 1e-12)
    return mean


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit with one BLAS thread: how sums are split over threads would change their last bits.

    What scikit-learn warns of (a fit that stops before it is exact, very many classes) is no
    news to an analyst.
    """
    from threadpoolctl import threadpool_limits

    with _fitting, threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        yield
