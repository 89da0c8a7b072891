"""What models were asked in this process and what it cost: the ledger behind `llm_usage()`.

What is under way is noted beside what was spent, under one lock: a request is let through or not
by both, whichever thread, cursor or query it comes from.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlfuncs.llm import prices
from sqlfuncs.llm.expected import Tokens


@dataclass(frozen=True)
class Used:
    """Counts of one model. `rows` were wanted, `asked` of them paid for, others cached.

    Of the `requests`, `estimated` ones were not told by the server what they took, so that their
    tokens are estimates. `cost_usd` is None where the price is not known.
    """

    model: str
    rows: int = 0
    cache_hits: int = 0
    asked: int = 0
    requests: int = 0
    retries: int = 0
    errors: int = 0
    estimated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    @property
    def cost_usd(self) -> float | None:
        """By the table of prices."""
        return prices.cost(self.model, self.input_tokens, self.output_tokens)


@dataclass(frozen=True)
class Spent:
    """Tokens and dollars; what has no known price costs nothing."""

    tokens: int = 0
    usd: float = 0.0

    @classmethod
    def on(cls, model: str, tokens: Tokens) -> Spent:
        """What so many tokens of a model are."""
        return cls(tokens.total, prices.cost(model, tokens.input, tokens.output) or 0.0)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.usd + other.usd)


_ledger: dict[str, Counter[str]] = {}
_under_way: dict[int, Spent] = {}  # requests, by the number of their reservation
_in_batches: dict[str, Spent] = {}  # batches that were handed in here, by name
_numbers = itertools.count(1)
_lock = threading.Lock()
_released = threading.Condition(_lock)


def add(model: str, **counts: float) -> None:
    """Count something of a model: fields of `Used`."""
    with _lock:
        _ledger.setdefault(model, Counter()).update(counts)


def used() -> list[Used]:
    """Every model that was asked for, in order of name."""
    with _lock:
        return [Used(model, **_ledger[model]) for model in sorted(_ledger)]


def spent() -> Spent:
    """What all models of this process took, with the batches that have not come back."""
    with _lock:
        return _spent()


def _spent() -> Spent:
    total = sum(_in_batches.values(), start=Spent())
    for model, counts in _ledger.items():
        total += Spent.on(model, Tokens(counts["input_tokens"], counts["output_tokens"]))
    return total


def reserve(most: Callable[[Spent], Spent | str]) -> int | str:
    """Set something aside for a request: a number for `release`, or why that cannot be.

    `most` says what, or why not, by all that was spent or is set aside; nothing of that changes
    in between.
    """
    with _lock:
        aside = most(sum(_under_way.values(), start=_spent()))
        if isinstance(aside, str):
            return aside
        number = next(_numbers)
        _under_way[number] = aside
        return number


def release(number: int) -> None:
    """A request has ended, and what it took is counted."""
    with _lock:
        _under_way.pop(number, None)
        _released.notify()


def wait_for_release(seconds: float) -> bool:
    """Wait until a request has ended, so long at most; False if none is under way."""
    with _lock:
        if not _under_way:
            return False
        _released.wait(seconds)
        return True


def handed_in(batch: str, most: Spent) -> None:
    """A batch is under way, for hours."""
    with _lock:
        _in_batches[batch] = most


def came_back(batch: str) -> None:
    """A batch is over, and what it took is counted; it may be another process's."""
    with _lock:
        _in_batches.pop(batch, None)


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
        ledger, batches = dict(_ledger), dict(_in_batches)
        _ledger.clear()
        _in_batches.clear()
    try:
        yield
    finally:
        with _lock:
            _ledger.clear()
            _ledger.update(ledger)
            _in_batches.clear()
            _in_batches.update(batches)
