"""Classification: each row has one label of a few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.detection import confident, habits, ordered_classes
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.explanation import CALIBRATED
from sqlfuncs.learning.detection.judged import Judged
from sqlfuncs.learning.detection.review_ranking import quality_after_review
from sqlfuncs.learning.detection.verification import candidates
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.tags import KIND as TAGS
from sqlfuncs.learning.labels.words import KIND as WORDS
from sqlfuncs.learning.models.decoding import ClassDecoder, Decoder
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.tasks import (
    annotated_classes,
    evaluated_classes,
    suggested_classes,
    taught_classes,
)
from sqlfuncs.learning.tasks.base import (
    Columns,
    Decisions,
    Options,
    Task,
)
from sqlfuncs.learning.tasks.class_prediction import ClassPrediction, class_probs, likeliest, named
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
            "suggested_label": named(judged, suggested, queued & flagged),
            "predicted_label": named(judged, likeliest(judged, queued), queued),
            "class_probs": class_probs(judged, queued),
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
