"""One label for each item out of many annotators', by one of several methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.annotators import crowdlab, dawid_skene
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.dawid_skene import ErrorRates
from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.wording import Option, Words

METHODS = ("auto", "majority", "dawid_skene", "crowdlab")


@dataclass(frozen=True)
class Consensus:
    """`labels` (items,), -1 without a vote; `quality` (items,) how likely each is right, NaN
    without; `annotators` (annotators,) how good each is, NaN where nothing tells.
    """

    labels: Codes
    quality: Floats
    annotators: Floats


def check_method(method: str, *, with_model: bool) -> str:
    """The method that is meant: 'auto' is CROWDLAB with a model, else Dawid-Skene.

    >>> check_method("auto", with_model=False)
    'dawid_skene'

    Raises BadOption for an unknown one and for CROWDLAB without a model.
    """
    if method not in METHODS:
        raise BadOption.among("method", method, METHODS)
    if method == "auto":
        return "crowdlab" if with_model else "dawid_skene"
    if method == "crowdlab" and not with_model:
        raise BadOption(
            f"{Option('method', 'crowdlab')} needs x, from which a model learns: "
            f"{Option('x', Words('text'))}, {Option('x', Words('embedding'))}, or "
            f"{Option('x', Words('your own class probabilities'))}. Without x, method may be "
            "'majority' or 'dawid_skene'."
        )
    return method


def reach(votes: Votes, method: str, probs: Floats | None = None) -> Consensus:
    """The consensus by 'majority', 'dawid_skene' or 'crowdlab', which takes `probs`.

    Where no item has two votes, nothing tells good annotators from bad ones: then Dawid-Skene
    is the majority.
    """
    if method == "crowdlab":
        assert probs is not None
        weighed = crowdlab.fit(votes, probs)
        return Consensus(
            weighed.labels, weighed.quality, crowdlab.annotator_quality(votes, weighed)
        )
    labels = counting.majority(votes)
    if method == "majority" or not (votes.per_item > 1).any():
        return Consensus(labels, _smoothed(votes, labels), counting.agreement_with_others(votes))
    fitted = dawid_skene.fit(votes)
    return Consensus(*_likeliest(fitted.probs, labels), fitted.accuracy)


def reach_by(votes: Votes, rates: ErrorRates | None) -> tuple[Codes, Floats]:
    """The labels and quality of a part of a table's items, each (items,); see `Consensus`.

    By error rates that were learned from all of the table; None: by majority.
    """
    labels = counting.majority(votes)
    if rates is None:
        return labels, _smoothed(votes, labels)
    return _likeliest(rates.probabilities(votes), labels)


def _likeliest(probs: Floats, otherwise: Codes) -> tuple[Codes, Floats]:
    labels = counting.most_likely(probs, otherwise)
    quality = probs[np.arange(len(labels)), labels]
    return labels, np.where(labels < 0, np.nan, quality)


def _smoothed(votes: Votes, labels: Codes) -> Floats:
    """The share of the votes for a label, with one more vote that is spread as all votes are.

    Three of three are then worth more than one of one.
    """
    agreeing = counting.agreement(votes, labels) * votes.per_item
    commonness = (votes.per_class / max(int(votes.per_class.sum()), 1))[labels]
    return np.where(labels < 0, np.nan, (agreeing + commonness) / (votes.per_item + 1))
