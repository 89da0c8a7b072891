"""A report's findings as one HTML file that needs nothing else. Jinja2; knows no engine."""

from __future__ import annotations

import importlib.resources
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from sqlfuncs import __version__
from sqlfuncs.browser_images import browser_type
from sqlfuncs.charts import shapes
from sqlfuncs.charts.pages import environment
from sqlfuncs.report import phrases, words
from sqlfuncs.report.findings import LABELS, Findings

_PACKAGES = ("duckdb", "cleanlab", "scikit-learn", "sentence-transformers", "torch")
_PAIRS = 20


def render(found: Findings) -> str:
    """The page. What rows say is escaped, and nothing in it is run or fetched."""
    templates = environment("sqlfuncs.report")
    templates.filters["cell"] = words.cell
    style = (importlib.resources.files("sqlfuncs.report") / "templates" / "report.css").read_text()
    return templates.get_template("report.html").render(
        found=found,
        wanted=found.wanted,
        style=Markup(style),  # ours, and no data stands in it
        made=f"{datetime.now():%Y-%m-%d %H:%M}",
        versions=_versions(),
        words=words,
        cards=list(phrases.cards(found)),
        in_short=list(phrases.in_short(found)),
        LABELS=LABELS,
        shown=found.kind.charts(found),
        pairs=_PAIRS,
        pictures=[_picture(row.get("picture")) for row in found["worst"].rows],
        found_chart=_found(found),
        left_chart=_left(found),
        score=found.kind.score,
        gain=found.kind.score.chart(_named(found, "gain")),
        noisy=found.kind.score.chart(_named(found, "noisy")),
        all_sql=[(figure.title, figure.sql) for figure in found.figures.values()],
    )


def _versions() -> str:
    known = [f"sqlfuncs {__version__}"]
    for name in _PACKAGES:
        try:
            known.append(f"{name} {version(name)}")
        except ImportError:  # an extra that is not installed
            continue
    return ", ".join(known)


def _named(found: Findings, name: str) -> Mapping[str, Mapping[str, float]]:
    """Rows of `gain` or `noisy` by what labels trained on are called."""
    return {LABELS[labels]: row for labels, row in found.by_labels(name).items()}


def _found(found: Findings) -> shapes.Lines | None:
    if "found" not in found:
        return None
    rows = found["found"].rows
    return shapes.lines(
        [
            ("as it went", [shapes.Point(r["decisions"], r["as_reviewed"]) for r in rows]),
            ("in order of label quality", _points(rows, "by_quality")),
            ("at random", _points(rows, "at_random")),
        ]
    )


def _points(rows: Sequence[Mapping[str, Any]], name: str) -> list[shapes.Point]:
    return [
        shapes.Point(r["decisions"], r[name], r[f"{name}_low"], r[f"{name}_high"])
        for r in rows
        if r[name] is not None
    ]


def _left(found: Findings) -> shapes.Lines | None:
    if "left" not in found:
        return None
    names = ("reviewed", "errors_left", "errors_left_low", "errors_left_high")
    rows = found["left"].rows
    return shapes.lines([("left", [shapes.Point(*(row[name] for name in names)) for row in rows])])


def _picture(content: bytes | None) -> str | None:
    """An image as an address that holds it, if it is one that browsers show."""
    kind = browser_type(content or b"")
    return f"data:{kind};base64,{b64encode(content).decode()}" if content and kind else None
