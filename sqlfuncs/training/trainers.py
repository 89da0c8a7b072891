"""Who trains which base: modules that are each a `Trainer`. The one place that knows them all.

Another way to train is another module here.
"""

from __future__ import annotations

from typing import Protocol

from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.store.jobs import Running
from sqlfuncs.training import heads, hosted, network
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.outcome import Outcome
from sqlfuncs.training.request import Request


class Trainer(Protocol):
    """Trains models from bases of one kind.

    `IS_QUICK` tells that judging the rows takes as long as the training, `TAKES_WEIGHTS` that rows
    may count more or less.
    """

    IS_QUICK: bool
    TAKES_WEIGHTS: bool

    def owns(self, base: str) -> bool:
        """Whether a base, as it was written, is of its kind."""

    def named(self, base: str, rows: Rows) -> tuple[str, str]:
        """A base's full name, and how it reads rows: a part of fingerprints.

        Raises BadOption for rows that it cannot read, and what a base that is none raises.
        """

    def refuse_labels(self, base: str, taught: Taught) -> None:
        """Raise BadOption for labels that it cannot learn."""

    def check(self) -> None:
        """Raise ModelUnusable if nothing can be trained."""

    def judge(self, base: str) -> str:
        """The model that judges labels before they are trained on."""

    def expected(self, request: Request, seconds: float) -> Expected:
        """What a training will take; judging all rows would take so many seconds."""

    def train(self, request: Request, job: Running) -> Outcome:
        """Train, and report to the job. Raises what ends it."""


TRAINERS: tuple[Trainer, ...] = (heads, hosted, network)  # the last one takes what is left


def of(base: str) -> Trainer:
    """The trainer of a base."""
    return next(trainer for trainer in TRAINERS if trainer.owns(base))
