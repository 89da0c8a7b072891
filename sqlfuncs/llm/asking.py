"""Asking a model about texts: what is kept is read, the rest asked once (`run`, `batches`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from sqlfuncs import work
from sqlfuncs.errors import BadOption, BudgetExhausted, ModelUnusable
from sqlfuncs.llm import batches, usage
from sqlfuncs.llm.budget import Budget, Limits
from sqlfuncs.llm.failures import Unusable
from sqlfuncs.llm.providers import BatchProvider, Provider
from sqlfuncs.llm.recent import Recent
from sqlfuncs.llm.run import Run
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.unanswered import Again, look_up
from sqlfuncs.store import answer_rows, stores
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.store.base import Answers
from sqlfuncs.wording import Option

# Texts that have no answer, and why not: SELECT and WHERE on one call, or each field of its
# STRUCT, are evaluated one after the other, and one try is enough for all of them.
_Asked = tuple[bytes, Limits, bool, Hashable]
_failures: Recent[_Asked, Answer] = Recent(seconds=10.0)
# Budgets that let a question through or not. A query comes here with 2,048 rows at a time: a
# budget that runs out in the midst of it is no error of the query, one that had is.
_in_use: Recent[tuple[str, Limits], None] = Recent(seconds=60.0)
_remarks: Recent[str, None] = Recent(seconds=2.0)  # none is repeated sooner


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
    are not done is an error which says so. Raises ModelUnusable, BudgetExhausted and CannotKeep
    before the first request, BadOption for `batch` where there is none, and Cancelled; answers
    that have arrived by then are kept.
    """
    if batch and not isinstance(provider, BatchProvider):
        raise BadOption(
            f"{Option('batch', True)}: '{model}' has no batch endpoint; 'openai:...' has."
        )
    store, keys = stores.answers(), _keys(provider, task, texts)
    known, again = _known(store, provider, task, keys.values(), retry_in)
    failed = _just_failed([(key, budget, batch, retry_in) for key in keys.values()])
    wanted = {key: text for text, key in keys.items() if key not in known and key not in failed}
    usage.add(model, rows=len(texts), cache_hits=len(texts) - len(wanted))
    fresh: dict[bytes, Answer] = {}
    left_alone: set[bytes] = set()  # of which nothing was tried: the next one may be lucky
    if wanted:
        store.check_keeps()
        try:
            work.interruptible(provider.check)
        except Unusable as failure:
            raise ModelUnusable(f"{model}: {failure}") from None

        def run(some: Mapping[bytes, str], *, is_last: bool = False) -> dict[bytes, Answer]:
            at_once = min(texts_at_once or provider.texts_at_once, len(some))
            limit = Budget(model, budget)
            try:
                asked = Run(
                    store, provider, model, task, some, limit, at_once, is_last=is_last, again=again
                )
                found = asked.answers()
                left_alone.update(found if asked.was_left_alone else ())
            except BudgetExhausted as error:
                if not _in_use.find([(model, budget)]):
                    raise
                found = dict.fromkeys(some, Answer(None, str(error)))
            _in_use.note({(model, budget): None})
            return found

        if isinstance(provider, BatchProvider):
            fresh |= batches.collect(store, provider, model, task, wanted, run, again)
            wanted = {key: text for key, text in wanted.items() if key not in fresh}
        if batch and isinstance(provider, BatchProvider):
            limits = Budget(batches.priced_as(model), budget)
            fresh |= batches.hand_in(store, provider, model, task, wanted, limits, run)
        elif wanted:
            fresh |= run(wanted)
        again.note(fresh)
        failures = {key: each for key, each in fresh.items() if each.error}
        _failures.note(
            {(key, budget, batch, retry_in): failures[key] for key in failures.keys() - left_alone}
        )
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
    found = stores.answers().read(list(keys.values()), task.labels)
    known = {key for key, answer in found.items() if not again.is_due(key, answer)}
    return [text for text, key in keys.items() if key not in known]


def _known(
    store: Answers, provider: Provider, task: Task, keys: Iterable[bytes], retry_in: Hashable
) -> tuple[dict[bytes, Answer], Again]:
    """The kept answers that stand, and by which rule."""
    found = store.read(list(keys), task.labels)
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
    return {key: answer for (key, *_), answer in _failures.find(asked).items()}


def _keys(provider: Provider, task: Task, texts: Iterable[str]) -> dict[str, bytes]:
    asked = provider.identity, task.canonical
    return {text: answer_rows.key(*asked, text) for text in dict.fromkeys(texts)}


def _say_errors(model: str, answers: Mapping[bytes, Answer]) -> None:
    reasons = Counter(answer.error for answer in answers.values() if answer.error)
    if not reasons:
        return
    shown = "; ".join(f"{why} ({count:,})" for why, count in reasons.most_common(3))
    count = reasons.total()
    remark = f"{model}: {count:,} {'text has' if count == 1 else 'texts have'} no answer: {shown}"
    was_reported = _remarks.find([remark])
    _remarks.note({remark: None})
    if not was_reported:
        work.say(remark)
