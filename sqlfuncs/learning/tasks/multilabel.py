"""Multi-label classification: each row has any number of tags, none included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection import data_warnings, tag_noise
from sqlfuncs.learning.detection.judged_tags import JudgedTags, Learned, judge
from sqlfuncs.learning.detection.tag_noise import TagNoise
from sqlfuncs.learning.labels import tags, words
from sqlfuncs.learning.labels.labels import UNTYPED
from sqlfuncs.learning.models.decoding import Decoder, TagDecoder
from sqlfuncs.learning.rows.base import Rows, is_usable
from sqlfuncs.learning.tasks import (
    annotated_tags,
    counted_flags,
    evaluated_tags,
    likely_words,
    suggested_tags,
    taught_tags,
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
)
from sqlfuncs.learning.tasks.queues import at_random, ranked, worst_first
from sqlfuncs.learning.tasks.reviews import Reviewed
from sqlfuncs.wording import TypeName

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_CUTS = ("auto",)
_METHODS = ("auto", "self_confidence")


@dataclass(frozen=True)
class TagPrediction(Prediction):
    """The rows of a table as they were `judged`, and how likely each of their tags is right.

    `qualities` (judged, tags): given or lacking, 1 of tags that could not be learned; `scores`
    (judged,) those of rows; `flagged` (judged, tags).
    """

    judged: JudgedTags
    qualities: Floats
    scores: Floats
    flagged: Mask

    @property
    def rows(self) -> type[Rows]:
        """What x is."""
        return self.judged.kind

    def issues(self) -> Columns:
        """The columns of `label_issues`, those of tags among them."""
        judged, own = self.judged, self.judged.own
        rows, known = judged.rows, judged.is_predicted
        flagged = np.zeros(own.given.shape, dtype=bool)
        flagged[rows] = self.flagged
        likely = np.nan_to_num(judged.probs) > 0.5
        is_issue = flagged.any(axis=1)
        suggested = np.where(rows[:, None], own.given ^ flagged, likely)
        has_suggestion = is_issue | (known & ~rows)
        quality, confidence = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        quality[rows] = self.scores
        surely = tag_noise.of_rows(np.where(self.flagged, 1 - self.qualities, self.qualities))
        confidence[rows] = surely
        unlabeled = known & ~rows
        confidence[unlabeled] = tag_noise.of_rows(
            np.maximum(judged.probs[unlabeled], 1 - judged.probs[unlabeled])
        )
        return {
            "label_quality": pa.array(quality, mask=~rows),
            "is_label_issue": pa.array(is_issue, mask=~known),
            "suggested_label": own.written(suggested, has_suggestion),
            "suggested_confidence": pa.array(confidence, mask=~has_suggestion),
            "predicted_label": own.written(likely, known),
            "class_probs": _maps(judged, judged.probs, known),
            "tag_qualities": _maps(judged, self._of_table(), rows),
            "missing_tags": own.lists(flagged & ~own.given, rows),
            "wrong_tags": own.lists(flagged & own.given, rows),
            "not_judged": pa.array(judged.reasons, pa.string()),
        }

    def certainty(self) -> Columns:
        """Labels that are surely right: no tag is less likely right than on average."""
        judged = self.judged
        sure = np.zeros(len(judged.rows), dtype=bool)
        sure[judged.rows] = ~self.flagged.any(axis=1) & (self.scores >= np.median(self.scores))
        return {
            "is_well_labeled": pa.array(sure),
            "is_unlabeled": pa.array(judged.is_predicted & ~judged.rows),
        }

    def health(self) -> Columns:
        """A row for each tag: of the rows that have it, how many should not."""
        own, rows = self.judged.own, self.judged.rows
        given = own.given[rows]
        wrong = 1 - self.qualities
        count = given.sum(axis=0)
        rate = (wrong * given).sum(axis=0) / np.maximum(count, 1)
        unknown = (count == 0) | ~self.judged.known
        return {
            "label": own.written(np.eye(len(own.names), dtype=bool), np.ones(len(own.names), bool)),
            "rows": pa.array(count),
            "flagged": pa.array((self.flagged & given).sum(axis=0)),
            "missing": pa.array((self.flagged & ~given).sum(axis=0)),
            "error_rate": pa.array(rate, mask=unknown),
            "wrongly_elsewhere": pa.array((wrong * ~given).sum(axis=0), mask=~self.judged.known),
            "cut": pa.array(["auto"] * len(own.names)),
            "explanation": pa.array([_EXPLANATION] * len(own.names)),
        }

    def _of_table(self) -> Floats:
        values = np.full(self.judged.own.given.shape, np.nan)
        values[self.judged.rows] = self.qualities
        return values


_EXPLANATION = (
    "a row for each tag: error_rate is of the rows that have it, wrongly_elsewhere are rows that "
    "lack it and should have it, by the model's word alone"
)


def _maps(judged: JudgedTags, values: Floats, rows: Mask) -> pa.MapArray:
    """A map of tag to value for `rows`, of the tags that are known; NULL for the others."""
    places = np.flatnonzero(judged.known)
    names = pa.array(judged.own.names, pa.string())
    count = int(rows.sum())
    at = np.tile(places.astype(np.int32), count)
    ends = np.concatenate([[0], np.cumsum(rows) * len(places)]).astype(np.int32)
    return pa.MapArray.from_arrays(
        pa.array(ends),
        names.take(pa.array(at)),
        pa.array(values[rows][:, places].ravel()),
        mask=pa.array(~rows),
    )


_QUEUED = (
    "label_quality",
    "is_label_issue",
    "suggested_label",
    "predicted_label",
    "class_probs",
    "missing_tags",
    "wrong_tags",
)


def _told(own: tags.Tags, new: pa.Array) -> tags.Tags:
    """The same labels among their tags and those that people named."""
    return own.among({tag for each in tags.read_lists(new) for tag in each or []})


def _as_decided(own: tags.Tags, relabelled: Mask, new: pa.Array, excluded: Mask) -> Learned:
    """The tags to learn from, and the rows that teach: those labelled that people kept."""
    decided, is_told = tags.as_codes(new, own.names)
    is_told &= relabelled
    given = np.where(is_told[:, None], decided, own.given)
    return given, (is_usable(own.reasons) | is_told) & ~excluded


class MultiLabel(Task):
    """Labels of any number of tags."""

    name = "multilabel"

    @classmethod
    def is_column(cls, label: pa.Array, kind: str) -> bool:
        """Lists of text."""
        return kind == tags.KIND

    @classmethod
    def refuse_kind(cls, kind: str, name: str) -> None:
        """All but lists of text."""
        if kind not in (tags.KIND, words.KIND, UNTYPED):
            raise BadInput(
                f"{name} holds no lists of text ({TypeName(pa.list_(pa.string()))}), which tags "
                "are. Make a list of each label first, of one tag or of the parts of a text."
            )

    @classmethod
    def refuse_likely_others(cls, rows: pa.StructArray, names: Sequence[str]) -> None:
        """Labels of words: nothing beside them tells that they are none, as x does."""
        likely_words.refuse(rows, names)

    @classmethod
    def judge(cls, rows: pa.StructArray, options: Options) -> TagPrediction:
        """Each tag by itself, with how often people add and forget it reckoned in."""
        check_ways(options, cls.name, _CUTS, _METHODS)
        own, learned = tags.read(rows), None
        reviewed = Reviewed.read(rows)
        if reviewed is not None:
            excluded = reviewed.wrong & ~reviewed.relabelled
            own = _told(own, reviewed.new_label)
            learned = _as_decided(own, reviewed.relabelled, reviewed.new_label, excluded)
        return cls._found(rows, own, learned, options)

    @classmethod
    def _found(
        cls, rows: pa.StructArray, own: tags.Tags, learned: Learned | None, options: Options
    ) -> TagPrediction:
        """By models of the tags as `learned`; as they are given, where that is None."""
        refuse_of_classes(options, cls.name, "judge", "false_flags", "risk")
        judged = judge(
            rows.field("x"),
            own,
            learned,
            model=options.model,
            folds=options.folds,
            seed=options.seed,
        )
        at, known = judged.rows, judged.known
        given, probs = judged.own.given[at][:, known], judged.probs[at][:, known]
        noise = TagNoise.learn(given, probs)
        unseen = np.flatnonzero(known)[~noise.seen].tolist()
        data_warnings.about_unseen_tags([judged.own.names[tag] for tag in unseen])
        corrected = noise.quality(given, probs)
        if judged.is_hard:  # what is said of a tag is all that noise would be learned from
            corrected = np.where(given, probs, 1 - probs)
        qualities, flagged = (
            np.ones(judged.own.given[at].shape),
            np.zeros(judged.own.given[at].shape, bool),
        )
        flagged[:, known] = corrected < 0.5
        qualities[:, known] = corrected
        scores = tag_noise.of_rows(corrected)
        if options.method == "self_confidence":
            qualities[:, known] = np.where(given, probs, 1 - probs)
            scores = tag_noise.moving_average(qualities[:, known])
        return TagPrediction(judged, qualities, scores, flagged)

    @classmethod
    def queue(cls, rows: pa.StructArray, decisions: Decisions, options: Options) -> Columns:
        """The worst first. Rows that are excluded teach nothing; those decided are not queued."""
        own = _told(tags.read(rows), decisions.new_label)
        learned = _as_decided(own, decisions.relabel, decisions.new_label, decisions.exclude)
        found = cls._found(rows, own, learned, options)
        scores = np.full(len(rows), np.inf)
        scores[found.judged.rows] = found.scores
        waiting = found.judged.rows & ~decisions.any
        return ranked(found.issues(), _QUEUED, waiting, worst_first(rows, scores))

    @classmethod
    def verification_queue(
        cls, rows: pa.StructArray, decisions: Decisions, options: Options
    ) -> Columns:
        """The flagged rows that nobody has decided, drawn at random."""
        found = cls._found(rows, tags.read(rows), None, options)
        waiting = ~decisions.any & found.judged.rows
        waiting[found.judged.rows] &= found.flagged.any(axis=1)
        return ranked(found.issues(), _QUEUED, waiting, at_random(rows))

    to_learn = staticmethod(taught_tags.read)
    taught = staticmethod(taught_tags.TaughtTags)

    @classmethod
    def decoder(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> Decoder:
        """By a threshold."""
        return TagDecoder.from_files(classes, files)

    @classmethod
    def consensus(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """What the labels of several annotators amount to."""
        return annotated_tags.consensus(rows, method)

    @classmethod
    def annotators(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """How good each annotator is."""
        return annotated_tags.annotators(rows, method)

    @classmethod
    def suggestions(cls, issues: pa.StructArray, drawn: Mask) -> Suggestions:
        """Nearer to the true tags than those given."""
        return suggested_tags.suggestions(issues)

    flag_counts = staticmethod(counted_flags.of_tags)
    strength = staticmethod(suggested_tags.strength)
    evaluate = staticmethod(evaluated_tags.evaluate)
    report = staticmethod(evaluated_tags.report)
    confusion_matrix = staticmethod(evaluated_tags.confusion_matrix)
    agreement = staticmethod(evaluated_tags.agreement)
    compare = staticmethod(evaluated_tags.compare)
