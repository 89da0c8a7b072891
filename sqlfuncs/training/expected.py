"""What a training will take, as far as can be known before it begins. Imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """The `tokens` learned from in all epochs, `seconds` on this machine and `usd` at a service.

    None is what is not known, or does not apply. `warnings` say what rows will lose.
    """

    tokens: int | None = None
    seconds: float | None = None
    usd: float | None = None
    warnings: tuple[str, ...] = ()
