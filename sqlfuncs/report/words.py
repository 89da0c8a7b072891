"""Numbers as a report says them. Plain text; templates escape it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlfuncs.charts import shapes


def percent(value: float, digits: int = 1) -> str:
    """A share in percent.

    >>> percent(0.5402), percent(0.046, 0)
    ('54.0 %', '5 %')
    """
    return f"{shapes.percent(value, digits)} %"


def between(low: float, high: float, digits: int = 1) -> str:
    """The ends of an interval of shares.

    >>> between(0.495, 0.584)
    '49.5 to 58.4 %'
    """
    return f"{shapes.percent(low, digits)} to {percent(high, digits)}"


def difference(row: Mapping[str, float]) -> str:
    """A difference with its interval, in percentage points.

    >>> difference({"difference": 0.123, "difference_low": -0.0001, "difference_high": 0.165})
    '+12.3 points (0.0 to 16.5)'
    """
    value, low, high = (
        shapes.percent(row[name]) for name in ("difference", "difference_low", "difference_high")
    )
    return f"{'+' if float(value) > 0 else ''}{value} points ({low} to {high})"


def some(n: float, what: str) -> str:
    """A number of things.

    >>> some(1, "row"), some(1916, "row")
    ('1 row', '1,916 rows')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def cell(value: object) -> str:
    """A value of a result, in a table.

    >>> cell(1916), cell(0.123456), cell(3.9), cell(212.63), cell(None), cell(["a"]), cell(True)
    ('1,916', '0.123', '3.9', '212.6', '', 'a', 'true')
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float() | Decimal():
            number = float(value)
            text = f"{number:,.{1 if abs(number) >= 10 else 3}f}"
            return text.rstrip("0").removesuffix(".")
        case list():
            return ", ".join(map(cell, value))
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
    return str(value)
