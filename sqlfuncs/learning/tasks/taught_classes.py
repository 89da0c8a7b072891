"""Classes that a model is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.decoding import ClassDecoder, Said
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.models.target import Floats
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, is_usable
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.taught import TaughtWhole, contradicting, rare
from sqlfuncs.wording import Snippet

_LOPSIDED = 0.9  # the share of one class above which accuracy says little


def read(rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
    """The labels as text, one for each, and why a row has none."""
    given = labels.read(rows)
    return given.texts.to_pylist(), given.reasons


@dataclass(frozen=True)
class TaughtClasses(TaughtWhole):
    """One class for each row."""

    texts: Sequence[str]
    loss = "cross_entropy"

    @cached_property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The different labels in their order."""
        return class_order.in_order(self.texts)

    @cached_property
    def codes(self) -> Codes:
        """The place of each label among them."""
        return class_order.codes(self.texts, self.classes)

    def target(self, weights: RowWeights | None = None) -> ClassTarget:
        """The classes. Heads are pooled by all rows alike."""
        return ClassTarget(self.codes, len(self.classes))

    def refuse_useless(self) -> None:
        """See `Taught.refuse_useless`."""
        if len(self.classes) < 2:
            raise TooFewClasses(
                f"every row has the label '{self.classes[0]}': it takes two classes or more. "
                f"{Snippet('how columns are named')}"
            )
        class_order.refuse_too_many(len(self.texts), len(self.classes), self.classes)
        data_warnings.about_spelling(self.classes)

    @property
    def counts(self) -> Mapping[str, int]:
        """See `Taught.counts`."""
        return dict(sorted(Counter(self.texts).items()))

    def warnings(self, contradictions: int) -> list[str]:
        """See `Taught.warnings`."""
        counts, rows = self.counts, len(self.texts)
        found = rare(counts, "the label")
        commonest, count = max(counts.items(), key=lambda each: each[1])
        if count > _LOPSIDED * rows:
            found.append(
                f"{count / rows:.0%} of the rows have the label '{commonest}': a model that always "
                "says so is as accurate; look at class_report, not at the accuracy"
            )
        return found + contradicting(contradictions, "another label as well: one of them is wrong")

    def decoder(self, predicted: Floats, weights: RowWeights | None = None) -> ClassDecoder:
        """See `Taught.decoder`."""
        return ClassDecoder(self.classes)

    def _score(self, places: npt.NDArray[np.int64], said: Sequence[Said]) -> float | None:
        """The accuracy."""
        pairs = zip(places.tolist(), said, strict=True)
        return sum(each.labels == (self.texts[place],) for place, each in pairs) / len(places)

    @property
    def answers(self) -> list[list[str]]:
        """One each."""
        return [[text] for text in self.texts]

    def balanced(self, weights: RowWeights | None) -> RowWeights:
        """Weights under which all classes count the same in all, and a row 1 on average.

        >>> TaughtClasses(["a", "a", "a", "a", "b", "b"]).balanced(None).tolist()
        [0.75, 0.75, 0.75, 0.75, 1.5, 1.5]
        """
        own = np.ones(len(self.texts)) if weights is None else weights.astype(np.float64)
        totals = np.bincount(self.codes, own, len(self.classes))[self.codes]
        share = len(self.texts) / len(self.classes)
        return np.divide(own * share, totals, where=totals > 0, out=own).astype(np.float32)


def wrong(rows: pa.StructArray, options: Options) -> tuple[float, int]:
    """The estimated number of wrong labels, and of how many rows (fields x, label)."""
    taught = TaughtClasses(rows.field("label").to_pylist())
    prepared = prepare(registry.read_column(rows.field("x")), taught.target(), options.model)
    probs, unseen, _ = out_of_sample(prepared, folds=options.folds, seed=options.seed)
    judged = is_usable(unseen)
    given = taught.codes[judged]
    counts = np.bincount(given, minlength=len(taught.classes))
    return float(np.nansum(health(given, probs[judged]).error_rate * counts)), len(given)
