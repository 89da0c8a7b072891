"""One request to a model: let through by budget and limits, and what it took is counted.

What a server tells of tokens is taken as it is if it can be; where it tells nothing, or what
cannot be, the request took what was likely. A budget would never be reached otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlfuncs import work
from sqlfuncs.llm import expected, prices, usage
from sqlfuncs.llm.budget import Budget
from sqlfuncs.llm.expected import Estimate, Tokens
from sqlfuncs.llm.failures import Busy, Declined, LeftAlone, ProviderFailure
from sqlfuncs.llm.limits import Limiter
from sqlfuncs.llm.providers import Provider
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answer_rows import Answer


class NotBegun(Exception):
    """A request was not made; why, or nothing if whoever wanted it has ended."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Requests:
    """The requests of one call. Safe for threads."""

    def __init__(
        self, provider: Provider, model: str, task: Task, budget: Budget, limiter: Limiter
    ) -> None:
        """Nothing is asked yet."""
        self._provider, self._model, self._task = provider, model, task
        self._budget, self._limiter = budget, limiter
        self._expected = expected.of(provider.identity, task)
        self._had_none = True  # no reply yet, nor a failure

    def estimate(self, texts: Sequence[str]) -> Estimate:
        """What a request about these texts takes."""
        return self._expected.request(texts)

    def ask(
        self, texts: Sequence[str], *, again: bool, backoff: float, stopped: Callable[[], bool]
    ) -> Sequence[Answer]:
        """One request, once it may be made. Raises ProviderFailure and NotBegun.

        `backoff` is how long all requests wait where many are turned away.
        """
        reserved, estimate = self._budget.wait(
            lambda: self._expected.request(texts, again=again), stopped
        )
        if isinstance(reserved, str):
            raise NotBegun(reserved)
        try:
            if not self._limiter.enter(estimate.likely.total, stopped, probes=self._had_none):
                raise NotBegun("" if stopped() else "the server asks to be left alone")
            return self._asked(texts, estimate, again, backoff)
        finally:
            usage.release(reserved)

    def _asked(
        self, texts: Sequence[str], estimate: Estimate, again: bool, backoff: float
    ) -> Sequence[Answer]:
        begun = time.monotonic()
        answers: Sequence[Answer] = ()
        try:
            answers = self._provider.ask(self._task, texts, again=again)
        except Busy as failure:
            if not self._limiter.slow_down(failure.after, begun, backoff):
                raise LeftAlone.asked(failure) from None
            raise
        except ProviderFailure as failure:
            self._paid_for(failure, estimate)
            raise
        finally:
            self._had_none = False
            self._limiter.leave(went_well=bool(answers))
            usage.add(self._model, requests=1, seconds=time.monotonic() - begun)
        assert len(answers) == len(texts)
        answers, is_reported = believed(self._model, answers, estimate.likely)
        took = _took(answers)
        if is_reported:
            self._expected.learn(estimate, took, len(texts), again=again)
        usage.add(
            self._model,
            asked=len(answers),
            estimated=int(not is_reported),
            input_tokens=took.input,
            output_tokens=took.output,
        )
        return answers

    def _paid_for(self, failure: ProviderFailure, estimate: Estimate) -> None:
        """Count what came to nothing but was paid for, or may have been."""
        took = Tokens(failure.input_tokens, failure.output_tokens)
        if took == (0, 0) and not failure.was_received:
            return
        is_reported = prices.is_free(self._model) or expected.is_possible(took)
        if not is_reported:
            took = estimate.likely
            failure.input_tokens, failure.output_tokens = took
        usage.add(
            self._model,
            asked=int(isinstance(failure, Declined)),
            estimated=int(not is_reported),
            input_tokens=took.input,
            output_tokens=took.output,
        )


def believed(
    model: str, answers: Sequence[Answer], likely: Tokens
) -> tuple[Sequence[Answer], bool]:
    """The answers of a request, with its likely tokens if it cannot have taken what was reported.

    And whether it was reported. What takes nothing is free, as a script.
    """
    took = _took(answers)
    if prices.is_free(model) or expected.is_possible(took):
        return answers, True
    work.say_once(
        f"{model}: the server does not tell what a request takes, or tells what cannot be: tokens "
        "are estimated by the length of what is sent, for budgets and costs too"
    )
    return _shared(answers, likely), False


def _took(answers: Sequence[Answer]) -> Tokens:
    """What a request took; nothing that can be if one of its answers has less than nothing."""
    if any(answer.input_tokens < 0 or answer.output_tokens < 0 for answer in answers):
        return Tokens(-1, -1)
    return Tokens(
        sum(answer.input_tokens for answer in answers),
        sum(answer.output_tokens for answer in answers),
    )


def _shared(answers: Sequence[Answer], took: Tokens) -> list[Answer]:
    """Answers with their shares of what a request took; the first has what is left over."""
    each, left = divmod(took.input, len(answers)), divmod(took.output, len(answers))
    return [
        replace(
            answer,
            input_tokens=each[0] + (0 if at else each[1]),
            output_tokens=left[0] + (0 if at else left[1]),
        )
        for at, answer in enumerate(answers)
    ]
