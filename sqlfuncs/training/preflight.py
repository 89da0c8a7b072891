"""What can be said of a training before it begins: its rows, what it takes, why it may be poor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.models.folds import canonical_order
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.training import trainers
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.request import Request
from sqlfuncs.wording import Call, Snippet

_MOST_ROWS = 2_000  # that are judged for the rate of wrong labels
_FEWEST_ROWS = 40  # of which such a rate says anything
_MANY_WRONG = 0.05


@dataclass(frozen=True)
class Preflight:
    """What is known before a training begins.

    `duplicates` are rows whose content an earlier row has; `contradictions` rows whose content
    has another label as well; `issue_rate`, 0 to 1, is the estimated share of wrong labels, None
    where it was not asked for or the rows are too few; `overlap` counts the rows that are among
    those to test on, None without any. `refusal` says why it cannot be begun, if so.
    """

    class_counts: Mapping[str, int]
    duplicates: int
    contradictions: int
    issue_rate: float | None
    overlap: int | None
    expected: Expected
    warnings: tuple[str, ...] = ()
    refusal: str | None = None


def look(request: Request, tested: Rows | None, *, wholly: bool) -> Preflight:
    """Look at rows before they are trained on; `tested` are those that will be tested on.

    What takes time itself, the rate of wrong labels and the seconds, is left out unless
    `wholly`. Raises what a base that cannot be trained raises.
    """
    keys = request.rows.digests()
    labels_of: dict[bytes, set[str]] = {}
    for key, label in zip(keys, request.labels, strict=True):
        labels_of.setdefault(key, set()).add(label)
    overlap, refusal = _overlap(request, keys, tested)
    found = Preflight(
        class_counts=request.taught.counts,
        duplicates=len(keys) - len(labels_of),
        contradictions=sum(len(labels_of[key]) > 1 for key in keys),
        issue_rate=None,
        overlap=overlap,
        expected=Expected(),
        refusal=refusal,
    )
    if refusal is None and wholly:
        trainer = trainers.of(request.base)
        rate, seconds = _issue_rate(request, keys, trainer.judge(request.base))
        found = replace(found, issue_rate=rate, expected=trainer.expected(request, seconds))
    return replace(found, warnings=(*_warnings(request, found), *found.expected.warnings))


def refuse_overlap(request: Request, tested: Rows | None) -> None:
    """Raise BadInput if rows to train on are among those that will be tested on."""
    _, refusal = _overlap(request, request.rows.digests(), tested)
    if refusal:
        raise BadInput(refusal)


def _overlap(
    request: Request, keys: Sequence[bytes], tested: Rows | None
) -> tuple[int | None, str | None]:
    """How many rows are also among those to test on, but for blanks, case and signs."""
    if tested is None:
        return None, None
    seen = set(tested.groups(tested.digests()))
    common = [at for at, key in enumerate(request.rows.groups(keys)) if key in seen]
    if not common:
        return 0, None
    texts = request.rows.texts
    refusal = (
        f"{len(common):,} of the {len(keys):,} rows are in the table to test on as well"
        + (f", for example {_short(texts[common[0]])}" if texts else "")
        + ". A model that was trained on them would know the answers. Leave them out of one of the "
        f"two: {Snippet('rows that are not tested on')}."
    )
    return len(common), refusal


def _issue_rate(request: Request, keys: Sequence[bytes], model: str) -> tuple[float | None, float]:
    """The estimated share of wrong labels, and the seconds that all rows would take to judge."""
    some = canonical_order(keys, request.taught.ranks)[:_MOST_ROWS]
    rows = pa.StructArray.from_arrays(
        [request.rows.take(some).to_arrow(), pa.array([request.labels[at] for at in some])],
        names=["x", "label"],
    )
    options = Options(model=model, folds=request.folds, seed=request.seed)
    begun = time.perf_counter()
    wrong, judged = tasks.named(request.task).wrong(rows, options)
    seconds = (time.perf_counter() - begun) * len(keys) / len(some)
    return (None if judged < _FEWEST_ROWS else wrong / judged), seconds


def _warnings(request: Request, found: Preflight) -> list[str]:
    warnings = request.taught.warnings(found.contradictions)
    if found.issue_rate is not None and found.issue_rate >= _MANY_WRONG:
        warnings.append(
            f"about {found.issue_rate:.0%} of the labels are wrong, as far as can be told: "
            f"{Call('label_issues', '...', is_table=True)} shows which. Mend them first"
        )
    return warnings


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return f"'{shown[:60]}{'…' if len(shown) > 60 else ''}'"
