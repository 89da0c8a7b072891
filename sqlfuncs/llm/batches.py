"""Texts in a provider's batches: handed in by one run of a query, collected by a later one.

A batch takes up to a day, longer than a query should wait: which texts are in it is kept in the
store, so that no text is asked again while it is there.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from sqlfuncs import work
from sqlfuncs.errors import CannotKeep, ModelUnusable
from sqlfuncs.llm import expected, prices, usage
from sqlfuncs.llm.budget import Budget
from sqlfuncs.llm.expected import Tokens
from sqlfuncs.llm.failures import (
    Busy,
    Declined,
    Flaky,
    LeftAlone,
    ProviderFailure,
    TooLong,
    Unusable,
)
from sqlfuncs.llm.limits import LONGEST_PAUSE
from sqlfuncs.llm.providers import BatchProvider
from sqlfuncs.llm.requests import believed
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.unanswered import Again
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.store.base import Answers
from sqlfuncs.wording import Option

_ATTEMPTS = 4
_UNNAMED = "?"  # before the mark of a batch whose name is not known yet
_FIRST_WAIT = 0.5  # seconds before the second attempt, then twice as many


class Ask(Protocol):
    """Asks about some texts now (`run.Run`)."""

    def __call__(self, some: Mapping[bytes, str], *, is_last: bool = False) -> dict[bytes, Answer]:
        """An answer for each."""


def priced_as(model: str) -> str:
    """What a model's batches are called in the ledger and in the table of prices."""
    return f"{model}{prices.BATCH}"


def collect(
    store: Answers,
    provider: BatchProvider,
    model: str,
    task: Task,
    texts: Mapping[bytes, str],
    ask: Ask,
    again: Again | None = None,
) -> dict[bytes, Answer]:
    """Answers of those texts that are in batches; an error where there is none yet.

    What a batch that is over has no answer for is left out: it has to be asked again.
    """
    found: dict[bytes, Answer] = {}
    for batch, keys in store.batches(list(texts)).items():
        try:
            name = _found(store, provider, batch, keys) if batch.startswith(_UNNAMED) else batch
            if name is None:
                continue
            state = work.interruptible(partial(provider.collect, task, name))
        except ProviderFailure as failure:
            found |= dict.fromkeys(keys, Answer(None, f"in a batch: {failure}"))
            continue
        if not state.is_over:
            waiting = f"in batch {name}, {state.progress}: run the query again when it has ended"
            found |= dict.fromkeys(keys, Answer(None, waiting, waits=True))
            continue
        answers, unclear = _sorted(
            store, provider, model, task, texts, state.outcomes, again or Again(provider)
        )
        usage.came_back(name)
        store.close_batch(name)
        if not state.outcomes:
            found |= dict.fromkeys(keys, Answer(None, f"batch {name} {state.progress}"))
        found |= {key: answers[key] for key in keys if key in answers}
        asked = {key: texts[key] for key in keys if key in unclear}
        if asked:
            found |= ask(asked, is_last=True)
    return found


def _sorted(
    store: Answers,
    provider: BatchProvider,
    model: str,
    task: Task,
    texts: Mapping[bytes, str],
    outcomes: Mapping[str, Answer | ProviderFailure],
    kept_before: Again,
) -> tuple[dict[bytes, Answer], set[bytes]]:
    """What is an answer, kept if it was paid for; and whom to ask once more, now."""
    answers, paid, again = {}, {}, set()
    for named, outcome in outcomes.items():
        try:
            key = bytes.fromhex(named)
        except ValueError:  # no name of ours
            continue
        match outcome:
            case Answer():
                paid[key] = outcome
                if outcome.labels is None:
                    again.add(key)
            case Declined():
                answers[key] = Answer(
                    None,
                    str(outcome),
                    input_tokens=outcome.input_tokens,
                    output_tokens=outcome.output_tokens,
                )
                if outcome.input_tokens:
                    paid[key] = answers[key]
            case TooLong():  # which is cut where it is asked alone
                again.add(key)
            case _:
                pass
    for key, answer in paid.items():
        likely = expected.by_length(task, [texts.get(key, "")])
        (paid[key],), is_reported = believed(model, [answer], likely)
        usage.add(priced_as(model), estimated=int(not is_reported))
    usage.add(
        priced_as(model),
        asked=len(outcomes),
        input_tokens=sum(answer.input_tokens for answer in paid.values()),
        output_tokens=sum(answer.output_tokens for answer in paid.values()),
    )
    fine = {key: answer for key, answer in paid.items() if key not in again}
    store.write(provider.identity, kept_before.marked(fine))
    return answers | fine, again


def hand_in(
    store: Answers,
    provider: BatchProvider,
    model: str,
    task: Task,
    texts: Mapping[bytes, str],
    budget: Budget,
    ask: Ask,
) -> dict[bytes, Answer]:
    """Hand texts in; for each an answer, an error but for the first, which is asked at once.

    So what is wrong with a request is known now and not in a day.
    """
    if not texts:
        return {}
    if not store.is_on_disk:
        raise CannotKeep(f"{Option('batch', True)} needs a disk that answers can be kept on.")
    first, *rest = texts
    found = ask({first: texts[first]})
    mine = store.claim(rest)
    others = set(rest).difference(mine)
    found |= dict.fromkeys(others, Answer(None, "another process is asking about this text"))
    each = [_tokens(provider, task, texts[key]) for key in mine]
    with budget.first_of(each) as (afforded, reason, total):
        found |= {key: Answer(None, reason) for key in mine[afforded:]}
        store.release(mine[afforded:])
        if not afforded:
            return found
        mine = mine[:afforded]
        these = {key: texts[key] for key in mine}
        is_over = threading.Event()
        try:
            batch = work.interruptible(lambda: _handed_in(store, provider, task, these, is_over))
        except Unusable as failure:
            raise ModelUnusable(f"{model}: {failure}") from None
        except ProviderFailure as failure:
            return found | dict.fromkeys(mine, Answer(None, str(failure)))
        finally:
            is_over.set()
        usage.add(priced_as(model), requests=1)
        usage.handed_in(batch, total)
    waiting = f"handed in as batch {batch}: run the query again when it has ended, within a day"
    return found | dict.fromkeys(mine, Answer(None, waiting, waits=True))


def _tokens(provider: BatchProvider, task: Task, text: str) -> Tokens:
    """About what a text takes; a batch cannot be stopped once it turns out to take more."""
    estimate = expected.of(provider.identity, task).request([text])
    return Tokens(*map(max, estimate.by_length, estimate.likely))


def _handed_in(
    store: Answers,
    provider: BatchProvider,
    task: Task,
    texts: Mapping[bytes, str],
    is_over: threading.Event,
) -> str:
    """Hand in, so that whenever this process is killed, the next one knows of the batch.

    Nothing is sent any more after `is_over`.
    """
    mark = uuid.uuid4().hex
    store.hand_in(_UNNAMED + mark, texts)
    named = {key.hex(): text for key, text in texts.items()}
    try:
        for attempt in range(_ATTEMPTS):
            try:
                # A failed attempt may have reached the server.
                earlier = provider.find(mark) if attempt else None
                batch = earlier or provider.hand_in(task, named, mark)
                break
            except (Busy, Flaky) as failure:
                if attempt == _ATTEMPTS - 1:
                    raise
                after = failure.after if isinstance(failure, Busy) else None
                if isinstance(failure, Busy) and (after or 0.0) > LONGEST_PAUSE:
                    raise LeftAlone.asked(failure) from None
                if is_over.wait(after or _FIRST_WAIT * 2**attempt):
                    raise
    except ProviderFailure as failure:
        if not isinstance(failure, Busy | Flaky):  # else it may have arrived: the next run asks
            store.close_batch(_UNNAMED + mark)
        store.release(texts)
        raise
    store.rename_batch(_UNNAMED + mark, batch)
    return batch


def _found(
    store: Answers, provider: BatchProvider, batch: str, keys: Sequence[bytes]
) -> str | None:
    """The name of a batch whose handing in was cut short; None if it never came to it."""
    mine = store.claim(keys)
    if len(mine) < len(keys):
        store.release(mine)
        raise Busy("another process is handing it in")
    name = work.interruptible(lambda: provider.find(batch.removeprefix(_UNNAMED)))
    if name is None:
        store.close_batch(batch)
        store.release(mine)
    else:
        store.rename_batch(batch, name)
    return name
