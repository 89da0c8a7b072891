"""How long a server asks to be left alone: the headers Retry-After and retry-after-ms."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds from now, 0 for a time that is over; None where nothing of sense is said.

    >>> seconds({"retry-after": "120"}), seconds({"retry-after-ms": "1500"})
    (120.0, 1.5)
    >>> seconds({"retry-after": "-1"}), seconds({"retry-after": "nan"}), seconds({})
    (0.0, None, None)
    >>> date = "Wed, 21 Oct 2015 07:28:00 GMT"
    >>> seconds({"retry-after": "Wed, 21 Oct 2015 07:30:00 GMT", "date": date})
    120.0
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        given = headers.get(name, "").strip()
        with contextlib.suppress(ValueError):
            number = float(given) * scale
            if math.isfinite(number):
                return max(0.0, number)
    at = _time(headers.get("retry-after", ""))
    if at is None:
        return None
    # By the server's own clock, which may be wrong by hours.
    now = _time(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def _time(given: str) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        found = parsedate_to_datetime(given)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
