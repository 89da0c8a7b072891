"""Which label each word has, out of sample: taggers that did not see its sentence.

One on what words are like, one on what an encoder says of them, each by itself; then one on what
these two say of a word and of those beside it, since what is likely of a word depends on them
(stacked generalization: Wolpert, Neural Networks 5, 1992; for labels in a row: Cohen, Carvalho,
Stacked Sequential Learning, IJCAI 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs import work
from sqlfuncs.learning.encoders import words as encoders
from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.word_features import sparse_features
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models.folds import canonical_order, fold_numbers
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.rows.words import WordLists

Folds = npt.NDArray[np.int64]

_OF_LETTERS, _OF_STATES, _OF_BOTH = 1.0, 0.01, 1.0  # inverse penalties
_BESIDE = (-1, 0, 1)  # of which words the last tagger hears
_LEAST = 1e-4


def order_of(rows: WordLists, lists: Sequence[list[str] | None]) -> npt.NDArray[np.int64]:
    """The order in which sentences are worked on, by words and labels: however they arrive."""
    different = sorted({tuple(each) for each in lists if each is not None})
    rank = {each: place for place, each in enumerate(different)}
    ranks = [-1 if each is None else rank[tuple(each)] for each in lists]
    return canonical_order(rows.digests(), np.array(ranks, dtype=np.int64))


def folds_of(rows: WordLists, folds: int, seed: int) -> Folds:
    """The fold of each word: (words,). All of a sentence, and of its copies, share one."""
    keys = rows.digests()
    one = np.zeros(len(keys), dtype=np.int64)
    return np.repeat(fold_numbers(keys, one, folds, str(seed)), rows.sentences.lengths)


def out_of_fold(rows: WordLists, codes: Codes, n_classes: int, fold: Folds) -> Floats:
    """How likely each label is for each word: (words, classes), by taggers without its fold.

    `codes` (words,) are their labels, -1 of words that teach nothing; `fold` (words,).
    """
    cuts = len(np.unique(fold))
    by = encoders.of_fast()
    if by is None:
        work.say_once(
            "words are read by their letters and neighbours alone; after pip install "
            "'sqlfuncs[local]' an encoder reads them too"
        )
    with work.task("judging words", (2 if by is None else 3) * cuts) as task:
        said = [_judged(sparse_features(rows.values), codes, n_classes, fold, _OF_LETTERS, task)]
        if by is not None:
            states = by.encode(rows.values)
            states -= states.mean(axis=0)
            states /= np.maximum(states.std(axis=0), 1e-6)
            said.append(_judged(states, codes, n_classes, fold, _OF_STATES, task))
        return _judged(_beside(said, rows.sentences), codes, n_classes, fold, _OF_BOTH, task)


def _judged(
    features: Any, codes: Codes, n_classes: int, fold: Folds, penalty: float, task: work.Task
) -> Floats:
    """Fold by fold, by a head on the others."""
    found = np.zeros((len(codes), n_classes))
    for own in np.unique(fold):
        seen = np.flatnonzero((fold != own) & (codes >= 0))
        unseen = np.flatnonzero(fold == own)
        with heads.one_thread():
            head = heads.fit(features[seen], codes[seen], n_classes, penalty)
        found[unseen] = head.predict(features[unseen])
        task.advance()
    return found


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
