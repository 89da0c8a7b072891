"""Which label each word has: a tagger of linear heads, and what such say of words out of sample.

One head on what words are like, one on what an encoder says of them, each by itself; then one on
what these two say of a word and of those beside it, since what is likely of a word depends on them
(stacked generalization: Wolpert, Neural Networks 5, 1992; for labels in a row: Cohen, Carvalho,
Stacked Sequential Learning, IJCAI 2005).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.errors import DamagedModel, MissingExtra
from sqlfuncs.learning.encoders import words as encoders
from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.heads import Head, RowWeights
from sqlfuncs.learning.features.word_features import WordFeatures
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models.folds import canonical_order, fold_numbers
from sqlfuncs.learning.rows.base import Floats, Rows, Vectors
from sqlfuncs.learning.rows.words import WordLists

Folds = npt.NDArray[np.int64]

ABOUT, ARRAYS = "words_fast.json", "words_fast.safetensors"
_OF_LETTERS, _OF_STATES, _OF_BOTH = 1.0, 0.01, 1.0  # inverse penalties
_BESIDE = (-1, 0, 1)  # of which words the last tagger hears
_LEAST = 1e-4
_READ, _JUDGED = 0.3, 0.8  # how much of all is done by then, about
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class _States:
    """What an encoder says of words, as heads see it: less `centre`, divided by `spread`."""

    by: encoders.WordEncoder
    centre: Vectors
    spread: Vectors

    @classmethod
    def learn(cls, by: encoders.WordEncoder, rows: WordLists) -> tuple[_States, Vectors]:
        states = by.encode(rows.values)
        centre = states.mean(axis=0)
        states -= centre
        spread = np.maximum(states.std(axis=0), _LEAST_SPREAD)
        states /= spread
        return cls(by, centre, spread), states

    def of(self, rows: WordLists) -> Vectors:
        states = self.by.encode(rows.values)
        states -= self.centre
        states /= self.spread
        return states


@dataclass(frozen=True)
class WordModel:
    """A trained tagger: a head on each view of words, and `both` on what these say.

    `states` is None where no encoder read the words that it learned from.
    """

    letters: WordFeatures
    states: _States | None
    heads: tuple[Head, ...]
    both: Head

    def predict(self, rows: Rows) -> Floats:
        """How likely each label is for each word: (words, labels), each row summing to 1."""
        assert isinstance(rows, WordLists)
        views = [self.letters.of(rows.values)]
        if self.states is not None:
            views.append(self.states.of(rows))
        said = [head.predict(view) for head, view in zip(self.heads, views, strict=True)]
        return self.both.predict(_beside(said, rows.sentences))

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        arrays: dict[str, npt.NDArray[Any]] = {"columns": self.letters.columns}
        for name, head in zip(("letters", "states"), self.heads, strict=False):
            arrays |= {f"{name}.{part}": array for part, array in head.state().items()}
        arrays |= {f"both.{part}": array for part, array in self.both.state().items()}
        by = None
        if self.states is not None:
            by = [self.states.by.name, self.states.by.digest]
            arrays |= {"centre": self.states.centre, "spread": self.states.spread}
        return {
            ABOUT: json.dumps({"encoder": by}).encode(),
            ARRAYS: save({name: np.ascontiguousarray(each) for name, each in arrays.items()}),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> WordModel:
        """What `to_files` gave. Raises MissingExtra, DamagedModel where its encoder is not here."""
        from safetensors.numpy import load

        arrays, by = load(files[ARRAYS]), json.loads(files[ABOUT])["encoder"]
        states = None
        if by is not None:
            states = _States(_same_encoder(*by), arrays["centre"], arrays["spread"])
        own = ("letters",) if states is None else ("letters", "states")
        return cls(
            WordFeatures(arrays["columns"]),
            states,
            tuple(_head(arrays, name) for name in own),
            _head(arrays, "both"),
        )


def _head(arrays: Mapping[str, npt.NDArray[np.float32]], name: str) -> Head:
    return Head(arrays[f"{name}.weights"], arrays[f"{name}.bias"])


def _same_encoder(name: str, digest: str) -> encoders.WordEncoder:
    found = encoders.of_fast()
    if found is None:
        raise MissingExtra.needed_for("A model of words that an encoder reads", "local")
    if (found.name, found.digest) != (name, digest):
        raise DamagedModel(
            f"the model reads words with {name}, whose weights here are others than those it was "
            "trained with. Train it again."
        )
    return found


def order_of(rows: WordLists, lists: Sequence[list[str] | None]) -> npt.NDArray[np.int64]:
    """The order in which sentences are worked on, by words and labels: however they arrive."""
    return canonical_order(rows.digests(), ranks_of(lists))


def ranks_of(lists: Sequence[Sequence[str] | None]) -> npt.NDArray[np.int64]:
    """An order of lists of labels: (rows,), equal for equal ones, -1 for none."""
    different = sorted({tuple(each) for each in lists if each is not None})
    rank = {each: place for place, each in enumerate(different)}
    ranks = [-1 if each is None else rank[tuple(each)] for each in lists]
    return np.array(ranks, dtype=np.int64)


def folds_of(rows: WordLists, folds: int, seed: int) -> Folds:
    """The fold of each word: (words,). All of a sentence, and of its copies, share one."""
    keys = rows.digests()
    one = np.zeros(len(keys), dtype=np.int64)
    return np.repeat(fold_numbers(keys, one, folds, str(seed)), rows.sentences.lengths)


def out_of_fold(rows: WordLists, codes: Codes, n_classes: int, fold: Folds) -> Floats:
    """How likely each label is for each word: (words, classes), by taggers without its fold.

    `codes` (words,) are their labels, -1 of words that teach nothing; `fold` (words,).
    """
    return _Learning(rows, codes, n_classes).out_of_fold(fold)[0]


def train(
    rows: WordLists,
    codes: Codes,
    n_classes: int,
    fold: Folds,
    weights: RowWeights | None = None,
    report: Callable[[float], None] = lambda done: None,
) -> tuple[WordModel, Floats]:
    """A tagger that learned from all words, and what those without its fold say of each: as above.

    `weights` (words,) are how much each word counts. Rows are in the order of `order_of`; `report`
    is told how much of all is done, 0 to 1.
    """
    learning = _Learning(rows, codes, n_classes, weights)
    report(_READ)
    predicted, said = learning.out_of_fold(fold)
    report(_JUDGED)
    with work.task("training on words", len(learning.views) + 1) as task:
        fitted = tuple(learning.fitted(view, penalty, task) for view, penalty in learning.views)
        both = learning.fitted(_beside(said, rows.sentences), _OF_BOTH, task)
    return WordModel(learning.letters, learning.states, fitted, both), predicted


class _Learning:
    """Words in views, each with the inverse penalty of its head, and the labels to learn."""

    def __init__(
        self, rows: WordLists, codes: Codes, n_classes: int, weights: RowWeights | None = None
    ) -> None:
        self._sentences = rows.sentences
        self._codes, self._count, self._weights = codes, n_classes, weights
        self.letters, letters = WordFeatures.learn(rows.values)
        self.views: list[tuple[Any, float]] = [(letters, _OF_LETTERS)]
        self.states: _States | None = None
        by = encoders.of_fast()
        if by is None:
            work.say_once(
                "words are read by their letters and neighbours alone; after pip install "
                "'sqlfuncs[local]' an encoder reads them too"
            )
            return
        self.states, states = _States.learn(by, rows)
        self.views.append((states, _OF_STATES))

    def out_of_fold(self, fold: Folds) -> tuple[Floats, list[Floats]]:
        """What taggers without a word's fold say of it, and what each of their heads does."""
        with work.task("judging words", (len(self.views) + 1) * len(np.unique(fold))) as task:
            said = [self._judged(view, penalty, fold, task) for view, penalty in self.views]
            beside = _beside(said, self._sentences)
            return self._judged(beside, _OF_BOTH, fold, task), said

    def fitted(self, view: Any, penalty: float, task: work.Task) -> Head:
        """A head on all words that teach."""
        head = self._head(view, penalty, np.flatnonzero(self._codes >= 0))
        task.advance()
        return head

    def _judged(self, view: Any, penalty: float, fold: Folds, task: work.Task) -> Floats:
        """Fold by fold, by a head on the others."""
        found = np.zeros((len(self._codes), self._count))
        for unseen, seen in self._parts(fold):
            found[unseen] = self._head(view, penalty, seen).predict(view[unseen])
            task.advance()
        return found

    def _parts(self, fold: Folds) -> Iterator[tuple[Folds, Folds]]:
        for own in np.unique(fold):
            seen = np.flatnonzero((fold != own) & (self._codes >= 0))
            yield np.flatnonzero(fold == own), seen

    def _head(self, view: Any, penalty: float, seen: Folds) -> Head:
        weights = None if self._weights is None else self._weights[seen]
        if not len(seen) or (weights is not None and not weights.any()):  # nothing is known
            flat = np.zeros((view.shape[1], self._count), dtype=np.float32)
            return Head(flat, np.zeros(self._count, dtype=np.float32))
        with heads.one_thread():
            return heads.fit(view[seen], self._codes[seen], self._count, penalty, weights)


def _beside(said: Sequence[Floats], sentences: Sentences) -> npt.NDArray[np.float32]:
    """The logarithms of what was said of each word and of its neighbours, 0 without: (words, ...).

    A head has not seen the sentence of a word, nor then those of its neighbours.
    """
    logs = np.hstack([np.log(np.maximum(probs, _LEAST)) for probs in said]).astype(np.float32)
    row = sentences.of_words
    columns = []
    for step in _BESIDE:
        at = np.arange(len(row)) + step
        inside = (at >= 0) & (at < len(row))
        inside[inside] = row[at[inside]] == row[inside]
        own = np.zeros_like(logs)
        own[inside] = logs[at[inside]]
        columns.append(own)
    return np.hstack(columns)
