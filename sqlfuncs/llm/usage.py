"""What models were asked in this process and what it cost: the ledger behind `llm_usage()`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlfuncs.llm import prices


@dataclass(frozen=True)
class Used:
    """Counts of one model. `rows` were wanted, `asked` of them paid for, others cached.

    `cost_usd` is None where the price is not known.
    """

    model: str
    rows: int = 0
    cache_hits: int = 0
    asked: int = 0
    requests: int = 0
    retries: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    in_batches: int = 0  # about how many tokens the batches take that were handed in

    @property
    def cost_usd(self) -> float | None:
        """By the table of prices."""
        return prices.cost(self.model, self.input_tokens, self.output_tokens)


_ledger: dict[str, Counter[str]] = {}
_lock = threading.Lock()


def add(model: str, **counts: float) -> None:
    """Count something of a model: fields of `Used`."""
    with _lock:
        _ledger.setdefault(model, Counter()).update(counts)


def used() -> list[Used]:
    """Every model that was asked for, in order of name."""
    with _lock:
        return [Used(model, **_ledger[model]) for model in sorted(_ledger)]


def spent() -> tuple[int, float]:
    """Tokens and dollars of all models of this process; what has no known price costs nothing."""
    everything = used()
    tokens = sum(each.input_tokens + each.output_tokens + each.in_batches for each in everything)
    under_way = sum(prices.cost(each.model, each.in_batches, 0) or 0.0 for each in everything)
    return tokens, sum(each.cost_usd or 0.0 for each in everything) + under_way


def so_far(model: str) -> str:
    """What a model was asked in this process, in a few words for a progress bar.

    >>> with afresh():
    ...     add("fake:", rows=4, cache_hits=1, asked=3)
    ...     so_far("fake:")
    '3 asked, $0.0000'
    """
    with _lock:
        used = Used(model, **_ledger.get(model, Counter()))
    cost = used.cost_usd
    tokens = f"{used.input_tokens + used.output_tokens:,} tokens"
    return f"{used.asked:,} asked, {tokens if cost is None else f'${cost:,.4f}'}"


@contextmanager
def afresh() -> Iterator[None]:
    """Count from nothing for a while: for tests."""
    with _lock:
        before = dict(_ledger)
        _ledger.clear()
    try:
        yield
    finally:
        with _lock:
            _ledger.clear()
            _ledger.update(before)
