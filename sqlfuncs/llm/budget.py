"""How much may be spent: a limit in dollars, one in tokens. Counts what `usage` has counted.

A request starts only if what was spent, what those under way may take at most and what it is
likely to take itself stay within the limits. So they are passed by no more than one request took
beyond what was likely, whichever threads, cursors and queries of this process ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlfuncs.errors import BudgetExhausted
from sqlfuncs.llm import prices, usage
from sqlfuncs.llm.expected import Estimate, Tokens
from sqlfuncs.llm.usage import Spent

_LOOK_SECONDS = 0.1  # between two looks whether waiting is over
_ROUNDING = 1e-12  # of sums of dollars


@dataclass(frozen=True)
class Limits:
    """Dollars and tokens of this process; None is no limit."""

    usd: float | None = None
    tokens: int | None = None


class Budget:
    """The limits, for requests to one model."""

    def __init__(self, model: str, limits: Limits) -> None:
        """Raises BudgetExhausted for dollars if the model's price is not known."""
        self._model = model
        self._limits = limits
        if limits.usd is not None and prices.cost(model, 1, 1) is None:
            raise BudgetExhausted(
                f"there is a budget in dollars, but the price of '{model}' is not known at "
                "this server. State it in a file that SQLFUNCS_PRICES names, "
                f'{{"{model}": [dollars per million input tokens, per million output tokens]}}, '
                "or give a budget in tokens instead."
            )

    def exceeded(self, tokens: Tokens) -> str | None:
        """Why no request may begin that takes so much, even if no other ran; or None."""
        return self._exceeded(usage.spent() + Spent.on(self._model, tokens))

    def reserve(self, estimate: Estimate) -> int | str:
        """Set aside what a request takes at most: a number for `usage.release`; or why not."""
        likely = Spent.on(self._model, estimate.likely)
        most = Spent.on(self._model, estimate.most)
        return usage.reserve(lambda others: self._exceeded(others + likely) or most)

    @contextmanager
    def first_of(self, each: Sequence[Tokens]) -> Iterator[tuple[int, str | None, Spent]]:
        """How many there is room for, from the first on; why not for more; and what they take.

        That is set aside until the end.
        """
        total, count, reason = Spent(), 0, None

        def those(others: Spent) -> Spent | str:
            nonlocal total, count, reason
            for tokens in each:
                more = total + Spent.on(self._model, tokens)
                reason = self._exceeded(others + more)
                if reason is not None:
                    break
                total, count = more, count + 1
            return total

        number = usage.reserve(those)
        assert isinstance(number, int)
        try:
            yield count, reason, total
        finally:
            usage.release(number)

    def wait(
        self, estimated: Callable[[], Estimate], stopped: Callable[[], bool]
    ) -> tuple[int | str, Estimate]:
        """The same once there is room, which others that end may leave; "" if `stopped` says so.

        `estimated` is asked anew each time, for those that end tell more.
        """
        while isinstance(found := self.reserve(estimate := estimated()), str):
            if stopped():
                return "", estimate
            if not usage.wait_for_release(_LOOK_SECONDS):  # nobody is left to wait for
                reason = self.exceeded(estimated().likely)
                if reason is not None:
                    return reason, estimate
        return found, estimate

    def _exceeded(self, all_of_it: Spent) -> str | None:
        if self._limits.tokens is not None and all_of_it.tokens > self._limits.tokens:
            return f"the budget of {self._limits.tokens:,} tokens allows no more"
        if self._limits.usd is not None and all_of_it.usd > self._limits.usd * (1 + _ROUNDING):
            return f"the budget of ${self._limits.usd:g} allows no more"
        return None
