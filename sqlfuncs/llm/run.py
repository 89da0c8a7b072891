"""The requests of one call: made at once, each answer kept as it arrives.

The one place where a model is asked. Threads take parts of the work from a queue; a part that
fails goes back to it, later, smaller or never, by the kind of failure (`failures`).
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlfuncs import work
from sqlfuncs.errors import BudgetExhausted, ModelUnusable
from sqlfuncs.llm import limits, usage
from sqlfuncs.llm.budget import Budget
from sqlfuncs.llm.failures import (
    Busy,
    Declined,
    Filtered,
    Flaky,
    ProviderFailure,
    TooLong,
    Unusable,
)
from sqlfuncs.llm.keeping import Keeping
from sqlfuncs.llm.limits import Limiter
from sqlfuncs.llm.providers import Provider
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.unanswered import Again
from sqlfuncs.store.answers import Answer

_ATTEMPTS = 6  # of one part, where the server fails
_ALL_DECLINED = 20  # texts declined in the same words, and none answered: it is not the texts
_LONGEST_WAIT = 20.0  # seconds between two of them, unless the server asks for more
_POLL_SECONDS = 0.02
_PROGRESS_SECONDS = 0.1  # between looks at how far it is, and for Ctrl-C
_CHARACTERS_PER_TOKEN = 3  # rather too many tokens than too few
_SHORTEST_CUT = 200  # characters: a text of which less than that fits is not judged

_limiters: dict[str, Limiter] = {}
_making = threading.Lock()


def about_tokens(task: Task, texts: Sequence[str]) -> int:
    """About how many tokens a request takes, rather too many."""
    asked = len(task.canonical) + sum(len(text) for text in texts)
    return asked // _CHARACTERS_PER_TOKEN + 20 * len(texts)


def _limiter(provider: Provider) -> Limiter:
    with _making:
        if provider.identity not in _limiters:
            _limiters[provider.identity] = limits.from_environment(provider.requests_at_once)
        return _limiters[provider.identity]


@dataclass(order=True)
class _Part:
    """Texts to be asked about in one request, not before `at` (a time of the monotonic clock)."""

    at: float
    number: int
    keys: list[bytes] = field(compare=False)
    attempt: int = field(default=1, compare=False)
    is_last: bool = field(default=False, compare=False)  # an answer without a label stands
    is_held: bool = field(default=False, compare=False)  # another process was asking


class Run:
    """One call's questions, from the first request to the last answer."""

    def __init__(
        self,
        provider: Provider,
        model: str,
        task: Task,
        texts: Mapping[bytes, str],
        budget: Budget,
        at_once: int,
        *,
        is_last: bool = False,
        again: Again | None = None,
    ) -> None:
        """`texts` by key, `at_once` of them in a request. With `is_last` nothing is re-asked.

        `again` says which kept answers are none.
        """
        self._provider, self._model, self._task, self._budget = provider, model, task, budget
        self._texts = dict(texts)
        self._notes: dict[bytes, str] = {}
        self._earlier: dict[bytes, Answer] = {}  # answers without a label
        self._declines: Counter[str] = Counter()
        self._was_answered = False
        self._limiter = _limiter(provider)
        self._numbers = itertools.count()
        # What is asked together is of one length, for models that compute it together.
        keys = list(texts) if at_once == 1 else sorted(texts, key=lambda key: -len(texts[key]))
        self._waiting = [
            _Part(0.0, next(self._numbers), keys[at : at + at_once], is_last=is_last)
            for at in range(0, len(keys), at_once)
        ]
        self._keeping = Keeping(provider.identity, keys, self._stop, again or Again(provider))
        self._changed = threading.Condition()
        self._finished = threading.Event()
        self._fatal: BaseException | None = None
        self._stopped = False

    def answers(self) -> dict[bytes, Answer]:
        """An answer for each text, once all are there. Raises the first fatal failure."""
        least = min(self._tokens(part) for part in self._waiting)
        reason = self._budget.exceeded(least)
        if reason is not None:
            raise BudgetExhausted(
                f"{reason}: a request takes about {least:,} tokens. To go on, set budget_tokens, "
                "budget_usd or the session's sqlfuncs_budget_... higher."
            )
        count = min(len(self._waiting), self._provider.requests_at_once)
        with work.task(f"asking {self._model}", len(self._texts)) as task:
            for _ in range(count):
                # Daemons: a request that hangs keeps nobody from leaving.
                threading.Thread(target=self._work, name="sqlfuncs-ask", daemon=True).start()
            try:
                done, begun = 0, time.monotonic()
                while done < len(self._texts):
                    self._finished.wait(_PROGRESS_SECONDS)
                    if self._fatal is not None:
                        raise self._fatal
                    now = len(self._keeping.answers)
                    rate = now / (time.monotonic() - begun)
                    task.note = f"{usage.so_far(self._model)}, {rate:,.0f} a second"
                    task.advance(now - done)
                    done = now
            finally:
                self._stop()
                self._keeping.release()
        return self._keeping.answers

    def _work(self) -> None:
        """What each thread does: parts of the queue, until nothing is left to answer."""
        try:
            while (part := self._next()) is not None:
                self._take(part)
        except BaseException as error:  # the thread that waits raises it
            self._fatal = self._fatal or error
            self._stop()

    def _stop(self) -> None:
        """Let the threads end, those that wait for a part too."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._finished.set()

    def _next(self) -> _Part | None:
        with self._changed:
            while not self._stopped:
                if self._waiting and self._waiting[0].at <= time.monotonic():
                    return heapq.heappop(self._waiting)
                self._changed.wait(_POLL_SECONDS)
        return None

    def _take(self, part: _Part) -> None:
        """Ask a part, unless somebody else does or has."""
        ours, held = self._keeping.share(part.keys, again=part.is_held)
        if held:  # that answer is ours, too, once it is there
            self._again(held, after=_POLL_SECONDS * 5, is_last=part.is_last, is_held=True)
        self._request(replace(part, keys=ours))

    def _request(self, part: _Part) -> None:
        if not part.keys:
            return
        tokens = self._tokens(part)
        while (reason := self._budget.reserve(tokens)) is not None:
            if not self._budget.is_in_use:
                self._keeping.done({key: Answer(None, reason) for key in part.keys})
                return
            if self._is_over():
                return
            time.sleep(_POLL_SECONDS)
        try:
            if self._limiter.enter(tokens, self._is_over):
                self._asked(part)
        finally:
            self._budget.release(tokens)

    def _asked(self, part: _Part) -> None:
        begun = time.monotonic()
        said: Sequence[Answer] = ()
        try:
            texts = [self._texts[key] for key in part.keys]
            said = self._provider.ask(self._task, texts, again=part.is_last)
        except ProviderFailure as failure:
            self._failed(part, failure)
            return
        finally:
            self._limiter.leave(went_well=bool(said))
            self._count(said, requests=1, seconds=time.monotonic() - begun)
        assert len(said) == len(part.keys)
        self._was_answered = True
        final, unclear = {}, []
        for key, answer in zip(part.keys, said, strict=True):
            if answer.labels is None and not part.is_last:
                unclear.append(key)
                self._earlier[key] = answer
            else:
                final[key] = self._complete(key, answer)
        self._keeping.keep(final)
        for key in unclear:
            self._again([key], attempt=2, is_last=True)

    def _complete(self, key: bytes, answer: Answer) -> Answer:
        """The answer with what was done to its text, and what an earlier one cost."""
        earlier = self._earlier.get(key, Answer(None))
        return replace(
            answer,
            note=self._notes.get(key, answer.note),
            input_tokens=earlier.input_tokens + answer.input_tokens,
            output_tokens=earlier.output_tokens + answer.output_tokens,
        )

    def _count(self, said: Sequence[Answer], **more: float) -> None:
        usage.add(
            self._model,
            **more,
            asked=len(said),
            input_tokens=sum(answer.input_tokens for answer in said),
            output_tokens=sum(answer.output_tokens for answer in said),
        )

    def _failed(self, part: _Part, failure: ProviderFailure) -> None:
        match failure:
            case Unusable():
                raise ModelUnusable(f"{self._model}: {failure}") from None
            case Declined():
                self._declined(part, failure)
            case TooLong():
                self._too_long(part, failure)
            case Busy() | Flaky():
                wait = min(_LONGEST_WAIT, 0.25 * 2**part.attempt) * random.uniform(0.5, 1.0)
                if isinstance(failure, Busy):
                    wait = max(wait, failure.after or 0.0)
                    self._limiter.slow_down(wait)
                if part.attempt >= _ATTEMPTS:
                    self._keeping.done({key: Answer(None, str(failure)) for key in part.keys})
                else:
                    usage.add(self._model, retries=1)
                    self._again(
                        part.keys, attempt=part.attempt + 1, after=wait, is_last=part.is_last
                    )
            case _:
                raise failure

    def _declined(self, part: _Part, failure: Declined) -> None:
        answer = Answer(
            None,
            str(failure),
            input_tokens=failure.input_tokens,
            output_tokens=failure.output_tokens,
        )
        if answer.input_tokens:
            self._count([answer])
        elif not isinstance(failure, Filtered):
            self._declines[str(failure)] += 1
            if self._declines[str(failure)] >= _ALL_DECLINED and not self._was_answered:
                raise ModelUnusable(f"{self._model}: {failure}")
        if len(part.keys) > 1:  # one of them is to blame
            for key in part.keys:
                self._again([key], attempt=part.attempt)
            return
        final = dict.fromkeys(part.keys, answer)
        if answer.input_tokens:  # paid for
            self._keeping.keep(final)
        else:
            self._keeping.done(final)

    def _too_long(self, part: _Part, failure: ProviderFailure) -> None:
        if len(part.keys) > 1:
            half = len(part.keys) // 2
            self._again(part.keys[:half], attempt=part.attempt)
            self._again(part.keys[half:], attempt=part.attempt)
            return
        (key,) = part.keys
        shorter = self._texts[key][: len(self._texts[key]) // 2]
        if len(shorter) < _SHORTEST_CUT:
            self._keeping.done({key: Answer(None, str(failure))})
            return
        self._texts[key] = shorter
        self._notes[key] = f"only its first {len(shorter):,} characters were read"
        self._again([key], attempt=part.attempt)

    def _again(
        self,
        keys: list[bytes],
        *,
        attempt: int = 1,
        after: float = 0.0,
        is_last: bool = False,
        is_held: bool = False,
    ) -> None:
        with self._changed:
            at, number = time.monotonic() + after, next(self._numbers)
            part = _Part(at, number, keys, attempt, is_last, is_held)
            heapq.heappush(self._waiting, part)
            self._changed.notify()

    def _is_over(self) -> bool:
        return self._stopped

    def _tokens(self, part: _Part) -> int:
        return about_tokens(self._task, [self._texts[key] for key in part.keys])
