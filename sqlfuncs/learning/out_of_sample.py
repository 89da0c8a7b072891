"""Out-of-sample class probabilities: each row judged by models that did not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning import fast, features
from sqlfuncs.learning.classes import Codes, refuse_too_many
from sqlfuncs.learning.folds import Order, canonical_order, digests, fold_numbers, groups
from sqlfuncs.learning.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.inputs import (
    KINDS,
    Embeddings,
    Floats,
    Images,
    Learnable,
    Reasons,
    Tabular,
    Texts,
)
from sqlfuncs.learning.networks.recipe import Recipe
from sqlfuncs.learning.networks.refitted import Refitted
from sqlfuncs.learning.pooling import Pool

REPEATS = 3  # cuts into folds that are averaged: label errors rank a little better than by one


@dataclass(frozen=True)
class Prepared:
    """Rows in the canonical order, ready to train on.

    Their order is decided by their content, so that nothing depends on how they arrived.
    `order` (rows,) says where each came from; `keys` are digests of their contents; rows of one
    of `groups` are near duplicates and share a fold.
    """

    order: Order
    keys: list[bytes]
    groups: list[bytes]
    codes: Codes
    n_classes: int
    features: Learned[AnyHead] | Refitted
    views: list[Any]


def prepare(
    rows: Learnable, codes: Codes, n_classes: int, model: str | Recipe = "fast"
) -> Prepared:
    """Order rows and compute their features. `codes` (rows,) holds the given classes.

    Rows are judged by heads on what `model` says of them, or by networks of that recipe.
    Raises TooManyClasses, and BadOption for rows that the model cannot read.
    """
    refuse_too_many(len(codes), n_classes)
    keys = digests(rows)
    order = canonical_order(keys, codes)
    alike = groups(rows, keys)
    learned, views = _learn(take(rows, order), model)
    return Prepared(
        order,
        [keys[row] for row in order],
        [alike[row] for row in order],
        codes[order],
        n_classes,
        learned,
        views,
    )


def _learn(rows: Learnable, model: str | Recipe) -> tuple[Learned[AnyHead] | Refitted, list[Any]]:
    if isinstance(model, str):
        return features.learn(rows, model)
    if not isinstance(rows, Texts):
        raise BadOption(f"the model was trained on text; it cannot read {KINDS[type(rows)]}.")
    return Refitted(model, rows), []


def out_of_sample(
    prepared: Prepared, *, folds: int, seed: int, weights: RowWeights | None = None
) -> tuple[Floats, Reasons, Pool]:
    """Probabilities (rows, classes), why a row could not be judged (or None), and the pool.

    The first two are in the order in which the rows arrived. A row is not judged if the models that
    did not see it saw no other row of its class. Rows of class -1, which have no label, teach
    nothing and get the mean of all models. `weights` (rows,) say how much each row teaches.
    """
    repeats = 1 if isinstance(prepared.features, Refitted) else REPEATS
    cuts = np.stack(
        [
            fold_numbers(prepared.groups, prepared.codes, folds, f"{seed}.{repeat}")
            for repeat in range(repeats)
        ]
    )
    given, n_classes = prepared.codes, prepared.n_classes
    ordered_weights = None if weights is None else weights[prepared.order]
    if isinstance(prepared.features, Refitted):
        ordered, pool = prepared.features.cross_probabilities(
            prepared.groups, given, n_classes, cuts[0], seed, ordered_weights
        )
    else:
        ordered, pool = fast.cross_probabilities(
            prepared.features, prepared.views, given, n_classes, cuts, ordered_weights
        )
    # Where a row stands in a matrix can change the last bits of its product, so that rows of
    # one content would differ: the first of them speaks for all.
    ordered = ordered[_first_of_each(prepared.keys, prepared.codes)]
    unseen = np.any([_unseen(prepared.codes, prepared.n_classes, cut) for cut in cuts], axis=0)
    probs = np.empty_like(ordered)
    probs[prepared.order] = ordered
    reasons = np.full(len(ordered), None, dtype=object)
    reasons[prepared.order[unseen]] = (
        "no row of other content has this label, so no model could learn it"
    )
    return probs, reasons, pool


def _first_of_each(keys: Sequence[bytes], codes: Codes) -> Order:
    """For each row the place of the first row of its content, labeled or not like itself."""
    first: dict[tuple[bytes, bool], int] = {}
    return np.array(
        [first.setdefault((key, codes[row] < 0), row) for row, key in enumerate(keys)],
        dtype=np.int64,
    )


Places = Sequence[int] | npt.NDArray[np.int64] | npt.NDArray[np.bool_]


@overload
def take(rows: Texts | Embeddings, places: Places) -> Texts | Embeddings: ...
@overload
def take(rows: Learnable, places: Places) -> Learnable: ...
def take(rows: Learnable, places: Places) -> Learnable:
    """Some of the rows, by their places or by a mask."""
    at = np.arange(len(rows.values))[places]
    if np.array_equal(at, np.arange(len(rows.values))):
        return rows
    if isinstance(rows, Tabular | Images):
        return rows.take(at)
    if isinstance(rows, Texts):
        return Texts([rows.values[row] for row in at], rows.reasons[at])
    return Embeddings(rows.values[at], rows.reasons[at])


def _unseen(codes: Codes, n_classes: int, folds: Order) -> npt.NDArray[np.bool_]:
    """Which rows are of a class that no other fold has."""
    labeled = codes >= 0
    counts = np.zeros((folds.max() + 1, n_classes), dtype=np.int64)
    np.add.at(counts, (folds[labeled], codes[labeled]), 1)
    rows = np.arange(len(codes))
    elsewhere = counts.sum(axis=0)[codes] - counts[folds][rows, codes]
    unseen: npt.NDArray[np.bool_] = labeled & (elsewhere == 0)
    return unseen
