"""What the page needs of an engine. Types only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from sqlfuncs.learning.detection.sampling import FEWEST_DRAWN
from sqlfuncs.review.decisions import Decision
from sqlfuncs.review.labels.base import Labels

FEWEST_RANDOM = FEWEST_DRAWN  # decided rows of a random sample


@dataclass(frozen=True)
class Point:
    """Of a review curve: after so many reviewed rows, so many wrong labels are left."""

    reviewed: int
    errors_left: float
    errors_left_low: float
    errors_left_high: float


class Source(Protocol):
    """A table under review and its decision log. Methods may be called from any thread."""

    title: str
    shows_images: bool
    model: str
    labels: type[Labels]  # what they are

    def rows(self) -> pa.Table:
        """Columns key and label (text), and text (any type), in an order that stays."""

    def judged(self) -> pa.Table:
        """What the model says of the labels as given.

        Columns key, label_quality, is_label_issue, suggested_label, suggested_confidence,
        class_probs, not_judged and those of the kind of label, as in `label_issues`. Labels are
        text.
        """

    def learned(self) -> pa.Table:
        """The same of the rows nobody has decided, learned from what is decided; review_rank."""

    def content(self) -> pa.Table | None:
        """Columns key and x, what the model reads; None for images, and what no model reads."""

    def alike(self) -> pa.Table:
        """Columns key, outlier_score, is_outlier and near_duplicate_group."""

    def parts(self, label: str) -> list[str] | None:
        """The tags, or labels of words, of a label's text; None for what is no list of them."""

    def in_words(self, label: str) -> str:
        """A label that somebody has typed, lists as JSON, as the table has it.

        Raises BadInput for what is no value of the column's type, or would be rounded.
        """

    def log(self) -> list[Decision]:
        """All decisions, in their order."""

    def append(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Write one step to the log, all or nothing, and give it with its moment."""

    def proposed(self) -> list[Decision]:
        """What `auto_corrections` proposes by the labels as given and what people decided."""

    def curve(self, sample: Sequence[str]) -> list[Point]:
        """How many wrong labels are left, by a random sample of keys that are decided."""

    def details(self, key: str) -> Mapping[str, str | None]:
        """The other columns of a row, as text."""

    def image(self, key: str) -> bytes | None:
        """The bytes of a row's image."""
