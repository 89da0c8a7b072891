"""Shapes of charts in pixels, for the macros in `templates/charts.html`. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

WIDTH, HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 14, 40
_NAMES, _TEXTS = 180, 150  # pixels for the names beside spans, and for their numbers
_SPAN_HEIGHT = 34
_LONGEST_NAME = 26  # characters
_TICKS = 5
_LEAST_HEIGHT = 2.0  # of a bar


@dataclass(frozen=True)
class Point:
    """A value and what it may be at least and at most, if that is known."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, with its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line, and a band around it (empty: none). `place` tells lines apart: 1, 2, 3."""

    name: str
    place: int
    points: str
    band: str


@dataclass(frozen=True)
class Lines:
    """Lines over one pair of axes."""

    lines: Sequence[Line]
    across: Sequence[Tick]
    up: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Span:
    """A value with its interval, as a dot on a bar, beside a name."""

    name: str
    full_name: str
    y: float
    at: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Spans:
    """Spans below each other over one axis."""

    spans: Sequence[Span]
    across: Sequence[Tick]
    height: int
    width: int = WIDTH
    left: int = _NAMES
    right: int = WIDTH


@dataclass(frozen=True)
class Bin:
    """How many rows lie from `low` to `high`, and how many of them are marked."""

    low: float
    high: float
    rows: int
    marked: int


@dataclass(frozen=True)
class Bar:
    """A bar, and from its foot on what is marked of it."""

    x: float
    y: float
    width: float
    height: float
    marked_height: float


@dataclass(frozen=True)
class Bars:
    """A histogram."""

    bars: Sequence[Bar]
    across: Sequence[Tick]
    up: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def lines(named: Sequence[tuple[str, Sequence[Point]]]) -> Lines | None:
    """Lines from their names and points; None where none has two points.

    >>> shape = lines([("left", [Point(0, 10, 8, 12), Point(50, 4)])])
    >>> shape.lines[0].points
    '56.0,48.3 628.0,151.3'
    >>> [tick.text for tick in shape.up]
    ['0', '5', '10']
    """
    drawn = [(name, points) for name, points in named if len(points) > 1]
    every = [point for _, points in drawn for point in points]
    if not every:
        return None
    first, last = min(point.x for point in every), max(point.x for point in every)
    top = max(max(point.y if point.high is None else point.high for point in every), 1.0)
    x = _scale(first, last, _LEFT, WIDTH - _RIGHT)
    y = _scale(0.0, top, HEIGHT - _BOTTOM, _TOP)
    return Lines(
        [
            Line(name, place, _path((x(p.x), y(p.y)) for p in points), _band(points, x, y))
            for place, (name, points) in enumerate(drawn, 1)
        ],
        across=[Tick(_round(x(value)), f"{value:,.0f}") for value in steps(first, last, least=1.0)],
        up=[Tick(_round(y(value)), f"{value:,.0f}") for value in steps(0.0, top, least=1.0)],
    )


class Percent:
    """How shares are written in a chart."""

    def span(self, value: float, low: float, high: float) -> str:
        """A share and its interval."""
        return f"{percent(value)} % ({percent(low)} to {percent(high)})"

    def tick(self, value: float, least: float, most: float) -> str:
        """A mark on an axis from the least to the most."""
        return f"{100 * value:.{0 if most - least >= 0.04 else 1}f} %"


class Plain(Percent):
    """How other numbers are."""

    def span(self, value: float, low: float, high: float) -> str:
        """A number and its interval."""
        return f"{value:,.3g} ({low:,.3g} to {high:,.3g})"

    def tick(self, value: float, least: float, most: float) -> str:
        """A mark on an axis."""
        return f"{value:,.10g}"


def spans(
    named: Sequence[tuple[str, float, float, float]], written: Percent | None = None
) -> Spans | None:
    """Spans from names, values, lower and upper ends, shares (0 .. 1) by default; None for none.

    >>> shape = spans([("given", 0.54, 0.5, 0.58), ("reviewed", 0.7, 0.66, 0.74)])
    >>> [tick.text for tick in shape.across], shape.spans[1].text
    (['50 %', '55 %', '60 %', '65 %', '70 %'], '70.0 % (66.0 to 74.0)')
    """
    if not named:
        return None
    written = written or Percent()
    least, most = min(row[2] for row in named), max(row[3] for row in named)
    x = _scale(least, most, _NAMES + 8, WIDTH - _TEXTS - 16)
    shaped = [
        Span(
            name=name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…",
            full_name=name,
            y=_SPAN_HEIGHT * place + 24,
            at=_round(x(value)),
            low=_round(x(low)),
            high=_round(x(high)),
            text=written.span(value, low, high),
        )
        for place, (name, value, low, high) in enumerate(named)
    ]
    across = [Tick(_round(x(s)), written.tick(s, least, most)) for s in steps(least, most)]
    return Spans(shaped, across, height=_SPAN_HEIGHT * len(named) + 36)


def bars(bins: Sequence[Bin]) -> Bars | None:
    """A histogram from its bins, in their order; None where there is none.

    What has rows is seen, however few they are.

    >>> shape = bars([Bin(0, 1, 400, 0), Bin(1, 2, 100, 1)])
    >>> [(bar.x, bar.width, bar.height, bar.marked_height) for bar in shape.bars]
    [(56.0, 285.0, 206.0, 0.0), (342.0, 285.0, 51.5, 2.0)]
    """
    if not bins:
        return None
    low, high, top = bins[0].low, bins[-1].high, max(each.rows for each in bins)
    x = _scale(low, high, _LEFT, WIDTH - _RIGHT)
    y = _scale(0.0, top, 0.0, HEIGHT - _BOTTOM - _TOP)

    def bar(each: Bin) -> Bar:
        height, marked = (
            _round(max(y(rows), _LEAST_HEIGHT)) if rows else 0.0
            for rows in (each.rows, each.marked)
        )
        width = max(x(each.high) - x(each.low) - 1, 1.0)
        return Bar(_round(x(each.low)), HEIGHT - _BOTTOM - height, _round(width), height, marked)

    return Bars(
        [bar(each) for each in bins],
        across=[Tick(_round(x(value)), f"{value:,.10g}") for value in steps(low, high)],
        up=[
            Tick(HEIGHT - _BOTTOM - _round(y(value)), f"{value:,.0f}")
            for value in steps(0.0, top, least=1.0)
        ],
    )


def percent(share: float, digits: int = 1) -> str:
    """A share, or a difference of shares, as a number of percent; halves are rounded away from 0.

    So that two shares and their difference add up as they are read.

    >>> percent(0.8325), percent(0.82), percent(0.0125), percent(-0.00001), percent(0.046, 0)
    ('83.3', '82.0', '1.3', '0.0', '5')
    """
    exactly = Decimal(f"{100 * share:.9f}")
    rounded = exactly.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):f}"


def steps(low: float, high: float, least: float = 0.0) -> list[float]:
    """Some round numbers from `low` to `high`, at least so far apart.

    >>> steps(0, 47), steps(0.31, 0.52), steps(0, 2, least=1)
    ([0.0, 10.0, 20.0, 30.0, 40.0], [0.35, 0.4, 0.45, 0.5], [0.0, 1.0, 2.0])
    """
    if high <= low:
        return [low]
    rough = max((high - low) / _TICKS, least)
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * n for n in (1, 2, 5, 10) if scale * n >= rough * 0.999)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [float(f"{number * step:.10g}") for number in numbers]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * (value - low) / span


def _band(points: Sequence[Point], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    known = [p for p in points if p.low is not None and p.high is not None]
    if len(known) < 2 or all(p.low == p.high for p in known):
        return ""
    above = [(x(p.x), y(p.high or 0.0)) for p in known]
    below = [(x(p.x), y(p.low or 0.0)) for p in reversed(known)]
    return _path([*above, *below])


def _path(places: object) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)  # type: ignore[attr-defined]


def _round(value: float) -> float:
    return round(value, 1)
