"""Labels that are one class of a few."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sqlfuncs.charts import shapes
from sqlfuncs.report.findings import Findings
from sqlfuncs.report.kinds.base import LabelKind, Run
from sqlfuncs.report.kinds.scores import Accuracy
from sqlfuncs.report.source import Figure
from sqlfuncs.report.words import between, percent
from sqlfuncs.review.source import FEWEST_RANDOM

_MATRIX_CLASSES = 12
_CLASSES = 30  # of a chart
_SHADES = 9
Matrix = tuple[list[str], list[tuple[str, list[tuple[int, int]]]]]


class Classes(LabelKind):
    """The share of wrong labels in each class, and what is taken for what."""

    task = "classification"
    template = "classes.html"
    score = Accuracy()
    corrects_scores = True

    def gather(self, run: Run, *, is_sampled: bool) -> None:
        """See `LabelKind`."""
        run("health", is_sampled=str(is_sampled).lower())
        run("confusions")

    def flagged(self, found: Findings) -> str:
        """See `LabelKind`."""
        return "labels flagged as probably wrong"

    def in_short(self, found: Findings) -> str:
        """See `LabelKind`."""
        counts = found.counts
        health = [row for row in found["health"].rows if row["error_rate"] is not None]
        rows = sum(row["rows"] for row in health) or 1
        share, low, high = (
            sum(row["rows"] * row[name] for row in health) / rows
            for name in ("error_rate", "error_rate_low", "error_rate_high")
        )
        by = (
            "by the rows drawn at random"
            if counts["random_reviewed"] >= FEWEST_RANDOM
            else "from the labels alone"
        )
        return (
            f"The model flags {counts['flagged']:,} of {counts['rows']:,} labels as doubtful, and "
            f"expects that {percent(share, 0)} of all are wrong"
            + ("." if found.is_all_decided else f"; {by}, {between(low, high, 0)} are possible.")
        )

    def charts(self, found: Findings) -> Mapping[str, object]:
        """See `LabelKind`."""
        return {"health": _health(found["health"]), "matrix": _matrix(found["confusions"])}


def _health(figure: Figure) -> shapes.Spans | None:
    return shapes.spans(
        [
            (str(r["class"]), r["error_rate"], r["error_rate_low"], r["error_rate_high"])
            for r in figure.rows[:_CLASSES]
            if r["error_rate"] is not None
        ]
    )


def _matrix(figure: Figure) -> Matrix | None:
    """Classes, and for each given one how often each is suggested, with a shade from 0 to 9."""
    names = sorted({str(r[side]) for r in figure.rows for side in ("given", "suggested")})
    if not names or len(names) > _MATRIX_CLASSES:
        return None
    counts = np.zeros((len(names), len(names)), int)
    for row in figure.rows:
        counts[names.index(str(row["given"])), names.index(str(row["suggested"]))] = row["flagged"]
    shades = np.ceil(_SHADES * counts / max(int(counts.max()), 1)).astype(int)
    return names, [
        (name, list(zip(counts[at].tolist(), shades[at].tolist(), strict=True)))
        for at, name in enumerate(names)
    ]
