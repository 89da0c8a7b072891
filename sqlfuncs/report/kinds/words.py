"""Labels that are of words, one for each word of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlfuncs.report.findings import Findings
from sqlfuncs.report.kinds.base import LabelKind, Run
from sqlfuncs.report.kinds.scores import Accuracy
from sqlfuncs.report.words import percent, some


class Words(LabelKind):
    """Of each label how many of the words that have it should not, and what they should have."""

    task = "token_classification"
    template = "words.html"
    given: ClassVar[Mapping[str, str]] = {"keeps_type": "true", "is_words": "true"}
    score = Accuracy()
    is_trained = False

    def gather(self, run: Run, *, is_sampled: bool) -> None:
        """See `LabelKind`."""
        for name in ("words", "word_changes", "word_examples"):
            run(name)

    def flagged(self, found: Findings) -> str:
        """See `LabelKind`."""
        return "rows with a word whose label is probably wrong"

    def in_short(self, found: Findings) -> str:
        """See `LabelKind`."""
        counts, labels = found.counts, found["words"].rows
        flagged, words = (sum(row[name] for row in labels) for name in ("flagged", "words"))
        judged = [row for row in labels if row["error_rate"] is not None]
        of = sum(row["words"] for row in judged)
        wrong = sum(row["words"] * row["error_rate"] for row in judged)
        return (
            f"The model flags {some(flagged, 'word')} of {words:,}, in {counts['flagged']:,} of "
            f"{some(counts['rows'], 'row')}. By its word alone {percent(wrong / (of or 1))} of the "
            "labels of words are wrong."
        )

    def charts(self, found: Findings) -> Mapping[str, object]:
        """See `LabelKind`."""
        return {}
