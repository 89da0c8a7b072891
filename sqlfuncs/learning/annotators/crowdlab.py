"""CROWDLAB and ActiveLab: votes weighed against a model of the items, and where one more helps.

Goh, Tkachenko, Mueller: CROWDLAB (arXiv 2210.06812), section 3; Goh, Mueller: ActiveLab (arXiv
2301.11856), section 3. Equal to cleanlab.multiannotator's, but on votes as they come instead
of a matrix of items by annotators. `probs` (items, classes) is out of sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sqlfuncs import work
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.statistics.intervals import ratio

_CLIP = 1e-6
_TINY = 1e-30
# Where a temperature is looked for; then finer, between the best and its neighbours.
_TEMPERATURES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0)
_FINER = 4


@dataclass(frozen=True)
class Weighed:
    """The consensus, and what each voice weighs.

    `labels` (items,), -1 without a vote; `probs` (items, classes) after the votes; `annotators`
    (annotators,) and `model` the weights.
    """

    labels: Codes
    probs: Floats
    annotators: Floats
    model: float

    @property
    def quality(self) -> Floats:
        """How likely each consensus label is right: (items,), NaN without a vote."""
        at = self.probs[np.arange(len(self.labels)), self.labels]
        return np.where(self.labels < 0, np.nan, at)


def fit(votes: Votes, probs: Floats) -> Weighed:
    """Weigh votes and model against the majority, and again against what comes of that.

    Where no item has two votes nothing says how good annotators are: then labels stay as
    they were given, and the model alone says how likely each is right.
    """
    first = counting.majority(votes, probs)
    if not (votes.per_item > 1).any():
        return Weighed(first, probs, np.ones(len(votes.annotator_names)), 1.0)
    work.check()
    better = counting.most_likely(_weigh(votes, probs, first).probs, first)
    work.check()
    return _weigh(votes, probs, better)


def _weigh(votes: Votes, probs: Floats, consensus: Codes) -> Weighed:
    n_classes = len(votes.classes)
    shared = votes.per_item > 1
    agreement = counting.agreement(votes, consensus)[shared].mean()
    disagreement = (1 - agreement) / max(n_classes - 1, 1)
    reached = consensus[shared]
    # The error of always saying the commonest class is what a weight of 0 stands for.
    commonest = np.bincount(reached, minlength=n_classes).argmax()
    naive_error = max((reached != commonest).mean(), _CLIP)
    alike = counting.agreement_with_others(votes)
    alike = np.where(np.isnan(alike), np.nanmean(alike), alike)
    annotators = np.maximum(1 - (1 - alike) / naive_error, _CLIP)
    model_error = (probs[shared].argmax(axis=1) != reached).mean()
    mean_votes = votes.per_item[votes.per_item > 0].mean()
    model = float(max(1 - model_error / naive_error, _CLIP) * np.sqrt(mean_votes))
    own = annotators[votes.annotators]
    total = np.bincount(votes.items, weights=own, minlength=len(votes.item_names))
    after = model * probs + disagreement * total[:, None]
    after += (agreement - disagreement) * votes.shares(own)
    return Weighed(consensus, after / (total + model)[:, None], annotators, model)


def annotator_quality(votes: Votes, weighed: Weighed) -> Floats:
    """How good each annotator's labels are: (annotators,), 0 worst to 1 best.

    The mean of how likely their labels are right and, on items with other votes, of how often
    they are the consensus, weighed as model and annotators are; the former alone for somebody
    whose items nobody else labelled (cleanlab gives NaN).
    """
    likely = ratio(
        votes.sum_by_annotator(weighed.probs[votes.items, votes.labels]), votes.per_annotator
    )
    shared = votes.per_item[votes.items] > 1
    agreeing = votes.labels == weighed.labels[votes.items]
    agreed = ratio(votes.sum_by_annotator(shared & agreeing), votes.sum_by_annotator(shared))
    mean_votes = votes.per_item[votes.per_item > 0].mean()
    crowd = weighed.annotators.mean() * mean_votes
    share = weighed.model / (weighed.model + crowd)
    quality: Floats = np.where(np.isnan(agreed), likely, share * likely + (1 - share) * agreed)
    return quality


def active_learning_score(votes: Votes, probs: Floats) -> Floats:
    """How much one more label would help each item: (items,), high is more urgent.

    1 minus cleanlab's score, which is low for those. Items without a vote have one too.
    """
    n_classes = len(votes.classes)
    if (votes.per_item > 1).any():
        probs = at_temperature(probs, best_temperature(votes, probs))
    weighed = fit(votes, probs)
    voices = np.bincount(
        votes.items, weights=weighed.annotators[votes.annotators], minlength=len(votes.item_names)
    )
    known = voices + weighed.model
    likely = np.where(weighed.labels < 0, probs.max(axis=1), weighed.quality)
    # One more annotator of average weight who knows nothing.
    fresh = weighed.annotators.mean() if len(weighed.annotators) else 1.0
    score: Floats = 1 - (likely * known + fresh / n_classes) / (known + fresh)
    return score


def best_temperature(votes: Votes, probs: Floats) -> float:
    """The temperature at which the model's probabilities are most like the votes."""

    def loss(temperature: float) -> float:
        work.check()
        scaled = np.maximum(at_temperature(probs, temperature), _TINY)
        surprise = -np.log(scaled[votes.items, votes.labels])
        return float((surprise / votes.per_item[votes.items]).sum())

    at = int(np.argmin([loss(temperature) for temperature in _TEMPERATURES]))
    around = _TEMPERATURES[max(at - 1, 0) : at + 2]
    finer = [
        step
        for low, high in pairwise(around)
        for step in np.linspace(low, high, _FINER, endpoint=False)
    ]
    return float(min([*finer, around[-1]], key=loss))


def at_temperature(probs: Floats, temperature: float) -> Floats:
    """Probabilities made sharper (below 1) or flatter (above 1).

    >>> at_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    clipped = np.maximum(probs, _TINY)
    logs = np.log(clipped / clipped.sum(axis=1, keepdims=True)) / temperature
    exponentials = np.exp(logs - logs.max(axis=1, keepdims=True))
    scaled: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return scaled
