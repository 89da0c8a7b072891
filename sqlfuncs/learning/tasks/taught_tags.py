"""Tags that a model is trained on: all at once, and one threshold for what is said of a row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.models.decoding import Said, TagDecoder
from sqlfuncs.learning.models.tag_target import TagTarget
from sqlfuncs.learning.models.target import Floats, Mask
from sqlfuncs.learning.rows.base import Reasons
from sqlfuncs.learning.tasks.taught import TaughtWhole, contradicting, rare
from sqlfuncs.statistics.tags import best_threshold
from sqlfuncs.wording import some

_FEWEST = 2  # rows that have a tag, before anything is learned of it


def read(rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
    """The labels as JSON lists, one for each set of tags, and why a row has none."""
    own = tags.read(rows)
    if own.repeated:
        work.say_once(f"{own.repeated:,} rows name a tag twice, which counts once")
    texts = [
        json.dumps([own.names[at] for at in np.flatnonzero(row)]) if why is None else None
        for row, why in zip(own.given, own.reasons.tolist(), strict=True)
    ]
    return texts, own.reasons


@dataclass(frozen=True)
class TaughtTags(TaughtWhole):
    """Any number of tags for each row, as JSON lists. What one row alone has is not learned."""

    texts: Sequence[str]
    way = "tags 1"
    loss = "binary_cross_entropy"
    is_multi = True

    @cached_property
    def _lists(self) -> list[list[str]]:
        return [json.loads(text) for text in self.texts]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """See `Taught.counts`."""
        found = dict.fromkeys(sorted({tag for each in self._lists for tag in each}), 0)
        for each in self._lists:
            for tag in each:
                found[tag] += 1
        return found

    @cached_property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The tags that two rows or more have, in their order."""
        return in_order(name for name, count in self.counts.items() if count >= _FEWEST)

    @cached_property
    def given(self) -> Mask:
        """Which of them each row has: (rows, tags)."""
        return tags.coded(self._lists, self.classes)

    @property
    def answers(self) -> list[list[str]]:
        """The tags of each row that are learned."""
        return [[tag for tag in self.classes if tag in own] for own in self._lists]

    def target(self, weights: RowWeights | None = None) -> TagTarget:
        """The tags."""
        return TagTarget(self.given.astype(np.float64), weights)

    def refuse_useless(self) -> None:
        """See `Taught.refuse_useless`."""
        if not self.classes:
            raise NoUsableRows(
                f"no tag can be learned: it takes one that {_FEWEST} rows or more have."
            )
        if (self.given == self.given[0]).all():
            listed = ", ".join(f"'{name}'" for name in self.classes)
            raise TooFewClasses(f"every row has the tags {listed}: there is nothing to tell apart.")
        left = [name for name in self.counts if name not in self.classes]
        if left:
            shown = some([f"'{name}'" for name in left])
            work.say_once(f"tags that one row alone has are not learned: {shown}")
        data_warnings.about_spelling(self.classes)

    def warnings(self, contradictions: int) -> list[str]:
        """See `Taught.warnings`."""
        return rare(self.counts, "the tag") + contradicting(
            contradictions, "other tags as well: one of the lists is wrong"
        )

    def decoder(self, predicted: Floats, weights: RowWeights | None = None) -> TagDecoder:
        """With the threshold of the highest micro F1."""
        known = ~np.isnan(predicted[:, 0])
        counts = None if weights is None else weights[known]
        return TagDecoder(self.classes, best_threshold(predicted[known], self.given[known], counts))

    def _score(self, places: npt.NDArray[np.int64], said: Sequence[Said]) -> float | None:
        """The share of rows of which all tags are right."""
        own = tags.coded([each.labels for each in said], self.classes)
        return float((own == self.given[places]).all(axis=1).mean())
