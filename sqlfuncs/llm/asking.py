"""Asking a model about texts: what is kept is read, the rest asked once (`run`, `batches`)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlfuncs import work
from sqlfuncs.errors import BadOption, ModelUnusable
from sqlfuncs.llm import batches, usage
from sqlfuncs.llm.budget import Budget, Limits
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.providers import BatchProvider, Provider
from sqlfuncs.llm.run import Run
from sqlfuncs.llm.task import Task
from sqlfuncs.store import answers as kept
from sqlfuncs.store.answers import Answer

_FAILURES_LAST = 10.0  # seconds

# Texts that have no answer, until when, and why not: SELECT and WHERE on one call, or each field
# of its STRUCT, are evaluated one after the other, and one try is enough for all of them.
_Asked = tuple[bytes, Limits, bool]
_failures: dict[_Asked, tuple[float, Answer]] = {}


def ask(
    provider: Provider,
    model: str,
    task: Task,
    texts: Sequence[str],
    *,
    budget: Limits,
    texts_at_once: int | None = None,
    batch: bool = False,
) -> list[tuple[Answer, bool]]:
    """An answer for each text, and whether it was kept before.

    With `batch`, texts are handed to the provider's batch endpoint, and the answer of those that
    are not done is an error which says so. Raises ModelUnusable and BudgetExhausted before the
    first request, BadOption for `batch` where there is none, and Cancelled; answers that have
    arrived by then are kept.
    """
    if batch and not isinstance(provider, BatchProvider):
        raise BadOption(f"batch := true: '{model}' has no batch endpoint; 'openai:...' has.")
    keys = _keys(provider, task, texts)
    known = kept.store().read(list(keys.values()))
    failed = _just_failed([(key, budget, batch) for key in keys.values()]) if _failures else {}
    wanted = {key: text for text, key in keys.items() if key not in known and key not in failed}
    usage.add(model, rows=len(texts), cache_hits=len(texts) - len(wanted))
    fresh: dict[bytes, Answer] = {}
    if wanted:
        try:
            work.interruptible(provider.check)
        except Unusable as failure:
            raise ModelUnusable(f"{model}: {failure}") from None

        def run(some: Mapping[bytes, str], *, is_last: bool = False) -> dict[bytes, Answer]:
            at_once = min(texts_at_once or provider.texts_at_once, len(some))
            limit = Budget(model, budget)
            return Run(provider, model, task, some, limit, at_once, is_last=is_last).answers()

        if isinstance(provider, BatchProvider):
            fresh |= batches.collect(provider, model, task, wanted, run)
            wanted = {key: text for key, text in wanted.items() if key not in fresh}
        if batch and isinstance(provider, BatchProvider):
            fresh |= batches.hand_in(
                provider, model, task, wanted, Budget(batches.priced_as(model), budget), run
            )
        elif wanted:
            fresh |= run(wanted)
        _note_failures({(key, budget, batch): answer for key, answer in fresh.items()})
        _say_errors(model, fresh)
    fresh |= failed
    return [
        (known[key], True) if (key := keys[text]) in known else (fresh[key], False)
        for text in texts
    ]


def missing(provider: Provider, task: Task, texts: Iterable[str]) -> list[str]:
    """The distinct texts that no answer is kept of."""
    keys = _keys(provider, task, texts)
    known = kept.store().read(list(keys.values()))
    return [text for text, key in keys.items() if key not in known]


def forget_failures() -> None:
    """Whatever failed a moment ago is asked again."""
    _failures.clear()


def _just_failed(asked: Iterable[_Asked]) -> dict[bytes, Answer]:
    now = time.monotonic()
    found = ((each[0], *_failures.get(each, (0.0, Answer(None)))) for each in asked)
    return {key: answer for key, until, answer in found if until > now}


def _note_failures(fresh: Mapping[_Asked, Answer]) -> None:
    now = time.monotonic()
    for asked in [asked for asked, (until, _) in list(_failures.items()) if until <= now]:
        _failures.pop(asked, None)
    until = now + _FAILURES_LAST
    _failures.update({asked: (until, answer) for asked, answer in fresh.items() if answer.error})


def _keys(provider: Provider, task: Task, texts: Iterable[str]) -> dict[str, bytes]:
    asked = provider.identity, task.canonical
    return {text: kept.key(*asked, text) for text in dict.fromkeys(texts)}


def _say_errors(model: str, fresh: Mapping[bytes, Answer]) -> None:
    reasons = Counter(answer.error for answer in fresh.values() if answer.error)
    if reasons:
        usage.add(model, errors=reasons.total())
        shown = "; ".join(f"{why} ({count:,})" for why, count in reasons.most_common(3))
        work.say(f"{model}: {reasons.total():,} texts have no answer: {shown}")
