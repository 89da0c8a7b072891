"""A network trained anew for each fold of rows, so that it judges only rows it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sqlfuncs import work
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.models.folds import Order
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.models.target import Pooling, Target
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.store import weights


@dataclass(frozen=True)
class Refitted:
    """How the network was trained that is to judge `texts`."""

    recipe: Recipe
    texts: Sequence[str]

    def cross_predict(
        self,
        groups: list[bytes],
        target: Target,
        folds: Order,
        seed: int,
        counts: RowWeights | None = None,
    ) -> tuple[Floats, Pooling]:
        """Probabilities of each row from a network that did not see its fold: (rows, classes).

        And the pool that calibrated them. Nothing learns from rows without a label; they get the
        mean of all networks. Raises DamagedModel, DownloadFailed.
        """
        from sqlfuncs.learning.models.networks.network import untrained
        from sqlfuncs.learning.models.networks.training import Rows, predictions, train

        codes, n_classes = target.as_classes(), target.width
        found = weights.get(self.recipe.base)
        counted = np.ones(len(codes), dtype=np.float32) if counts is None else counts
        said, judged = np.zeros((len(codes), n_classes)), np.zeros((len(codes), 1))
        numbers = np.unique(folds)
        name = self.recipe.base.rpartition("/")[2]
        with work.share(f"training {name} for each fold") as task:
            for turn, fold in enumerate(numbers):
                judging = np.flatnonzero((folds == fold) | (codes < 0))
                learning = np.flatnonzero((folds != fold) & (codes >= 0))
                if not len(learning):
                    continue
                network = untrained(found, self.recipe, n_classes, seed)
                rows = Rows(network.tokens(self.texts), codes, counted)
                train(
                    network,
                    rows.take(learning),
                    [groups[at] for at in learning],
                    seed=seed,
                    step=partial(_report, task, turn, len(numbers)),
                )
                said[judging] += predictions(network, rows.take(judging).tokens)
                judged[judging] += 1
        said /= np.maximum(judged, 1)
        pool = target.pool([said])
        return pool([said]), pool


def _report(task: work.Share, turn: int, turns: int, done: float) -> None:
    """Show that so much of a fold's training is done; raises `Cancelled` if it is to stop."""
    task.reach((turn + done) / turns)
