"""Classification: each row has one label of a few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.detection import certainty, confident, habits, noise, ordered_classes
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.explanation import CALIBRATED, explanation
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.detection.judged import Judged
from sqlfuncs.learning.detection.review_ranking import quality_after_review
from sqlfuncs.learning.detection.verification import candidates
from sqlfuncs.learning.labels import classes, labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.tags import KIND as TAGS
from sqlfuncs.learning.labels.words import KIND as WORDS
from sqlfuncs.learning.models.decoding import ClassDecoder, Decoder
from sqlfuncs.learning.rows.base import Floats, Rows, is_usable
from sqlfuncs.learning.tasks import (
    annotated_classes,
    evaluated_classes,
    suggested_classes,
    taught_classes,
)
from sqlfuncs.learning.tasks.base import (
    Columns,
    Decisions,
    Mask,
    Options,
    Prediction,
    Task,
)
from sqlfuncs.learning.tasks.queues import at_random, review_rank, worst_first
from sqlfuncs.learning.tasks.reviewed_classes import (
    Samples,
    annotators_of,
    as_decided,
    check_false_flags,
    check_judge,
    find_by_sample,
    given_codes,
    judged_as_decided,
    judged_rows,
    reviewed_samples,
    score,
)
from sqlfuncs.learning.tasks.reviews import Reviewed
from sqlfuncs.wording import Option

# What a queue says of a row, as `label_issues` does.
_QUEUED = (
    "label_quality",
    "is_label_issue",
    "suggested_label",
    "predicted_label",
    "class_probs",
)


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
        predicted = _likeliest(judged, has_probs)
        suggested, confidence = predicted.copy(), np.zeros(len(rows))
        suggested[rows], confidence[rows] = found.suggested, found.confidence
        confidence[judged.unlabeled] = judged.probs[judged.unlabeled].max(axis=1)
        has_suggestion = flagged | judged.unlabeled
        return {
            "label_quality": pa.array(quality, mask=~rows),
            "is_label_issue": pa.array(flagged, mask=~has_probs),
            "suggested_label": _named(judged, suggested, has_suggestion),
            "suggested_confidence": pa.array(confidence, mask=~has_suggestion),
            "predicted_label": _named(judged, predicted, has_probs),
            "class_probs": _class_probs(judged, has_probs),
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
            "confused_with": _named(self.judged, confused, confused >= 0),
            "wrongly_elsewhere": _known(estimated.wrongly_elsewhere, place),
            "cut": pa.array([taken] * len(names)),
            "explanation": pa.array([explanation(codes, probs, self.cut, drawn)] * len(names)),
        }


class Classification(Task):
    """Labels of one value each."""

    name = "classification"
    takes_votes = True
    takes_annotators = True
    judges_from_sample = True

    @classmethod
    def is_column(cls, label: pa.Array, kind: str) -> bool:
        """Whatever the engine could hand over as text: what is no label it has refused."""
        return True

    @classmethod
    def refuse_kind(cls, kind: str, name: str) -> None:
        """Lists, which say several things of a row."""
        if kind in (TAGS, WORDS):
            raise BadInput(
                f"{name} holds lists, which are tags and no classes. Make a class of each set of "
                "them, as one text in which they are in order; or leave task out."
            )

    @classmethod
    def judge(cls, rows: pa.StructArray, options: Options) -> ClassPrediction:
        """Scored and flagged by confident learning, with the noise reckoned in."""
        if options.cut not in confident.CUTS:
            raise BadOption.among("cut", options.cut, confident.CUTS)
        if options.method not in confident.METHODS:
            raise BadOption.among("method", options.method, confident.METHODS)
        check_false_flags(options, Reviewed.is_in(rows))
        own, reviewed, annotators = labels.read(rows), Reviewed.read(rows), habits.read(rows)
        if options.judge is not None:
            check_judge(options, reviewed is not None, annotators is not None)
        if reviewed is None:
            judged, samples = judged_rows(rows, own, options), Samples()
        else:
            judged = judged_as_decided(rows, own, reviewed, options)
            samples = reviewed_samples(rows, own, judged, reviewed, options)
        found = confident.find(
            *judged.evidence,
            options.cut,
            score(judged, options.method),
            judged.outvoted[judged.rows],
            annotators_of(judged.rows, annotators),
        )
        found = find_by_sample(judged, found, samples, options, annotators)
        if options.ordered is not None:
            found = _by_distance(judged, found, options, has_log=reviewed is not None)
        is_calibrated = samples.calibrating is not None and options.cut == "auto"
        cut = CALIBRATED if is_calibrated else options.cut
        return ClassPrediction(judged, found, cut, samples, options.method)

    @classmethod
    def queue(cls, rows: pa.StructArray, decisions: Decisions, options: Options) -> Columns:
        """The worst first. Rows that are excluded teach nothing; those decided are not queued."""
        own = labels.read(rows)
        learned = as_decided(own.texts, decisions.relabel, decisions.new_label, decisions.exclude)
        judged = judged_rows(rows, replace(own, texts=learned), options)
        given = given_codes(own, judged, labels.kind_of(rows, "x"))
        usable = is_usable(judged.reasons) & (given >= 0)
        queued = usable & ~decisions.any
        quality = np.zeros(len(rows))
        flagged, suggested = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=np.int64)
        if queued.any():
            probs = judged.probs[usable]
            found = confident.find(
                given[usable],
                probs,
                "auto",
                score(judged, "auto"),
                judged.outvoted[usable],
                annotators_of(usable, habits.read(rows)),
            )
            if options.ordered is not None:
                scale = ordered_classes.places(options.ordered, judged.classes)
                is_own = not judged.kind.needs_model
                found = ordered_classes.by_distance(
                    found, given[usable], probs, scale, is_own=is_own
                )
            wrong = decisions.relabel & np.asarray(
                pc.not_equal(learned, own.texts.cast(pa.string())).fill_null(False)
            )
            quality[usable] = quality_after_review(
                given[usable], probs, found.quality, decisions.any[usable], wrong[usable]
            )
            flagged[usable], suggested[usable] = found.flagged, found.suggested
        said = {
            "label_quality": pa.array(quality, mask=~queued),
            "is_label_issue": pa.array(flagged, mask=~queued),
            "suggested_label": _named(judged, suggested, queued & flagged),
            "predicted_label": _named(judged, _likeliest(judged, queued), queued),
            "class_probs": _class_probs(judged, queued),
        }
        return {**said, "review_rank": review_rank(queued, worst_first(rows, quality))}

    @classmethod
    def verification_queue(
        cls, rows: pa.StructArray, decisions: Decisions, options: Options
    ) -> Columns:
        """The candidates for correction that nobody has decided, drawn at random."""
        found = cls.judge(rows, options)
        places = np.flatnonzero(found.judged.rows)
        codes, probs = found.judged.evidence
        chosen = candidates(codes, probs, found.found.flagged, found.found.suggested)
        queued = np.zeros(len(rows), dtype=bool)
        queued[places[chosen.places]] = True
        queued &= ~decisions.any
        known = {name: column for name, column in found.issues().items() if name in _QUEUED}
        return {**known, "review_rank": review_rank(queued, at_random(rows))}

    to_learn = staticmethod(taught_classes.read)
    taught = staticmethod(taught_classes.TaughtClasses)

    @classmethod
    def decoder(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> Decoder:
        """The likeliest class."""
        return ClassDecoder(classes)

    wrong = staticmethod(taught_classes.wrong)
    consensus = staticmethod(annotated_classes.consensus)
    annotators = staticmethod(annotated_classes.annotators)
    suggestions = staticmethod(suggested_classes.suggestions)
    strength = staticmethod(suggested_classes.strength)
    evaluate = staticmethod(evaluated_classes.evaluate)
    report = staticmethod(evaluated_classes.report)
    confusion_matrix = staticmethod(evaluated_classes.confusion_matrix)
    agreement = staticmethod(evaluated_classes.agreement)
    compare = staticmethod(evaluated_classes.compare)


def _by_distance(judged: Judged, found: Found, options: Options, *, has_log: bool) -> Found:
    """As `Options.ordered` asks. Raises BadOption for what says otherwise how rows are scored."""
    asked = Option("ordered", options.ordered)
    if has_log:
        raise BadOption(
            f"{asked} scores labels by how far they are off, and with a decision log a score is "
            "how likely the label is right. Leave one of them out."
        )
    for name, value in (("method", options.method), ("judge", options.judge)):
        if value not in ("auto", None):
            raise BadOption(f"{asked} scores labels in a way of its own; leave {name} out.")
    scale = ordered_classes.places(options.ordered, judged.classes)
    is_own = not judged.kind.needs_model
    return ordered_classes.by_distance(found, *judged.evidence, scale, is_own=is_own)


def _named(judged: Judged, codes: Codes, rows: Mask) -> pa.DictionaryArray:
    """The classes of codes for `rows`, NULL for the others."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=~rows), pa.array(judged.classes, pa.string())
    )


def _likeliest(judged: Judged, rows: Mask) -> Codes:
    predicted = np.zeros(len(rows), dtype=np.int64)
    predicted[rows] = judged.probs[rows].argmax(axis=1)
    return predicted


def _class_probs(judged: Judged, rows: Mask) -> pa.MapArray:
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
