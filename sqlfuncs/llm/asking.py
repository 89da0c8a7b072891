"""Asking a model about texts: what is kept is read, the rest asked once (`run`, `batches`)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from sqlfuncs import work
from sqlfuncs.errors import BadOption, BudgetExhausted, ModelUnusable
from sqlfuncs.llm import batches, usage
from sqlfuncs.llm.budget import Budget, Limits
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.providers import BatchProvider, Provider
from sqlfuncs.llm.run import Run
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.unanswered import Again, look_up
from sqlfuncs.store import answers as kept
from sqlfuncs.store.answers import Answer

_FAILURES_LAST = 10.0  # seconds

# Texts that have no answer, until when, and why not: SELECT and WHERE on one call, or each field
# of its STRUCT, are evaluated one after the other, and one try is enough for all of them.
_Asked = tuple[bytes, Limits, bool, Hashable]
_failures: dict[_Asked, tuple[float, Answer]] = {}
_BUDGETS_LAST = 60.0  # seconds
# When a budget last let a question through or not. A query comes here with 2,048 rows at a time:
# a budget that runs out in the midst of it is no error of the query, one that had is.
_in_use: dict[tuple[str, Limits], float] = {}
_REMARKS_LAST = 2.0  # seconds in which the same is not said twice
_remarks: dict[str, float] = {}


def ask(
    provider: Provider,
    model: str,
    task: Task,
    texts: Sequence[str],
    *,
    budget: Limits,
    texts_at_once: int | None = None,
    batch: bool = False,
    retry_in: Hashable = None,
) -> list[tuple[Answer, bool]]:
    """An answer for each text, and whether it was kept before.

    `retry_in` is the query that asks once more for kept answers without a label (`unanswered`).
    With `batch`, texts are handed to the provider's batch endpoint, and the answer of those that
    are not done is an error which says so. Raises ModelUnusable and BudgetExhausted before the
    first request, BadOption for `batch` where there is none, and Cancelled; answers that have
    arrived by then are kept.
    """
    if batch and not isinstance(provider, BatchProvider):
        raise BadOption(f"batch := true: '{model}' has no batch endpoint; 'openai:...' has.")
    keys = _keys(provider, task, texts)
    known, again = _known(provider, keys.values(), retry_in)
    asked = [(key, budget, batch, retry_in) for key in keys.values()]
    failed = _just_failed(asked) if _failures else {}
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
            try:
                run_of = Run(
                    provider, model, task, some, limit, at_once, is_last=is_last, again=again
                )
                found = run_of.answers()
            except BudgetExhausted as error:
                if _in_use.get((model, budget), -_BUDGETS_LAST) < time.monotonic() - _BUDGETS_LAST:
                    raise
                found = dict.fromkeys(some, Answer(None, str(error)))
            _in_use[model, budget] = time.monotonic()
            return found

        if isinstance(provider, BatchProvider):
            fresh |= batches.collect(provider, model, task, wanted, run, again)
            wanted = {key: text for key, text in wanted.items() if key not in fresh}
        if batch and isinstance(provider, BatchProvider):
            fresh |= batches.hand_in(
                provider, model, task, wanted, Budget(batches.priced_as(model), budget), run
            )
        elif wanted:
            fresh |= run(wanted)
        again.note(fresh)
        _note_failures({(key, budget, batch, retry_in): each for key, each in fresh.items()})
        usage.add(model, errors=sum(bool(a.error) and not a.waits for a in fresh.values()))
    fresh |= failed
    _say_errors(model, {**known, **fresh})
    return [
        (known[key], True) if (key := keys[text]) in known else (fresh[key], False)
        for text in texts
    ]


def missing(
    provider: Provider, task: Task, texts: Iterable[str], *, retry: bool = False
) -> list[str]:
    """The distinct texts that no answer is kept of, or none that stands. No server is asked."""
    keys = _keys(provider, task, texts)
    again = Again(provider, object() if retry else None)
    found = kept.store().read(list(keys.values()))
    known = {key for key, answer in found.items() if not again.is_due(key, answer)}
    return [text for text, key in keys.items() if key not in known]


def _known(
    provider: Provider, keys: Iterable[bytes], retry_in: Hashable
) -> tuple[dict[bytes, Answer], Again]:
    """The kept answers that stand, and by which rule."""
    found = kept.store().read(list(keys))
    if retry_in is None and any(answer.labels is None for answer in found.values()):
        look_up(provider)  # it may be another than the one that gave them
    again = Again(provider, retry_in)
    return {key: each for key, each in found.items() if not again.is_due(key, each)}, again


def forget_failures() -> None:
    """Whatever failed a moment ago is asked again, and budgets that ran out are errors."""
    _failures.clear()
    _in_use.clear()
    _remarks.clear()


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


def _say_errors(model: str, answers: Mapping[bytes, Answer]) -> None:
    reasons = Counter(answer.error for answer in answers.values() if answer.error)
    if not reasons:
        return
    shown = "; ".join(f"{why} ({count:,})" for why, count in reasons.most_common(3))
    count = reasons.total()
    remark = f"{model}: {count:,} {'text has' if count == 1 else 'texts have'} no answer: {shown}"
    now = time.monotonic()
    if _remarks.get(remark, -_REMARKS_LAST) < now - _REMARKS_LAST:
        work.say(remark)
    _remarks[remark] = now
