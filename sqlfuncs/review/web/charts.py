"""Shapes of charts, as numbers for SVG in templates. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlfuncs.review.source import Point

FEWEST_RANDOM = 20  # decided rows of the random sample, before anything is said of what is left
WIDTH, HEIGHT = 640, 240
_LEFT, _BOTTOM, _TOP, _RIGHT = 56, 36, 12, 12


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, in pixels, with its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Curve:
    """A line with a band around it."""

    line: str
    band: str
    dots: Sequence[tuple[float, float]]
    across: Sequence[Tick]
    up: Sequence[Tick]


def curve(points: Sequence[Point]) -> Curve | None:
    """Wrong labels left by rows reviewed; None for fewer than two points."""
    if len(points) < 2:
        return None
    first, last = points[0].reviewed, points[-1].reviewed
    top = max(max(point.errors_left_high for point in points), 1.0)

    def x(reviewed: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (reviewed - first) / max(last - first, 1)

    def y(errors: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * errors / top

    above = [f"{x(p.reviewed):.1f},{y(p.errors_left_high):.1f}" for p in points]
    below = [f"{x(p.reviewed):.1f},{y(p.errors_left_low):.1f}" for p in reversed(points)]
    return Curve(
        line=" ".join(f"{x(p.reviewed):.1f},{y(p.errors_left):.1f}" for p in points),
        band=" ".join([*above, *below]),
        dots=[(round(x(p.reviewed), 1), round(y(p.errors_left), 1)) for p in points],
        across=[
            Tick(
                round(x(first + (last - first) * i / 4), 1), f"{first + (last - first) * i // 4:,}"
            )
            for i in range(5)
        ],
        up=[Tick(round(y(top * i / 4), 1), f"{top * i / 4:,.0f}") for i in range(5)],
    )
