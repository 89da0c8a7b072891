"""The heads of every fold, kept: rows that come later are judged as those of the table were.

A row is judged by the heads of the fold that its content belongs to, in each cut. These saw neither
it, if it was in the table, nor its near duplicates: what they say of it is out of sample.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import DamagedModel
from sqlfuncs.learning.features import features
from sqlfuncs.learning.features.heads import Head
from sqlfuncs.learning.models.folds import Cut, Order
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows.base import Floats, Rows

ABOUT, WEIGHTS = "cross_fitted.json", "cross_fitted.safetensors"
BASE = "judge of "  # in the record of one that is kept, before the model that reads its rows
_ROWS_AT_ONCE = 8_192  # of a large table: their views fit beside it
Heads = tuple[Head, ...]


@dataclass(frozen=True)
class CrossFitted:
    """Features, the `cuts` into folds, the heads of each cut and fold, and how they are pooled.

    `heads` has for each cut and fold a head for each view, none where no row was left to learn
    from.
    """

    features: features.Features
    cuts: tuple[Cut, ...]
    heads: Mapping[tuple[int, int], Heads]
    pool: Pool

    @property
    def width(self) -> int:
        """How many classes there are."""
        return len(next(heads[0].bias for heads in self.heads.values() if heads))

    def predict(self, rows: Rows) -> Floats:
        """Class probabilities: (rows, classes), each row summing to 1."""
        return self.judge(rows, rows.groups(rows.digests()), np.arange(len(rows)))[0]

    def judge(
        self, rows: Rows, groups: Sequence[bytes], order: Order
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Class probabilities, (rows, classes), and which classes the heads of a row know.

        Both are in `order`, in which rows are worked on; `groups` are digests of the rows' near
        duplicates. A class whose rows are all in the row's own fold is not known there.
        """
        probs = np.zeros((len(order), self.width))
        known = np.ones((len(order), self.width), dtype=bool)
        for at in range(0, len(order), _ROWS_AT_ONCE):
            work.check()
            part, places = slice(at, at + _ROWS_AT_ONCE), order[at : at + _ROWS_AT_ONCE]
            probs[part], known[part] = self._judge(
                self.features.views(rows.take(places)), [groups[place] for place in places]
            )
        return probs, known

    def _judge(
        self, views: Sequence[Any], groups: Sequence[bytes]
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        said = np.zeros((len(views), len(groups), self.width))
        times = np.zeros((len(groups), 1))
        known = np.ones((len(groups), self.width), dtype=bool)
        for number, cut in enumerate(self.cuts):
            folds = cut(groups)
            for fold in np.unique(folds).tolist():
                heads, rows = self.heads[number, fold], np.flatnonzero(folds == fold)
                if not heads:
                    known[rows] = False
                    continue
                times[rows] += 1
                known[rows] &= np.isfinite(heads[0].bias)
                for place, head in enumerate(heads):
                    said[place, rows] += head.predict(views[place][rows])
        said /= np.maximum(times, 1)
        return self.pool(list(said)), known

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        files, arrays = self.features.state()
        for (cut, fold), heads in self.heads.items():
            for view, head in enumerate(heads):
                arrays[f"{cut}.{fold}.{view}.weights"] = head.weights
                arrays[f"{cut}.{fold}.{view}.bias"] = head.bias
        about = {
            "cuts": [
                {
                    "folds": cut.folds,
                    "salt": cut.salt,
                    "moved": {key.hex(): fold for key, fold in cut.moved.items()},
                }
                for cut in self.cuts
            ],
            "inverse_temperature": self.pool.inverse_temperature,
            "weights": self.pool.weights,
        }
        return {
            **files,
            ABOUT: json.dumps(about).encode(),
            WEIGHTS: save({name: np.ascontiguousarray(a) for name, a in arrays.items()}),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> CrossFitted:
        """What `to_files` gave. Raises DamagedModel if texts are read in another way now."""
        from safetensors.numpy import load

        arrays, about = load(files[WEIGHTS]), json.loads(files[ABOUT])
        restored = features.restore(files, arrays)
        if len(about["weights"]) != restored.count:
            raise DamagedModel(
                "the judge was learned by an earlier version of sqlfuncs, which read rows in "
                "another way. Learn it again, with label_issues."
            )
        cuts = tuple(
            Cut(
                cut["folds"],
                cut["salt"],
                {bytes.fromhex(key): fold for key, fold in cut["moved"].items()},
            )
            for cut in about["cuts"]
        )

        def heads(cut: int, fold: int) -> Heads:
            if f"{cut}.{fold}.0.bias" not in arrays:
                return ()
            return tuple(
                Head(arrays[f"{cut}.{fold}.{view}.weights"], arrays[f"{cut}.{fold}.{view}.bias"])
                for view in range(restored.count)
            )

        return cls(
            restored,
            cuts,
            {
                (at, fold): heads(at, fold)
                for at, cut in enumerate(cuts)
                for fold in range(cut.folds)
            },
            Pool(tuple(about["inverse_temperature"]), tuple(about["weights"])),
        )
