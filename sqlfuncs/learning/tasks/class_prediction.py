"""What is known of labels that are classes: the columns of functions that tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.learning.detection import certainty, confident, noise
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.explanation import explanation
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.detection.judged import Judged
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats, Rows
from sqlfuncs.learning.tasks.base import Columns, Mask, Prediction
from sqlfuncs.learning.tasks.reviewed_classes import Samples


@dataclass(frozen=True)
class ClassPrediction(Prediction):
    """The rows of a table as they were `judged`, and what was `found` in those that could be.

    `samples` are those of the judged rows that people reviewed at random, if any.
    """

    judged: Judged
    found: Found
    cut: str
    samples: Samples = field(default_factory=Samples)
    method: str = "auto"

    @property
    def rows(self) -> type[Rows]:
        """What x is."""
        return self.judged.kind

    def issues(self) -> Columns:
        """The columns of `label_issues`."""
        judged, found = self.judged, self.found
        rows, has_probs = judged.rows, judged.has_probs
        quality = np.full(len(rows), np.nan)
        quality[rows] = found.quality
        flagged = np.zeros(len(rows), dtype=bool)
        flagged[rows] = found.flagged
        predicted = likeliest(judged, has_probs)
        suggested, confidence = predicted.copy(), np.zeros(len(rows))
        suggested[rows], confidence[rows] = found.suggested, found.confidence
        confidence[judged.unlabeled] = judged.probs[judged.unlabeled].max(axis=1)
        has_suggestion = flagged | judged.unlabeled
        return {
            "label_quality": pa.array(quality, mask=~rows),
            "is_label_issue": pa.array(flagged, mask=~has_probs),
            "suggested_label": named(judged, suggested, has_suggestion),
            "suggested_confidence": pa.array(confidence, mask=~has_suggestion),
            "predicted_label": named(judged, predicted, has_probs),
            "class_probs": class_probs(judged, has_probs),
            "not_judged": pa.array(judged.reasons, pa.string()),
        }

    def certainty(self, usual: Floats | None = None) -> Columns:
        """Rows of which the model is in doubt, and labels of which it is sure.

        `usual` is as for `certainty.well_labeled`.
        """
        judged = self.judged
        ambiguous = np.zeros(len(judged.rows), dtype=bool)
        ambiguous[judged.has_probs] = certainty.ambiguous(judged.probs[judged.has_probs])
        ambiguity = np.zeros(len(judged.rows))
        ambiguity[judged.has_probs] = certainty.ambiguity(judged.probs[judged.has_probs])
        well_labeled = np.zeros(len(judged.rows), dtype=bool)
        well_labeled[judged.rows] = certainty.well_labeled(
            *judged.evidence, self.found.flagged, usual
        )
        return {
            "ambiguity": pa.array(ambiguity, mask=~judged.has_probs),
            "is_ambiguous": pa.array(ambiguous, mask=~judged.has_probs),
            "is_well_labeled": pa.array(well_labeled, mask=~judged.has_probs),
            "is_unlabeled": pa.array(judged.unlabeled),
        }

    def judge(self) -> Judge:
        """By the cut and the score of this table, learned from all of it."""
        return Judge.of(self.judged, self.cut, self.method)

    def health(self) -> Columns:
        """A row for each class, in their order."""
        codes, probs = self.judged.evidence
        drawn = self.samples.of_all
        if drawn is None and self.samples.calibrating is not None:
            work.say(
                "label_health: the reviewed rows are a sample of those that may be corrected, "
                "which does not say how many labels are wrong; rates are the model's word. The "
                "query file review_queue, with order=random, draws from all rows"
            )
        estimated = health(codes, probs, drawn)
        own = self.judged.labels
        # A label that no map of probabilities names has rows, but nothing is known of them.
        names = classes.in_order({*self.judged.classes, *own.distinct()})
        place = classes.codes(names, self.judged.classes)
        known = place >= 0
        given = own.codes(names)
        count = np.bincount(given[given >= 0], minlength=len(names))
        flagged = np.bincount(codes[self.found.flagged], minlength=len(self.judged.classes))
        confused = np.where(known, estimated.confused_with[place], -1)
        taken = self.cut
        if taken == "auto":
            taken = confident.choose_cut(noise.evidence(codes, probs))
        return {
            "label": pa.array(names, pa.string()),
            "rows": pa.array(count),
            "flagged": pa.array(np.where(known, flagged[place], 0)),
            "error_rate": _known(estimated.error_rate, place),
            "error_rate_low": _known(estimated.low, place),
            "error_rate_high": _known(estimated.high, place),
            "confused_with": named(self.judged, confused, confused >= 0),
            "wrongly_elsewhere": _known(estimated.wrongly_elsewhere, place),
            "cut": pa.array([taken] * len(names)),
            "explanation": pa.array([explanation(codes, probs, self.cut, drawn)] * len(names)),
        }


def named(judged: Judged, codes: Codes, rows: Mask) -> pa.DictionaryArray:
    """The classes of codes for `rows`, NULL for the others."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=~rows), pa.array(judged.classes, pa.string())
    )


def likeliest(judged: Judged, rows: Mask) -> Codes:
    """The likeliest class of each of some `rows`, 0 for the others: (rows,)."""
    predicted = np.zeros(len(rows), dtype=np.int64)
    predicted[rows] = judged.probs[rows].argmax(axis=1)
    return predicted


def class_probs(judged: Judged, rows: Mask) -> pa.MapArray:
    """A map of class to probability for `rows`, empty if it is as given, NULL for the others."""
    filled = rows & ~judged.as_given
    count = len(judged.classes)
    places = np.tile(np.arange(count, dtype=np.int32), int(filled.sum()))
    ends = np.concatenate([[0], np.cumsum(filled) * count]).astype(np.int32)
    return pa.MapArray.from_arrays(
        pa.array(ends),
        pa.array(judged.classes, pa.string()).take(pa.array(places)),
        pa.array(judged.probs[filled].ravel()),
        mask=pa.array(~rows),
    )


def _known(values: Floats, place: Codes) -> pa.Array:
    """A value for each class, NULL where it is NaN or the class has no probabilities."""
    found = np.where(place >= 0, values[place], np.nan)
    return pa.array(found, mask=np.isnan(found))
