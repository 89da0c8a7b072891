"""How much may be spent: a limit in dollars, one in tokens. Counts what `usage` has counted.

A request starts only if what has been spent, what those under way may cost and what it may cost
itself stay within the limits; so they are not passed by requests that run at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlfuncs.errors import BudgetExhausted
from sqlfuncs.llm import prices, usage


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
        self._reserved = 0
        self._lock = threading.Lock()
        if limits.usd is not None and prices.cost(model, 1, 1) is None:
            raise BudgetExhausted(
                f"there is a budget in dollars, but the price of '{model}' is not known at "
                "this server. State it in a file that SQLFUNCS_PRICES names, "
                f'{{"{model}": [dollars per million input tokens, per million output tokens]}}, '
                "or give a budget in tokens instead."
            )

    def exceeded(self, tokens: int) -> str | None:
        """Why no more tokens may be used, or None."""
        if self._limits == Limits():
            return None
        used, dollars = usage.spent()
        used += self._reserved
        if self._limits.tokens is not None and used + tokens > self._limits.tokens:
            return f"the budget of {self._limits.tokens:,} tokens allows no more"
        more = prices.cost(self._model, self._reserved + tokens, 0) or 0.0
        if self._limits.usd is not None and dollars + more > self._limits.usd:
            return f"the budget of ${self._limits.usd:g} allows no more"
        return None

    def reserve(self, tokens: int) -> str | None:
        """Set tokens aside for a request; or why that cannot be."""
        if self._limits == Limits():
            return None
        with self._lock:
            reason = self.exceeded(tokens)
            if reason is None:
                self._reserved += tokens
            return reason

    def release(self, tokens: int) -> None:
        """The request has ended, and what it cost is counted."""
        if self._limits != Limits():
            with self._lock:
                self._reserved -= tokens

    @property
    def is_in_use(self) -> bool:
        """Whether a request is under way, which may turn out cheaper than was set aside."""
        return self._reserved > 0
