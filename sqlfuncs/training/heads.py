"""Training 'fast' and 'best': linear heads on features, judged out of sample."""

from __future__ import annotations

from typing import cast

from sqlfuncs.errors import NoUsableRows
from sqlfuncs.learning.features import features
from sqlfuncs.learning.labels.classes import if_amounts
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.out_of_sample import by_models, prepare
from sqlfuncs.learning.models.pooling import StoredPool
from sqlfuncs.learning.rows.base import AVERAGES, Rows, describe, is_usable
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.store.jobs import Running
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.outcome import Outcome
from sqlfuncs.training.request import Request

IS_QUICK = TAKES_WEIGHTS = True
_READ, _JUDGED = 0.3, 0.8  # how much of all is done by then, about


def owns(base: str) -> bool:
    """Whether it is 'fast' or 'best'."""
    return base in AVERAGES


def named(base: str, rows: Rows) -> tuple[str, str]:
    """The base, and with which encoders it reads rows."""
    return base, rows.reading(base)


def refuse_labels(base: str, taught: Taught) -> None:
    """None."""


def check() -> None:
    """Nothing can be amiss."""


def judge(base: str) -> str:
    """Itself."""
    return base


def expected(request: Request, seconds: float) -> Expected:
    """As long as judging the rows."""
    return Expected(seconds=seconds)


def train(request: Request, job: Running) -> Outcome:
    """Raises NoUsableRows where no label has two rows."""
    taught = request.taught
    prepared = prepare(request.rows, taught.target(request.weights), request.base)
    job.report(_READ)
    predicted, unseen, pool = by_models(
        prepared, folds=request.folds, seed=request.seed, weights=request.weights
    )
    job.report(_JUDGED)
    if not is_usable(unseen).any():
        raise NoUsableRows(
            f"nothing can be learned: {describe(unseen)}. The label has {len(taught.classes):,} "
            "different values: is it the right column?"
            f"{if_amounts(taught.classes)}"
        )
    assert isinstance(prepared.features, features.Features)
    trained = fast.fit(
        prepared.features,
        prepared.views,
        prepared.target,
        cast("StoredPool", pool),
        None if request.weights is None else request.weights[prepared.order],
    )
    decoder = taught.decoder(predicted, request.weights)
    return Outcome(
        {**trained.to_files(), **decoder.to_files()}, taught.score(predicted, request.weights)
    )
