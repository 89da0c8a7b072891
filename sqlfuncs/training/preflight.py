"""What can be said of a training before it begins: its rows, what it takes, why it may be poor."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.folds import canonical_order
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.rows.base import Rows, is_usable
from sqlfuncs.training import trainers
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.request import Request
from sqlfuncs.wording import Call, Snippet

_MOST_ROWS = 2_000  # that are judged for the rate of wrong labels
_FEWEST_ROWS = 40  # of which such a rate says anything
_FEW = 10  # rows of a class: fewer teach little
_MANY_WRONG = 0.05
_LOPSIDED = 0.9  # the share of one class above which accuracy says little
_SHOWN = 3


@dataclass(frozen=True)
class Preflight:
    """What is known before a training begins.

    `duplicates` are rows whose content an earlier row has; `contradictions` rows whose content
    has another label as well; `issue_rate`, 0 to 1, is the estimated share of wrong labels, None
    where it was not asked for or the rows are too few; `overlap` counts the rows that are among
    those to test on, None without any. `refusal` says why it cannot be begun, if so.
    """

    class_counts: dict[str, int]
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
        class_counts=dict(sorted(Counter(request.labels).items())),
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
    codes = class_order.codes(request.labels, request.classes)
    some = canonical_order(keys, codes)[:_MOST_ROWS]
    begun = time.perf_counter()
    target = ClassTarget(codes[some], len(request.classes))
    prepared = prepare(request.rows.take(some), target, model)
    probs, unseen, _ = out_of_sample(prepared, folds=request.folds, seed=request.seed)
    seconds = (time.perf_counter() - begun) * len(codes) / len(some)
    judged = is_usable(unseen)
    if judged.sum() < _FEWEST_ROWS:
        return None, seconds
    given = codes[some][judged]
    wrong = np.nansum(
        health(given, probs[judged]).error_rate * np.bincount(given, minlength=len(request.classes))
    )
    return float(wrong / len(given)), seconds


def _warnings(request: Request, found: Preflight) -> list[str]:
    warnings = []
    few = [name for name, count in found.class_counts.items() if count < _FEW]
    if few:
        shown = ", ".join(f"'{name}'" for name in few[:_SHOWN])
        warnings.append(
            f"fewer than {_FEW} rows have the label {shown}"
            + (f" or one of {len(few) - _SHOWN:,} others" if len(few) > _SHOWN else "")
            + ": a model learns little of it"
        )
    rows = len(request.labels)
    commonest, count = max(found.class_counts.items(), key=lambda each: each[1])
    if count > _LOPSIDED * rows:
        warnings.append(
            f"{count / rows:.0%} of the rows have the label '{commonest}': a model that always "
            "says so is as accurate; look at class_report, not at the accuracy"
        )
    if found.contradictions:
        warnings.append(
            f"{found.contradictions:,} rows have a text that has another label as well: one of "
            "them is wrong"
        )
    if found.issue_rate is not None and found.issue_rate >= _MANY_WRONG:
        warnings.append(
            f"about {found.issue_rate:.0%} of the labels are wrong, as far as can be told: "
            f"{Call('label_issues', '...', is_table=True)} shows which. Mend them first"
        )
    return warnings


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return f"'{shown[:60]}{'…' if len(shown) > 60 else ''}'"
