"""Regression: labels are numbers, of which a few are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import residuals
from sqlfuncs.learning.detection.false_flags import flags_surely_within, flags_within
from sqlfuncs.learning.detection.judged_numbers import JudgedNumbers, judge
from sqlfuncs.learning.detection.residuals import Residuals
from sqlfuncs.learning.detection.sampling import FEWEST_DRAWN, Drawn
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.labels import DECIMAL, FLOAT, INTEGER, kind_of
from sqlfuncs.learning.labels.numbers import Floats, Numbers
from sqlfuncs.learning.models.decoding import Decoder, NumberDecoder
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.tasks import (
    annotated_numbers,
    counted_flags,
    evaluated_numbers,
    suggested_numbers,
    taught_numbers,
)
from sqlfuncs.learning.tasks.allowed_options import check_ways, refuse_of_classes
from sqlfuncs.learning.tasks.base import (
    Columns,
    Decisions,
    Mask,
    Options,
    Prediction,
    Suggestions,
    Task,
    tells_of_no_class,
)
from sqlfuncs.learning.tasks.queues import at_random, ranked, worst_first
from sqlfuncs.learning.tasks.reviewed_classes import check_false_flags
from sqlfuncs.learning.tasks.reviews import Reviewed
from sqlfuncs.statistics.intervals import wilson
from sqlfuncs.wording import Option

_NUMBERS = (INTEGER, FLOAT, DECIMAL)
_CUTS = ("auto",)
_METHODS = ("auto", "residual")
_QUEUED = (
    "label_quality",
    "is_label_issue",
    "suggested_label",
    "predicted_label",
    "label_low",
    "label_high",
)
_AGAIN = 1e-12  # of the larger of two numbers: by which the same one may differ


@dataclass(frozen=True)
class NumberPrediction(Prediction):
    """The rows of a table as they were `judged`, and what was `found` in those that could be.

    `flagged` and `quality` are of these (judged,); `drawn` those that people reviewed at random.
    """

    judged: JudgedNumbers
    found: Residuals
    flagged: Mask
    quality: Floats
    drawn: Drawn | None = None

    @property
    def rows(self) -> type[Rows]:
        """What x is."""
        return self.judged.kind

    def issues(self) -> Columns:
        """The columns of `label_issues`, `label_low` and `label_high` among them."""
        judged, found = self.judged, self.found
        rows, known = judged.rows, judged.is_predicted
        predicted = judged.scale.unseen(judged.predicted)
        reach = found.reach * judged.spread
        low = judged.scale.unseen(judged.predicted - reach)
        high = judged.scale.unseen(judged.predicted + reach)
        flagged = self._of_rows(self.flagged)
        suggested = known & (flagged | ~rows)
        return {
            "label_quality": pa.array(self._of_table(self.quality), mask=~rows),
            "is_label_issue": pa.array(flagged, mask=~known),
            "suggested_label": judged.own.written(predicted, suggested),
            "suggested_confidence": pa.array(
                self._of_table(found.confidence), mask=~(flagged & rows)
            ),
            "predicted_label": judged.own.written(predicted, known),
            "label_low": pa.array(low, mask=~known),
            "label_high": pa.array(high, mask=~known),
            "not_judged": pa.array(judged.reasons, pa.string()),
        }

    def certainty(self) -> Columns:
        """Labels that are surely right: nearer to what was foreseen than half of the others."""
        judged, rows = self.judged, self.judged.rows
        far = np.abs(judged.given[rows] - judged.predicted[rows]) / judged.spread[rows]
        sure = ~self.flagged & (far <= np.median(far))
        return {
            "is_well_labeled": pa.array(self._of_rows(sure)),
            "is_unlabeled": pa.array(judged.is_predicted & np.isnan(judged.own.values)),
        }

    def health(self) -> Columns:
        """One row: numbers have no classes. Its label is NULL."""
        count = len(self.quality)
        flagged = int(self.flagged.sum())
        rate, low, high = float((1 - self.found.quality).mean()), None, None
        why = "the model's word alone; how far off it may be is told by reviewed rows"
        if self.drawn is not None:
            wrong, drawn = int(self.drawn.wrong.sum()), len(self.drawn.places)
            rate = wrong / drawn
            low, high = (float(wilson(wrong, drawn, side)) for side in (-1, 1))
            why = f"of {drawn} rows that people reviewed at random {wrong} were wrong"
        return {
            "label": pa.nulls(1, pa.string()),
            "rows": pa.array([count]),
            "flagged": pa.array([flagged]),
            "error_rate": pa.array([rate]),
            "error_rate_low": pa.array([low], pa.float64()),
            "error_rate_high": pa.array([high], pa.float64()),
            "cut": pa.array(["auto"]),
            "explanation": pa.array([why]),
        }

    def _of_table(self, judged: Floats) -> Floats:
        """A number for each row of the table, from those of the judged ones; else NaN."""
        values = np.full(len(self.judged.rows), np.nan)
        values[self.judged.rows] = judged
        return values

    def _of_rows(self, judged: Mask) -> Mask:
        """The same of what is true or not; else false."""
        values = np.zeros(len(self.judged.rows), dtype=bool)
        values[self.judged.rows] = judged
        return values


class Regression(Task):
    """Labels that are numbers: amounts, scores, prices."""

    name = "regression"

    @classmethod
    def is_column(cls, label: pa.Array, kind: str) -> bool:
        """Floating and decimal numbers of many values."""
        return numbers.are_amounts(label, kind)

    @classmethod
    def is_of(cls, rows: pa.StructArray, name: str) -> bool:
        """Such numbers; or any in a label_issues result that says nothing of classes."""
        are_numbers = kind_of(rows, name) in (INTEGER, DECIMAL, FLOAT)
        return (are_numbers and tells_of_no_class(rows)) or super().is_of(rows, name)

    @classmethod
    def judge(cls, rows: pa.StructArray, options: Options) -> NumberPrediction:
        """Flagged where a label is likelier wrong than right, by how far it is from foreseen."""
        check_ways(options, cls.name, _CUTS, _METHODS)
        reviewed = Reviewed.read(rows)
        check_false_flags(options, reviewed is not None)
        own = numbers.read(rows)
        learned = own.values if reviewed is None else _as_decided(own.values, reviewed)
        whole = _found(rows, own, learned, options)
        flagged, quality = whole.flagged, whole.quality
        drawn = None if reviewed is None else _drawn(own, whole.judged, reviewed)
        if options.false_flags is not None:
            flagged = _flags_within(options, whole.found, drawn)
        if options.method == "residual":
            quality = _by_residual(whole.judged)
        return replace(whole, flagged=flagged, quality=quality, drawn=drawn)

    @classmethod
    def queue(cls, rows: pa.StructArray, decisions: Decisions, options: Options) -> Columns:
        """The worst first. Rows that are excluded teach nothing; those decided are not queued."""
        own = numbers.read(rows)
        new = numbers.as_numbers(decisions.new_label)
        learned = np.where(decisions.relabel, new, own.values)
        learned[decisions.exclude] = np.nan
        found = _found(rows, own, learned, options)
        scores = np.full(len(rows), np.inf)
        scores[found.judged.rows] = found.quality
        waiting = found.judged.rows & ~decisions.any
        return ranked(found.issues(), _QUEUED, waiting, worst_first(rows, scores))

    @classmethod
    def verification_queue(
        cls, rows: pa.StructArray, decisions: Decisions, options: Options
    ) -> Columns:
        """The flagged rows that nobody has decided, drawn at random."""
        own = numbers.read(rows)
        found = _found(rows, own, own.values, options)
        waiting = found.judged.rows & ~decisions.any
        waiting[found.judged.rows] &= found.flagged
        return ranked(found.issues(), _QUEUED, waiting, at_random(rows))

    to_learn = staticmethod(taught_numbers.read)
    taught = staticmethod(taught_numbers.TaughtNumbers)

    @classmethod
    def decoder(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> Decoder:
        """From the scale of the numbers."""
        return NumberDecoder.from_files(files)

    @classmethod
    def consensus(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """What the labels of several annotators amount to."""
        return annotated_numbers.consensus(rows, method)

    @classmethod
    def annotators(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """How good each annotator is."""
        return annotated_numbers.annotators(rows, method)

    @classmethod
    def suggestions(cls, issues: pa.StructArray, drawn: Mask) -> Suggestions:
        """Nearer to the true number than the one given."""
        return suggested_numbers.suggestions(issues)

    flag_counts = staticmethod(counted_flags.of_numbers)
    strength = staticmethod(suggested_numbers.strength)
    evaluate = staticmethod(evaluated_numbers.evaluate)
    compare = staticmethod(evaluated_numbers.compare)


def _found(
    rows: pa.StructArray, own: Numbers, learned: Floats, options: Options
) -> NumberPrediction:
    refuse_of_classes(options, Regression.name, "judge")
    judged = judge(
        rows.field("x"),
        own,
        learned,
        model=options.model,
        folds=options.folds,
        seed=options.seed,
    )
    at = judged.rows
    found = residuals.find(judged.given[at], judged.predicted[at], judged.spread[at])
    return NumberPrediction(judged, found, found.flagged, found.quality)


def _by_residual(judged: JudgedNumbers) -> Floats:
    """The score cleanlab calls so: e to the power of minus the residual, in the label's unit."""
    rows = judged.rows
    predicted = judged.scale.unseen(judged.predicted[rows])
    score: Floats = np.exp(-np.abs(judged.own.values[rows] - predicted))
    return score


def _as_decided(values: Floats, reviewed: Reviewed) -> Floats:
    """The numbers to learn from, NaN for what is excluded."""
    new = numbers.as_numbers(reviewed.new_label)
    learned = np.where(reviewed.relabelled, new, values)
    learned[reviewed.wrong & ~reviewed.relabelled] = np.nan
    return learned


def _drawn(own: Numbers, judged: JudgedNumbers, reviewed: Reviewed) -> Drawn | None:
    """The reviewed rows of a random sample; says so where there are too few."""
    places = reviewed.sample(judged.rows)
    if len(places) < FEWEST_DRAWN:
        work.say(
            f"of the rows drawn at random {len(places)} are reviewed, in their order: too few "
            f"to estimate by. It takes {FEWEST_DRAWN}"
        )
        return None
    new = numbers.as_numbers(reviewed.new_label)
    same = np.abs(new - own.values) <= _AGAIN * np.maximum(np.abs(new), np.abs(own.values))
    wrong = reviewed.wrong & ~(reviewed.relabelled & same)
    at = np.cumsum(judged.rows) - 1
    return Drawn(at[places], wrong[places], np.full(len(places), -1))


def _flags_within(options: Options, found: Residuals, drawn: Drawn | None) -> Mask:
    """As `Options.false_flags` asks. Raises BadOption without a sample."""
    share = options.false_flags
    assert share is not None
    if drawn is None:
        raise BadOption(
            f"{Option('false_flags', share)} takes {FEWEST_DRAWN} reviewed rows that were drawn at "
            "random. The query file review_queue, with order=random, draws the next ones."
        )
    if options.risk is None:
        return flags_within(share, found.quality, drawn)
    return flags_surely_within(share, options.risk, found.quality, found.flagged, drawn)
