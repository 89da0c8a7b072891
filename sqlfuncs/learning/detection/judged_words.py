"""Rows whose labels are of words, judged: how likely each label is for each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput, BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels.classes import Codes, codes, in_order, refuse_too_many
from sqlfuncs.learning.labels.words import Places, Sentences, WordLabels
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.models.word_model import folds_of, order_of, out_of_fold
from sqlfuncs.learning.rows.base import Reasons, Rows, describe, is_usable, refuse_encoder
from sqlfuncs.learning.rows.types import type_of
from sqlfuncs.learning.rows.words import WordLists, WordProbabilities
from sqlfuncs.wording import Given, Option, TypeName, some

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

Learned = tuple[list[list[str] | None], Mask]  # labels, and the rows that teach: both (rows,)


@dataclass(frozen=True)
class JudgedWords:
    """What is known of each row. Where `reasons` has one, the row was not judged.

    `kind` is what x is, `words` (words,) these, None where x does not say them; `codes` (words,)
    their labels among `names`, -1 without; `probs` (words, names) how likely each is out of sample,
    NaN where nothing is known. Labels that are `known` (names,) could be learned.
    """

    kind: type[Rows]
    sentences: Sentences
    words: list[str] | None
    names: tuple[str, ...]
    codes: Codes
    probs: Floats
    known: Mask
    reasons: Reasons

    @property
    def rows(self) -> Mask:
        """Which rows were judged."""
        return is_usable(self.reasons)

    @property
    def judged(self) -> Mask:
        """Which words were: those of these rows, of which a model could know the label."""
        return self.sentences.words_of(self.rows) & self.known[self.codes]

    @property
    def is_predicted(self) -> Mask:
        """Which rows have probabilities: the judged, and those that have no label."""
        unknown = np.isnan(self.probs[:, 0])
        return (self.sentences.lengths > 0) & ~self.sentences.any(unknown)

    @property
    def evidence(self) -> tuple[Codes, Floats]:
        """Labels and probabilities of the words that were judged, as of rows of classes."""
        words = self.judged
        return self.codes[words], self.probs[words]

    @property
    def positions(self) -> Places:
        """Where these words stand: 1 further each within a sentence, and more between two."""
        return np.flatnonzero(self.judged) + self.sentences.of_words[self.judged]


def judge(
    x: pa.Array, own: WordLabels, learned: Learned | None, *, model: str, folds: int, seed: int
) -> JudgedWords:
    """Judge words by what they are, `x`, and labels that are `learned`; their own if None.

    Raises NoUsableRows, TooFewClasses, TooManyClasses; BadInput for x that is of no words, and
    BadOption for a model that reads none.
    """
    check_folds(folds)
    if not len(x):
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    if WordProbabilities.is_type(x.type):
        return _by_given(WordProbabilities.read(x), own)
    if not WordLists.is_type(x.type):
        raise BadInput(
            f"x is of type {TypeName(type_of(x))}, and labels of words stand beside "
            f"{WordLists.example} or {WordProbabilities.example}."
        )
    way = resolve(model)
    if not isinstance(way, str):
        raise BadOption(
            f"{Option('model', Given(model))} is a network; labels of words are judged by "
            f"{Option('model', 'fast')}."
        )
    refuse_encoder(WordLists.called, way)
    rows = WordLists.read(x)
    sentences, readable = rows.sentences, is_usable(rows.reasons)
    own = own.fit(sentences.lengths)
    reasons = np.where(readable, own.reasons, rows.reasons)
    _refuse_unusable(reasons)
    lists, teaches = (own.lists, is_usable(own.reasons)) if learned is None else learned
    teaches = teaches & readable
    if not teaches.any():
        raise NoUsableRows("people have excluded every row: none is left to learn from.")
    chosen = [each if is_ else None for each, is_ in zip(lists, teaches.tolist(), strict=True)]
    taught = WordLabels(chosen, own.reasons).fit(sentences.lengths)
    names = in_order({label for each in (*own.lists, *taught.lists) for label in each or []})
    refuse_too_many(int(sentences.lengths.sum()), len(names))
    order = order_of(rows, taught.lists)
    places = sentences.places(order)
    fold = folds_of(rows.take(order), folds, seed)
    from_lists = taught.codes(sentences, names)[places]
    known = _learnable(names, from_lists, fold)
    teaching = np.where((from_lists >= 0) & known[from_lists], from_lists, -1)
    probs = np.full((len(places), len(names)), np.nan)
    probs[places] = out_of_fold(rows.take(order), teaching, len(names), fold)
    data_warnings.about_rows(reasons, names)
    every = [word for words in rows.values for word in words]
    return JudgedWords(
        WordLists, sentences, every, names, own.codes(sentences, names), probs, known, reasons
    )


def _by_given(said: WordProbabilities, own: WordLabels) -> JudgedWords:
    """By somebody's probabilities of each word's labels."""
    sentences, maps = said.sentences, said.of_words
    readable = is_usable(said.reasons)
    own = own.fit(np.where(readable, sentences.lengths, -1))
    names = in_order({*own.names(), *maps.classes})
    at = codes(maps.classes, names)
    count = int(sentences.lengths.sum())
    probs, has = np.zeros((count, len(names))), np.zeros((count, len(names)), dtype=bool)
    probs[:, at], has[:, at] = maps.values, maps.has
    probs[~sentences.words_of(readable)] = np.nan
    given = own.codes(sentences, names)
    reasons = np.where(readable, own.reasons, said.reasons)
    lacking = (given >= 0) & ~has[np.arange(count), given]
    of, starts = sentences.of_words, sentences.starts
    for word in np.flatnonzero(lacking)[::-1].tolist():
        row, label = of[word], names[given[word]]
        reasons[row] = f"word {word - starts[row] + 1}: the probabilities have no label '{label}'"
    _refuse_unusable(reasons)
    known = np.ones(len(names), dtype=bool)
    return JudgedWords(WordProbabilities, sentences, None, names, given, probs, known, reasons)


def _learnable(names: Sequence[str], given: Codes, fold: Codes) -> Mask:
    """The labels that words of two folds or more have, so that each is judged by some that has one.

    Raises NoUsableRows for a single sentence, TooFewClasses.
    """
    teaches = given >= 0
    if len(np.unique(fold[teaches])) < 2:
        raise NoUsableRows("it takes two different sentences with labels, or more, to learn from.")
    cuts = int(fold.max()) + 1
    there = np.zeros((len(names), cuts), dtype=bool)
    there[given[teaches], fold[teaches]] = True
    known: Mask = there.sum(axis=1) >= 2
    if known.sum() < 2:
        raise TooFewClasses(
            f"of the labels {int(known.sum())} is on the words of two different sentences or more: "
            "it takes two such labels to learn from."
        )
    rare = [name for name, is_known in zip(names, known.tolist(), strict=True) if not is_known]
    if rare:
        shown = some([f"'{name}'" for name in rare])
        work.say_once(f"labels of too few sentences to be learned are not judged: {shown}")
    return known


def _refuse_unusable(reasons: Reasons) -> None:
    if not is_usable(reasons).any():
        raise NoUsableRows(f"no row can be judged: {describe(reasons)}.")
