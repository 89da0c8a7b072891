"""How likely the annotators of an item are to disagree, foretold from what the item is.

A label that differs is an error where people agree, and another opinion where they do not. Votes
tell the two apart where there are many of them; a model that learned from the votes on other items
tells it of each item, whatever was said of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sqlfuncs.learning.annotators.annotated import Annotated
from sqlfuncs.learning.annotators.votes import Floats
from sqlfuncs.learning.features.heads import one_thread
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.folds import fold_numbers
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.models.shares_target import SharesTarget
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.statistics.intervals import ratio

_PENALTY = 10.0  # of the slopes, in items
_LEAST = 1e-9  # what varies by less does not vary


def expected(items: Annotated, *, folds: int, seed: int) -> Floats:
    """How likely two annotators of each item give it different labels: (items,), out of sample.

    NaN for items whose x cannot be used. Items with two votes or more teach how likely it is; if
    there are none, it is what the shares of the classes say.
    """
    votes, usable = items.votes, items.usable
    rows = items.x.take(items.places[usable])
    observed, voters = votes.disagreement[usable], votes.per_item[usable]
    evidence = items.given
    if evidence is None:
        shares = ratio(votes.shares()[usable], voters[:, None])
        evidence = _by_models(rows, np.nan_to_num(shares), observed, folds, seed)
    alike = rows.groups(rows.digests())
    numbers = fold_numbers(alike, np.where(np.isnan(observed), -1, 0), folds, f"{seed}.0")
    found = np.full(len(usable), np.nan)
    found[usable] = _foretold(evidence, len(votes.classes), observed, voters - 1, numbers)
    return found


def _by_models(rows: Rows, shares: Floats, observed: Floats, folds: int, seed: int) -> Floats:
    """What heads that did not see a row say of it: (rows, classes, and one more).

    How likely each class is as a label and, where anything is `observed`, how likely two differ.
    """
    if not shares.any():
        return np.full(shares.shape, 1 / shares.shape[1])
    prepared = prepare(rows, SharesTarget(shares, shares.shape[1]))
    probs, _, _ = out_of_sample(prepared, folds=folds, seed=seed)
    if np.isnan(observed).all():
        return probs
    pairs = np.nan_to_num(np.stack([1 - observed, observed], axis=1))
    of_pairs = replace(prepared, target=SharesTarget(pairs[prepared.order], 2))
    differ, _, _ = out_of_sample(of_pairs, folds=folds, seed=seed)
    return np.column_stack([probs, differ[:, 1]])


def _foretold(
    evidence: Floats, n_classes: int, observed: Floats, counts: Codes, numbers: Codes
) -> Floats:
    """The chance of disagreement by a line through what was observed in other folds: (rows,).

    Two labels drawn by the probabilities p differ with 1 minus the sum of p squared. The line says
    what each class's p and its square are worth, and what the heads on pairs add. An item counts
    by its voters but one, as what it shows is the surer the more there are.
    """
    squares = evidence[:, :n_classes] ** 2
    known = ~np.isnan(observed)
    terms = np.column_stack([evidence, squares])
    found: Floats = 1 - squares.sum(axis=1)
    with one_thread():
        for fold in np.unique(numbers):
            taught, own = known & (numbers != fold), numbers == fold
            if taught.any():
                found[own] = _line(terms[taught], observed[taught], counts[taught], terms[own])
    return np.clip(found, 0, 1)


def _line(terms: Floats, observed: Floats, counts: Codes, others: Floats) -> Floats:
    """What ridge regression learns of rows, each as often as it counts, said of others."""
    weights = counts / counts.mean()
    centre, level = (np.average(each, axis=0, weights=weights) for each in (terms, observed))
    spread = np.sqrt(np.average((terms - centre) ** 2, axis=0, weights=weights))
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > _LEAST)
    scaled = (terms - centre) * scale
    weighted = (scaled * weights[:, None]).T
    penalty = _PENALTY * np.eye(terms.shape[1])
    slopes = np.linalg.solve(weighted @ scaled + penalty, weighted @ (observed - level))
    found: Floats = (others - centre) * scale @ slopes + level
    return found
