"""Dawid and Skene's model of annotators: each has error rates, learned with the true labels.

Dawid, Skene: Maximum likelihood estimation of observer error-rates using the EM algorithm
(Applied Statistics 1979). Kept sparse and in logarithms. An annotator of few votes is drawn
towards all annotators taken together, without which somebody with one label would be thought
to be always right or always wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.wording import Option

MAX_CELLS = 200_000_000  # classes by items, or by what annotators said
MAX_STEPS = 200
POOLED_VOTES = 10.0  # how many votes all others count as, for each annotator and true class
PRECISION = 1e-5  # the mean change of an item at which it stops


@dataclass(frozen=True)
class Fitted:
    """How likely each class is, `probs` (items, classes), and each annotator right on a random
    item, `accuracy` (annotators,); and the `rates` at which annotators err.
    """

    probs: Floats
    accuracy: Floats
    rates: ErrorRates


@dataclass(frozen=True)
class ErrorRates:
    """What is known of `annotators`, by their names: what they answered to items of each class.

    Of each answer that somebody gave, a label by an annotator (`labels`, `who`, both (answers,), by
    annotator, then label): to how many items of each true class, as far as that is known, `counts`
    (answers, classes). `prior` (classes,) is how common the classes are among items. Counts of
    parts of a table add up to those of the whole.
    """

    annotators: tuple[str, ...]
    who: Codes
    labels: Codes
    counts: Floats
    prior: Floats

    @cached_property
    def _totals(self) -> Floats:
        totals = np.zeros((len(self.annotators), len(self.prior)))
        np.add.at(totals, self.who, self.counts)
        return totals

    @cached_property
    def _rates_of_all(self) -> Floats:
        by_label = np.zeros((len(self.prior), len(self.prior)))
        np.add.at(by_label, self.labels, self.counts)
        return _pooled(by_label)

    @cached_property
    def accuracy(self) -> Floats:
        """How likely each annotator is right on a random item: (annotators,)."""
        right = self.prior[self.labels] * self.counts[np.arange(len(self.who)), self.labels]
        right /= self._totals[self.who, self.labels] + POOLED_VOTES
        alike = POOLED_VOTES * self.prior * self._rates_of_all.diagonal()
        alone = (alike / (self._totals + POOLED_VOTES)).sum(axis=1)
        accuracy: Floats = np.bincount(self.who, right, len(self.annotators)) + alone
        return accuracy

    def probabilities(self, votes: Votes) -> Floats:
        """How likely each class is, by votes in which the classes are the same: (items, classes).

        An annotator of whom nothing is known errs as all together do.
        """
        answers = _answers(votes)
        n_classes = len(self.prior)
        number = {name: at for at, name in enumerate(self.annotators)}
        place = np.array([number.get(name, -1) for name in votes.annotator_names], dtype=np.int64)
        who = place[answers.annotators]
        known = self.who * n_classes + self.labels
        wanted = who * n_classes + answers.labels
        at = np.searchsorted(known, wanted)
        counts, totals = np.zeros((len(who), n_classes)), np.zeros((len(who), n_classes))
        totals[who >= 0] = self._totals[who[who >= 0]]
        found = (who >= 0) & (np.append(known, -1)[at] == wanted)
        counts[found] = self.counts[at[found]]
        rates = (counts + POOLED_VOTES * self._rates_of_all[answers.labels]) / (
            totals + POOLED_VOTES
        )
        return _softmax(np.log(self.prior) + answers.of_items @ np.log(rates))


@dataclass(frozen=True)
class Counted:
    """What some votes add to error rates.

    Of `answers`: who, labels, (answers,), and counts (answers, classes), as in `ErrorRates`; and
    how many items there are of each class, `items` (classes,).
    """

    who: Codes
    labels: Codes
    counts: Floats
    items: Floats


def count(votes: Votes, rates: ErrorRates) -> Counted:
    """Expected counts of some votes, by what is known of those who gave them."""
    answers, probs = _answers(votes), rates.probabilities(votes)
    items: Floats = probs[votes.per_item > 0].sum(axis=0)
    return Counted(answers.annotators, answers.labels, answers.to_answers @ probs, items)


def prior_of(items: Floats) -> Floats:
    """How common classes are, by how many items there are of each: (classes,)."""
    return _shares(items + 1 / len(items))


@dataclass(frozen=True)
class _Answers:
    """What each annotator ever answered, an answer a row, and which votes those are.

    `annotators`, `labels` (answers,); `of_items` (items, answers), its transpose `to_answers`,
    `of_annotators` (annotators, answers) and `of_labels` (classes, answers) are sparse, 1 where
    they belong together.
    """

    annotators: Codes
    labels: Codes
    of_items: Any
    to_answers: Any
    of_annotators: Any
    of_labels: Any


def fit(votes: Votes, *, pooled_votes: float = POOLED_VOTES) -> Fitted:
    """Labels and error rates by expectation maximisation, begun with the shares of the votes.

    An item without a vote gets the shares of the classes. Raises BadInput where classes and
    items are too many to hold the probability of each.
    """
    answers = _answers(votes)
    has_vote = votes.per_item > 0
    probs = (votes.shares() + 1 / len(votes.classes)) / (votes.per_item + 1)[:, None]
    for _ in range(MAX_STEPS):
        work.check()
        prior = prior_of(probs[has_vote].sum(axis=0))
        counts = answers.to_answers @ probs
        totals = answers.of_annotators @ counts
        pooled = _pooled(answers.of_labels @ counts)
        rates = (counts + pooled_votes * pooled[answers.labels]) / (
            totals[answers.annotators] + pooled_votes
        )
        before, probs = probs, _softmax(np.log(prior) + answers.of_items @ np.log(rates))
        if np.abs(probs - before).sum() < PRECISION * len(probs):
            break
    # The prior times the diagonal of each annotator's matrix; an answer never given has no row.
    right = (prior[answers.labels] * counts[np.arange(len(counts)), answers.labels]) / (
        totals[answers.annotators, answers.labels] + pooled_votes
    )
    alike = pooled_votes * prior * pooled.diagonal() / (totals + pooled_votes)
    rates = ErrorRates(votes.annotator_names, answers.annotators, answers.labels, counts, prior)
    return Fitted(probs, answers.of_annotators @ right + alike.sum(axis=1), rates)


def _answers(votes: Votes) -> _Answers:
    from scipy.sparse import csr_array

    n_items, n_classes = len(votes.item_names), len(votes.classes)
    kinds, vote_kinds = np.unique(votes.annotators * n_classes + votes.labels, return_inverse=True)
    if max(n_items, len(kinds), n_classes) * n_classes > MAX_CELLS:
        raise BadInput(
            f"{n_items} items of {n_classes} classes are too many for "
            f"{Option('method', 'dawid_skene')}. Type {Option('method', 'majority')}."
        )
    annotators, labels = kinds // n_classes, kinds % n_classes

    def together(rows: Codes, columns: Codes, n_rows: int) -> Any:
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_rows, len(kinds)))

    each = np.arange(len(kinds))
    of_items = together(votes.items, vote_kinds, n_items)
    return _Answers(
        annotators,
        labels,
        of_items,
        of_items.T.tocsr(),
        together(annotators, each, len(votes.annotator_names)),
        together(labels, each, n_classes),
    )


def _pooled(counts: Floats) -> Floats:
    """How often all annotators together give a label (rows) to a true class (columns)."""
    # One honest vote and one at random for each class, so that nothing is impossible.
    smoothed = counts + np.eye(len(counts)) + 1 / len(counts)
    rates: Floats = smoothed / smoothed.sum(axis=0)
    return rates


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / counts.sum()
    return shares


def _softmax(logs: Floats) -> Floats:
    exponentials = np.exp(logs - logs.max(axis=1, keepdims=True))
    probs: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probs
