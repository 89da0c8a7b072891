"""The requests of one call: made at once, each answer kept as it arrives.

The one place where a model is asked. Threads take parts of the work from a queue; a part that
fails goes back to it, later, smaller or never, by the kind of failure (`failures`).
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlfuncs import wording, work
from sqlfuncs.errors import BudgetExhausted, ModelUnusable
from sqlfuncs.llm import limits, usage
from sqlfuncs.llm.answer_writer import AnswerWriter
from sqlfuncs.llm.budget import Budget
from sqlfuncs.llm.failures import (
    Busy,
    Declined,
    Filtered,
    Flaky,
    LeftAlone,
    ProviderFailure,
    TooLong,
    Unusable,
)
from sqlfuncs.llm.limits import Limiter
from sqlfuncs.llm.parts import Part, Parts
from sqlfuncs.llm.providers import Provider
from sqlfuncs.llm.requests import NotBegun, Requests
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.unanswered import Again
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.store.base import Answers

_ATTEMPTS = 6  # of one part, where the server fails
_ALL_DECLINED = 20  # texts declined in the same words, and none answered: it is not the texts
_LONGEST_WAIT = 20.0  # seconds between two of them, unless the server asks for more
_FIRST_WAIT = 0.5  # then twice as many
_FIRST_WAIT_UNASKED = 0.05  # where the server says that it need not be waited for
_HELD_SECONDS = 0.1  # between two looks for what another process asks
_PROGRESS_SECONDS = 0.1  # between looks at how far it is, and for Ctrl-C
_SHORTEST_CUT = 200  # characters: a text of which less than that fits is not judged

_limiters: dict[str, Limiter] = {}
_making = threading.Lock()


def _limiter(provider: Provider) -> Limiter:
    with _making:
        if provider.identity not in _limiters:
            _limiters[provider.identity] = limits.from_environment(provider.requests_at_once)
        return _limiters[provider.identity]


class Run:
    """One call's questions, from the first request to the last answer."""

    def __init__(
        self,
        store: Answers,
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
        self._provider, self._model, self._budget = provider, model, budget
        self._texts = dict(texts)
        self._notes: dict[bytes, str] = {}
        self._earlier: dict[bytes, Answer] = {}  # answers without a label
        self._declines: Counter[str] = Counter()
        self._was_answered = False
        self._dialect = wording.spoken()  # of who has called, for the threads
        self._requests = Requests(provider, model, task, budget, _limiter(provider))
        # What is asked together is of one length, for models that compute it together.
        keys = list(texts) if at_once == 1 else sorted(texts, key=lambda key: -len(texts[key]))
        parts = [keys[at : at + at_once] for at in range(0, len(keys), at_once)]
        self._shortest = min(([self._texts[key] for key in part] for part in parts), key=_length)
        self._parts = Parts(parts, is_last=is_last)
        self._writer = AnswerWriter(
            store, provider.identity, task.labels, keys, self._stop, again or Again(provider)
        )
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._fatal: BaseException | None = None
        self._stopped = False
        self._left_alone = ""  # why nothing more is asked, if that is so

    @property
    def was_left_alone(self) -> bool:
        """Whether the server asked for so long a wait that nothing more was asked."""
        return bool(self._left_alone)

    def answers(self) -> dict[bytes, Answer]:
        """An answer for each text, once all are there. Raises the first fatal failure."""
        likely = self._requests.estimate(self._shortest).likely
        reason = self._budget.exceeded(likely)
        if reason is not None:
            raise BudgetExhausted(
                f"{reason}: a request takes about {likely.total:,} tokens. To go on, set "
                "budget_tokens, budget_usd or the session's sqlfuncs_budget_... higher."
            )
        count = min(len(self._parts), self._provider.requests_at_once)
        with work.task(f"asking {self._model}", len(self._texts)) as task:
            try:  # from the start on: threads that Ctrl-C left alone would go on asking
                for _ in range(count):
                    # Daemons: a request that hangs keeps nobody from leaving.
                    threading.Thread(target=self._work, name="sqlfuncs-ask", daemon=True).start()
                done, begun = 0, time.monotonic()
                while done < len(self._texts):
                    self._finished.wait(_PROGRESS_SECONDS)
                    if self._fatal is not None:
                        raise self._fatal
                    now = len(self._writer.answers)
                    rate = now / (time.monotonic() - begun)
                    task.note = f"{usage.so_far(self._model)}, {rate:,.0f} a second"
                    task.advance(now - done)
                    done = now
            finally:
                self._stop()
                self._writer.release()
        return self._writer.answers

    def _work(self) -> None:
        """What each thread does: parts of the queue, until nothing is left to answer."""
        try:
            with wording.speaking(self._dialect):
                while (part := self._parts.next()) is not None:
                    self._take(part)
        except BaseException as error:  # the thread that waits raises it
            self._fatal = self._fatal or error
            self._stop()

    def _stop(self) -> None:
        """Let the threads end, those that wait for a part too."""
        self._stopped = True
        self._parts.close()
        self._finished.set()

    def _take(self, part: Part) -> None:
        """Ask a part, unless somebody else does or has."""
        ours, held = self._writer.share(part.keys, again=part.is_held)
        if held:  # that answer is ours, too, once it is there
            self._again(held, after=_HELD_SECONDS, is_last=part.is_last, is_held=True)
        self._request(replace(part, keys=ours))

    def _request(self, part: Part) -> None:
        if not part.keys:
            return
        try:
            answers = self._requests.ask(
                self._texts_of(part),
                again=part.is_last,
                backoff=_backoff(_FIRST_WAIT, part.attempt),
                stopped=self._is_over,
            )
        except NotBegun as cause:
            reason = cause.reason or self._left_alone
            if reason:
                self._writer.done({key: Answer(None, reason) for key in part.keys})
        except ProviderFailure as failure:
            self._failed(part, failure)
        else:
            self._was_answered = True
            self._answered(part, answers)

    def _answered(self, part: Part, answers: Sequence[Answer]) -> None:
        final, unclear = {}, []
        for key, answer in zip(part.keys, answers, strict=True):
            if answer.labels is None and not part.is_last:
                unclear.append(key)
                self._earlier[key] = answer
            else:
                final[key] = self._complete(key, answer)
        self._writer.keep(final)
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

    def _failed(self, part: Part, failure: ProviderFailure) -> None:
        match failure:
            case Unusable():
                raise ModelUnusable(f"{self._model}: {failure}") from None
            case Declined():
                self._declined(part, failure)
            case TooLong():
                self._too_long(part, failure)
            case LeftAlone():
                self._leave_alone(part, failure)
            case Busy() | Flaky():
                if part.attempt >= _ATTEMPTS:
                    self._writer.done({key: Answer(None, str(failure)) for key in part.keys})
                    return
                asked = failure.after if isinstance(failure, Busy) else None
                first = _FIRST_WAIT_UNASKED if asked == 0 else _FIRST_WAIT
                wait = max(_backoff(first, part.attempt), asked or 0.0)
                usage.add(self._model, retries=1)
                self._again(part.keys, attempt=part.attempt + 1, after=wait, is_last=part.is_last)
            case _:
                raise failure

    def _leave_alone(self, part: Part, failure: LeftAlone) -> None:
        """Nothing more is asked: those under way end, all others have this for an answer."""
        reason = str(failure)
        self._left_alone = reason
        for each in (part, *self._parts.close()):
            self._writer.done({key: Answer(None, reason) for key in each.keys})

    def _declined(self, part: Part, failure: Declined) -> None:
        answer = Answer(
            None,
            str(failure),
            input_tokens=failure.input_tokens,
            output_tokens=failure.output_tokens,
        )
        if not answer.input_tokens and not isinstance(failure, Filtered):
            with self._lock:
                self._declines[str(failure)] += 1
                count = self._declines[str(failure)]
            if count >= _ALL_DECLINED and not self._was_answered:
                raise ModelUnusable(f"{self._model}: {failure}")
        if len(part.keys) > 1:  # one of them is to blame
            for key in part.keys:
                self._again([key], attempt=part.attempt)
            return
        final = dict.fromkeys(part.keys, answer)
        if answer.input_tokens:  # paid for
            self._writer.keep(final)
        else:
            self._writer.done(final)

    def _too_long(self, part: Part, failure: ProviderFailure) -> None:
        if len(part.keys) > 1:
            half = len(part.keys) // 2
            self._again(part.keys[:half], attempt=part.attempt)
            self._again(part.keys[half:], attempt=part.attempt)
            return
        (key,) = part.keys
        shorter = self._texts[key][: len(self._texts[key]) // 2]
        if len(shorter) < _SHORTEST_CUT:
            self._writer.done({key: Answer(None, str(failure))})
            return
        self._texts[key] = shorter
        self._notes[key] = f"only its first {len(shorter):,} characters were read"
        self._again([key], attempt=part.attempt)

    def _again(self, keys: Sequence[bytes], **how: Any) -> None:
        """Ask about these later (`Parts.add`)."""
        if not self._parts.add(keys, **how) and self._left_alone:
            self._writer.done({key: Answer(None, self._left_alone) for key in keys})

    def _is_over(self) -> bool:
        return self._stopped or bool(self._left_alone)

    def _texts_of(self, part: Part) -> list[str]:
        return [self._texts[key] for key in part.keys]


def _length(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


def _backoff(first: float, attempt: int) -> float:
    """Seconds until the next attempt; not all at the same moment."""
    return min(_LONGEST_WAIT, first * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)
