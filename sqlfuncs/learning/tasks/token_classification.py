"""Token classification: each word of a sentence has a label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.detection import confident, health, word_noise
from sqlfuncs.learning.detection.judged_words import Learned, judge
from sqlfuncs.learning.labels import tags, words
from sqlfuncs.learning.labels.labels import UNTYPED, kind_of
from sqlfuncs.learning.labels.words import WordLabels
from sqlfuncs.learning.models.decoding import Decoder, WordDecoder
from sqlfuncs.learning.models.sequences import Scheme
from sqlfuncs.learning.rows.base import Reasons, Rows, is_usable
from sqlfuncs.learning.rows.types import type_of
from sqlfuncs.learning.rows.words import WordLists, are_words
from sqlfuncs.learning.tasks import (
    counted_flags,
    evaluated_words,
    stored,
    suggested_words,
    taught_words,
)
from sqlfuncs.learning.tasks.allowed_options import check_ways, refuse_of_classes
from sqlfuncs.learning.tasks.base import (
    Columns,
    Decisions,
    Mask,
    Options,
    Suggestions,
    Task,
    tells_of_no_class,
)
from sqlfuncs.learning.tasks.queues import at_random, ranked, worst_first
from sqlfuncs.learning.tasks.reviews import Reviewed
from sqlfuncs.learning.tasks.word_prediction import WordPrediction
from sqlfuncs.wording import Snippet, TypeName

_QUEUED = (
    "label_quality",
    "is_label_issue",
    "suggested_label",
    "predicted_label",
    "word_issues",
)


class TokenClassification(Task):
    """Labels of words, one for each."""

    name = "token_classification"

    @classmethod
    def is_column(cls, label: pa.Array, kind: str) -> bool:
        """Lists of text beside words, where an engine says so."""
        return kind == words.KIND

    @classmethod
    def is_of(cls, rows: pa.StructArray, name: str) -> bool:
        """Lists of text beside words; or in a label_issues result that says nothing of tags."""
        kind = kind_of(rows, name)
        if kind != tags.KIND:
            return kind == words.KIND
        if "x" in rows.type.names and are_words(rows.field("x").type):
            return True
        return tells_of_no_class(rows)

    @classmethod
    def is_alone(cls, label: pa.Array, kind: str) -> bool:
        """Lists of text of which one names a label twice, as no row has a tag."""
        return super().is_alone(label, kind) or (kind == tags.KIND and tags.name_one_twice(label))

    @classmethod
    def refuse_kind(cls, kind: str, name: str) -> None:
        """All but lists of text."""
        if kind not in (tags.KIND, words.KIND, UNTYPED):
            raise BadInput(
                f"{name} holds no lists of text ({TypeName(pa.list_(pa.string()))}), which labels "
                "of words are: one for each word of a row."
            )

    @classmethod
    def judge(cls, rows: pa.StructArray, options: Options) -> WordPrediction:
        """Words as rows of classes, with the noise reckoned in; sentences by all of their words."""
        own, reviewed = words.read(rows), Reviewed.read(rows)
        learned = None
        if reviewed is not None:
            excluded = reviewed.wrong & ~reviewed.relabelled
            learned = _as_decided(own, reviewed.relabelled, reviewed.new_label, excluded)
        found = cls._found(rows, own, learned, options)
        if not found.judged.judged.any():
            raise NoUsableRows(
                "no word can be judged: people left no row with one of these labels, so no model "
                "could learn them. Judge the table that apply_corrections gives."
            )
        return found

    @classmethod
    def _found(
        cls, rows: pa.StructArray, own: WordLabels, learned: Learned | None, options: Options
    ) -> WordPrediction:
        """By models of labels as `learned`; as they are given, where that is None."""
        refuse_of_classes(options, cls.name, "judge", "false_flags", "risk")
        check_ways(options, cls.name, confident.CUTS, confident.METHODS)
        judged = judge(
            rows.field("x"),
            own,
            learned,
            model=options.model,
            folds=options.folds,
            seed=options.seed,
        )
        found = word_noise.find(*judged.evidence, judged.positions, options.cut, options.method)
        scheme = Scheme.of(own.lists)
        return WordPrediction(judged, found, options.cut, scheme)

    @classmethod
    def queue(cls, rows: pa.StructArray, decisions: Decisions, options: Options) -> Columns:
        """The worst first. Rows that are excluded teach nothing; those decided are not queued."""
        own = words.read(rows)
        learned = _as_decided(own, decisions.relabel, decisions.new_label, decisions.exclude)
        found = cls._found(rows, own, learned, options)
        waiting = found.judged.rows & ~decisions.any
        return ranked(found.issues(), _QUEUED, waiting, worst_first(rows, found.scores))

    @classmethod
    def verification_queue(
        cls, rows: pa.StructArray, decisions: Decisions, options: Options
    ) -> Columns:
        """The flagged rows that nobody has decided, drawn at random."""
        found = cls._found(rows, words.read(rows), None, options)
        waiting = ~decisions.any & found.judged.rows & found.flagged
        return ranked(found.issues(), _QUEUED, waiting, at_random(rows))

    @classmethod
    def beside(cls, x: pa.Array) -> Rows:
        """Words."""
        if not WordLists.is_type(x.type):
            raise BadInput(
                f"x is of type {TypeName(type_of(x))}, and labels of words are learned beside "
                f"{WordLists.example}: one label for each word."
            )
        return WordLists.read(x)

    @classmethod
    def asked(cls, x: pa.Array, model: str) -> Rows:
        """Words. NULL is one of no letter, and an empty list a row like others."""
        if pa.types.is_null(x.type):
            x = x.cast(pa.list_(pa.string()))
        if not WordLists.is_type(x.type):
            raise BadInput(
                f"'{model}' was trained to give a label for each word, and reads "
                f"{WordLists.example}; this is of type {TypeName(type_of(x))}. "
                f"{Snippet('a text as words')} makes words of a text, if those it was trained on "
                "were made like that."
            )
        return WordLists.asked(x)

    @classmethod
    def to_learn(cls, rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
        """A list for each row, where it is as long as that of the words."""
        cls.beside(rows.field("x")[:0])
        return taught_words.read(rows)

    taught = staticmethod(taught_words.TaughtWords)

    @classmethod
    def wrong(cls, rows: pa.StructArray, options: Options) -> tuple[float, int]:
        """Of words: most sentences of a few wrong labels would be wrong."""
        codes, probs = cls.judge(rows, options).judged.evidence
        counts = np.bincount(codes, minlength=probs.shape[1])
        return float(np.nansum(health.health(codes, probs).error_rate * counts)), len(codes)

    restored = staticmethod(stored.of_words)

    @classmethod
    def decoder(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> Decoder:
        """Sequences of labels that may follow each other."""
        return WordDecoder.from_files(classes, files)

    @classmethod
    def suggestions(cls, issues: pa.StructArray, drawn: Mask) -> Suggestions:
        """Nearer to the true labels than those given."""
        return suggested_words.suggestions(issues)

    flag_counts = staticmethod(counted_flags.of_words)
    strength = staticmethod(suggested_words.strength)
    evaluate = staticmethod(evaluated_words.evaluate)
    report = staticmethod(evaluated_words.report)
    compare = staticmethod(evaluated_words.compare)


def _as_decided(own: WordLabels, relabelled: Mask, new: pa.Array, excluded: Mask) -> Learned:
    """The labels to learn from, and the rows that teach: those labelled that people kept.

    What people named that is no list of labels teaches nothing.
    """
    told = tags.read_lists(new)
    is_told = relabelled & np.array([each is not None for each in told], dtype=bool)
    lists = [
        new_list if is_new else old
        for new_list, old, is_new in zip(told, own.lists, is_told.tolist(), strict=True)
    ]
    return lists, (is_usable(own.reasons) | is_told) & ~excluded
