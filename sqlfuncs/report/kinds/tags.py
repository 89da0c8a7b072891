"""Labels that are several tags each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlfuncs.report.findings import Findings
from sqlfuncs.report.kinds.base import LabelKind, Run
from sqlfuncs.report.kinds.scores import Accuracy
from sqlfuncs.report.words import percent, some


class Tags(LabelKind):
    """Of each tag how many rows have it in error, and how many lack it."""

    task = "multilabel"
    template = "tags.html"
    given: ClassVar[Mapping[str, str]] = {"keeps_type": "true", "is_list": "true"}
    beside: ClassVar[Mapping[str, str]] = {"wrong_tags": "to take away", "missing_tags": "to add"}
    score = Accuracy()

    def gather(self, run: Run, *, is_sampled: bool) -> None:
        """See `LabelKind`."""
        for name in ("tags", "tag_changes", "tag_examples"):
            run(name)

    def flagged(self, found: Findings) -> str:
        """See `LabelKind`."""
        return "rows with a tag that is probably wrong or missing"

    def in_short(self, found: Findings) -> str:
        """See `LabelKind`."""
        counts, tags = found.counts, found["tags"].rows
        wrong, missing = (sum(row[name] for row in tags) for name in ("flagged", "missing"))
        judged = [row for row in tags if row["error_rate"] is not None]
        given = sum(row["rows"] for row in judged)
        expected = sum(row["rows"] * row["error_rate"] for row in judged)
        lacking = sum(row["wrongly_elsewhere"] or 0 for row in tags)
        return (
            f"The model flags {counts['flagged']:,} of {some(counts['rows'], 'row')}: "
            f"{some(wrong, 'tag')} to take away, and {missing:,} to add. By its word alone "
            f"{percent(expected / (given or 1), 0)} of the {some(given, 'tag')} that rows have are "
            f"wrong, and about {lacking:,.0f} are missing."
        )

    def charts(self, found: Findings) -> Mapping[str, object]:
        """See `LabelKind`."""
        return {}
