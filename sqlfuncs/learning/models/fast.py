"""The models `fast` and `best`: averages of linear heads on unlike views, trained in seconds.

Averaging a sentence encoder's views and a bag of words and characters ranks label errors
better than any of them, and better than the encoder alone does with the true labels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import DamagedModel
from sqlfuncs.learning.features import features
from sqlfuncs.learning.features.heads import (
    AnyHead,
    Head,
    Learned,
    RowWeights,
    StoredHead,
    one_thread,
)
from sqlfuncs.learning.features.ridge import Line
from sqlfuncs.learning.models.number_target import LeastSquares
from sqlfuncs.learning.models.pooling import Pool, StoredPool
from sqlfuncs.learning.models.tag_target import Calibrated
from sqlfuncs.learning.models.target import Pooling, Target
from sqlfuncs.learning.rows.base import Floats, Rows

_WORKERS = 2


_POOLS: Mapping[str, type[StoredPool]] = {
    each.name: each for each in (Pool, Calibrated, LeastSquares)
}


@dataclass(frozen=True)
class FastModel:
    """A trained model: features, a head for each of their views, and how these are averaged."""

    features: features.Features
    heads: tuple[StoredHead, ...]
    pool: StoredPool

    def predict(self, rows: Rows) -> Floats:
        """What its target is of rows, (rows, width): of classes and tags how likely each is."""
        views = self.features.views(rows)
        return self.pool([head.predict(view) for head, view in zip(self.heads, views, strict=True)])

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        files, arrays = self.features.state()
        for at, head in enumerate(self.heads):
            arrays |= {f"head.{at}.{name}": array for name, array in head.state().items()}
        about = {"pool": self.pool.name, **self.pool.state()}
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
        restored = features.restore(files, arrays)
        if len(about.get("weights", ())) != restored.count:
            raise DamagedModel(
                "the model was trained by an earlier version of sqlfuncs, which read rows in "
                "another way. Train it again."
            )
        pool = _POOLS[about.pop("pool", Pool.name)]  # earlier versions had one kind
        return cls(
            restored,
            tuple(_head(arrays, f"head.{at}.") for at in range(restored.count)),
            pool.from_state(about),
        )


def _head(arrays: Mapping[str, npt.NDArray[np.float32]], prefix: str) -> StoredHead:
    if f"{prefix}slopes" in arrays:
        return Line(arrays[f"{prefix}slopes"], arrays[f"{prefix}intercepts"])
    return Head(arrays[f"{prefix}weights"], arrays[f"{prefix}bias"])


def fit(
    learned: features.Features,
    views: Sequence[Any],
    target: Target,
    pool: StoredPool,
    weights: RowWeights | None = None,
) -> FastModel:
    """Train a head on each view of some rows, in the order given. `pool` averages them."""
    with one_thread():
        heads = fit_heads(learned, views, target, weights)
    return FastModel(learned, cast("tuple[StoredHead, ...]", heads), pool)


def fit_heads(
    learned: Learned[AnyHead], views: Sequence[Any], target: Target, weights: RowWeights | None
) -> tuple[AnyHead, ...]:
    """A head on each view of some rows, which all have a label. To be called in `one_thread`."""
    return tuple(target.fit(learned, place, view, weights) for place, view in enumerate(views))


def cross_predict(
    learned: Learned[AnyHead],
    views: Sequence[Any],
    target: Target,
    folds: npt.NDArray[np.int64],
    weights: RowWeights | None = None,
    pooling: Callable[[Sequence[Floats]], Pooling] | None = None,
    keep: Callable[[int, int, tuple[AnyHead, ...]], None] | None = None,
) -> tuple[Floats, Pooling]:
    """Predictions of each row by heads that did not see it, (rows, width), and their pool.

    `folds` (repeats, rows) holds the fold of each row in several cuts, over which what a head
    predicts is averaged. The heads are pooled by how well they predict the labels. Nothing learns
    from rows without one. `weights` (rows,) say how much each row teaches; `pooling` learns the
    pool from what the heads predict, `target.pool` where it is not given. `keep` gets the heads of
    each cut and fold, from several threads.
    """
    labeled = target.strata >= 0
    predicted = np.zeros((len(views), len(labeled), target.width))
    times = np.zeros((len(labeled), 1))
    parts = [(cut, fold) for cut, numbers in enumerate(folds) for fold in np.unique(numbers)]

    def judge(part: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], list[Floats]]:
        work.check()
        cut, fold = part
        held_out = (folds[cut] == fold) | ~labeled
        if held_out.all():
            return held_out, []
        trained = tuple(fit(held_out) for fit in left_out)
        if keep is not None:
            keep(cut, int(fold), trained)
        return held_out, [
            head.predict(view[held_out]) for head, view in zip(trained, views, strict=True)
        ]

    with (
        one_thread(),
        work.task("judging labels", len(parts)) as task,
        ThreadPoolExecutor(_WORKERS) as workers,
    ):
        left_out = [
            target.left_out(learned, place, view, weights) for place, view in enumerate(views)
        ]
        for held_out, each in workers.map(judge, parts):
            for place, values in enumerate(each):
                predicted[place, held_out] += values
            times[held_out] += bool(each)
            task.advance()
        predicted /= np.maximum(times, 1)
        pool = (pooling or target.pool)(list(predicted))
        return pool(list(predicted)), pool
