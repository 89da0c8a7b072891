"""Labels of words that a model is trained on: a head, or a network, a word; read as sequences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels import words
from sqlfuncs.learning.labels.classes import Codes, codes, in_order, refuse_too_many
from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models import word_model
from sqlfuncs.learning.models.decoding import WordDecoder
from sqlfuncs.learning.models.folds import Order
from sqlfuncs.learning.models.sequences import Scheme
from sqlfuncs.learning.models.target import Floats, Whole
from sqlfuncs.learning.rows.base import Reasons, Rows
from sqlfuncs.learning.rows.words import WordLists
from sqlfuncs.learning.tasks.taught import Fitted, Report, Taught, contradicting, rare
from sqlfuncs.statistics import entities

if TYPE_CHECKING:
    from sqlfuncs.learning.models.networks.network import Network
    from sqlfuncs.learning.models.networks.pieces import Pieces

_FEWEST = 2  # rows that have a label, before anything is learned of it
_SHOWN = 3
_LOPSIDED = 0.9  # the share of words of one label above which how many are right says little
_LENGTHS = "the row has not one label for each word"


def read(rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
    """The labels as JSON lists, one for each row of words, and why a row has none."""
    own, x = words.read(rows), rows.field("x")
    lengths = pc.fill_null(pc.list_value_length(x), -1).to_numpy(zero_copy_only=False)
    texts, reasons = list[str | None](), own.reasons.copy()
    for row, (labels, length) in enumerate(zip(own.lists, lengths.tolist(), strict=True)):
        fits = labels is not None and length in (len(labels), -1)
        texts.append(json.dumps(labels, ensure_ascii=False) if fits else None)
        if labels is not None and not fits:
            reasons[row] = _LENGTHS
    return texts, reasons


@dataclass(frozen=True)
class TaughtWords(Taught):
    """A label for each word of each row, as JSON lists. What one row alone has is not learned."""

    texts: Sequence[str]
    way = "words 1"
    loss = "cross_entropy_of_words"
    epochs = 10  # as NoiseBench's: most words have one label, and few steps teach no other

    @cached_property
    def lists(self) -> list[list[str]]:
        """The labels of each row."""
        return [json.loads(text) for text in self.texts]

    @cached_property
    def sentences(self) -> Sentences:
        """Which words are of which row."""
        return Sentences(np.array([len(each) for each in self.lists], dtype=np.int64))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many words each label has, in the order of text."""
        found = dict.fromkeys(sorted({label for each in self.lists for label in each}), 0)
        for each in self.lists:
            for label in each:
                found[label] += 1
        return found

    @cached_property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The labels that two rows or more have, in their order."""
        rows = dict.fromkeys(self.counts, 0)
        for each in self.lists:
            for label in set(each):
                rows[label] += 1
        return in_order(name for name, count in rows.items() if count >= _FEWEST)

    @cached_property
    def codes(self) -> Codes:
        """The place among them of each word's label: (words,); -1 of one that is not learned."""
        return codes([label for each in self.lists for label in each], self.classes)

    @property
    def width(self) -> int:
        """The number of labels."""
        return len(self.classes)

    @cached_property
    def ranks(self) -> Whole:
        """See `Taught.ranks`."""
        return word_model.ranks_of(self.lists)

    def refuse_useless(self) -> None:
        """See `Taught.refuse_useless`. Raises TooManyClasses, too."""
        if len(self.classes) < 2:
            raise TooFewClasses(
                f"it takes two labels of words that {_FEWEST} rows or more have each; there "
                f"{'is' if len(self.classes) == 1 else 'are'} {list(self.classes)}."
            )
        refuse_too_many(len(self.codes), len(self.classes))
        left = [name for name in self.counts if name not in self.classes]
        if left:
            shown = ", ".join(f"'{name}'" for name in left[:_SHOWN])
            more = f" and {len(left) - _SHOWN:,} more" if len(left) > _SHOWN else ""
            work.say_once(f"labels that one row alone has are not learned: {shown}{more}")
        data_warnings.about_spelling(self.classes)

    def warnings(self, contradictions: int) -> list[str]:
        """See `Taught.warnings`."""
        found = rare(self.counts, "the label", of="words")
        commonest, count = max(self.counts.items(), key=lambda each: each[1])
        if count > _LOPSIDED * len(self.codes):
            found.append(
                f"{count / len(self.codes):.0%} of the words have the label '{commonest}': look at "
                "the F1 of entities, not at how many words are right"
            )
        return found + contradicting(contradictions, "other labels as well: one of them is wrong")

    def fit(
        self,
        rows: Rows,
        base: str,
        *,
        folds: int,
        seed: int,
        weights: RowWeights | None,
        report: Report,
    ) -> Fitted:
        """See `Taught.fit`. All words of a sentence are in one fold, and so are its copies."""
        assert isinstance(rows, WordLists)
        order = word_model.order_of(rows, self.lists)
        places = self.sentences.places(order)
        ordered = rows.take(order)
        fold = word_model.folds_of(ordered, folds, seed)
        own = self.codes[places]
        if len(np.unique(fold[own >= 0])) < 2:
            raise NoUsableRows(
                "it takes two different sentences with labels, or more, to learn from."
            )
        each = None if weights is None else np.repeat(weights, self.sentences.lengths)[places]
        model, said = word_model.train(ordered, own, len(self.classes), fold, each, report)
        predicted = np.empty_like(said)
        predicted[places] = said
        return Fitted(model.to_files(), predicted)

    def pieces(self, network: Network, rows: Rows, order: Order, weights: RowWeights) -> Pieces:
        """See `Taught.pieces`: of each sentence one or more."""
        from sqlfuncs.learning.models.networks.pieces import OfWords

        assert isinstance(rows, WordLists)
        return OfWords.of_sentences(network, rows.values, self.codes, weights, order)

    def decoder(self, predicted: Floats, weights: RowWeights | None = None) -> WordDecoder:
        """By what most entities of these labels keep to."""
        return WordDecoder(self.classes, Scheme.of(self.lists))

    def score(self, predicted: Floats, weights: RowWeights | None = None) -> float | None:
        """The F1 of entities, as `evaluate` has it. Says how many words are right."""
        sentences = self.sentences
        known = np.flatnonzero(~sentences.any(np.isnan(predicted[:, 0])))
        if len(known) < 2:
            return None
        own = Sentences(sentences.lengths[known])
        some = predicted[sentences.places(known)]
        said = [each.labels for each in self.decoder(predicted).said(some, words=own)]
        true = [self.lists[row] for row in known.tolist()]
        found = entities.counts(true, said, np.ones(len(true), dtype=np.int64))
        pairs = zip(true, said, strict=True)
        right = sum(a == b for one, other in pairs for a, b in zip(one, other, strict=True))
        f1 = entities.micro(found)["f1"]
        share = right / own.lengths.sum()
        work.say(
            f"of {len(true):,} sentences that it did not see, {share:.1%} of the words are right; "
            f"cv_accuracy, {f1:.3f}, is the F1 of entities"
        )
        return f1
