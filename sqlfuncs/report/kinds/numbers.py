"""Labels that are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlfuncs.charts import shapes
from sqlfuncs.report.findings import Findings
from sqlfuncs.report.kinds.base import LabelKind, Run
from sqlfuncs.report.kinds.scores import Error
from sqlfuncs.report.words import percent


class Numbers(LabelKind):
    """How the labels lie, how far off they are from what was foreseen, and how many are too far."""

    task = "regression"
    template = "numbers.html"
    given: ClassVar[Mapping[str, str]] = {"keeps_type": "true"}
    beside: ClassVar[Mapping[str, str]] = {"label_low": "at least", "label_high": "at most"}
    score = Error()

    def gather(self, run: Run, *, is_sampled: bool) -> None:
        """See `LabelKind`."""
        run("numbers", is_sampled=str(is_sampled).lower())
        run("spread")

    def flagged(self, found: Findings) -> str:
        """See `LabelKind`."""
        return "labels outside of what the model holds possible"

    def in_short(self, found: Findings) -> str:
        """See `LabelKind`."""
        counts, row = found.counts, found["numbers"].rows[0]
        if row["rows"] == 0:
            return "No label could be judged."
        text = (
            f"Of {counts['rows']:,} labels {counts['flagged']:,} "
            f"({percent(row['flagged_share'])}) lie outside of what the model holds possible, as "
            "one in a hundred does without a fault"
        )
        if row["error_rate_low"] is None:
            text += f"; by its word alone {percent(row['error_rate'], 0)} are wrong"
        return text + "."

    def charts(self, found: Findings) -> Mapping[str, object]:
        """See `LabelKind`."""
        return {
            name: shapes.bars(
                [
                    shapes.Bin(row["from"], row["to"], row["rows"], row["flagged"])
                    for row in found["spread"].rows
                    if row["what"] == name
                ]
            )
            for name in ("labels", "residuals")
        }
