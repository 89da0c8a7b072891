"""What running a text of statements gives, whatever the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

T = TypeVar("T")
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Result(Generic[T]):
    """What one statement gave: no columns, and no rows, for one that returns none.

    `number` of `count` statements; `changed` is how many rows it has written, None where that is
    not what it does.
    """

    number: int
    count: int
    seconds: float
    rows: T
    columns: list[str] = field(default_factory=list)
    changed: int | None = None


def short_floats(value: object) -> object:
    """The shortest number that a FLOAT tells from its neighbours; DOUBLE beside it loses digits.

    >>> short_floats([0.10000000149011612, None])
    [0.1, None]
    """
    match value:
        case float():
            return float(str(np.float32(value)))
        case list() | tuple():
            return [short_floats(each) for each in value]
        case dict():
            return {key: short_floats(each) for key, each in value.items()}
    return value


def which(number: int, count: int, message: str) -> str:
    """What has become of all statements, before the message of the one that failed."""
    if count == 1:
        return message
    before = {1: "nothing ran before it", 2: "statement 1 ran"}.get(
        number, f"statements 1 to {number - 1} ran"
    )
    left = count - number
    after = {0: "", 1: f", statement {count} did not run"}.get(
        left, f", statements {number + 1} to {count} did not run"
    )
    return f"statement {number} of {count} failed ({before}{after}): {message}"
