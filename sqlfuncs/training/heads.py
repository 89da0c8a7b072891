"""Training 'fast' and 'best': linear heads on features, judged out of sample."""

from __future__ import annotations

from sqlfuncs.learning.rows.base import AVERAGES, Rows
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.store.jobs import Running
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.outcome import Outcome
from sqlfuncs.training.request import Request

IS_QUICK = TAKES_WEIGHTS = True


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
    fitted = taught.fit(
        request.rows,
        request.base,
        folds=request.folds,
        seed=request.seed,
        weights=request.weights,
        report=job.report,
    )
    decoder = taught.decoder(fitted.predicted, request.weights)
    return Outcome(
        {**fitted.files, **decoder.to_files()}, taught.score(fitted.predicted, request.weights)
    )
