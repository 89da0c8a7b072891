"""Out-of-sample class probabilities: each row judged by models that did not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.labels.classes import Codes, refuse_too_many
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.copies import Copies
from sqlfuncs.learning.models.folds import (
    Order,
    are_observations,
    canonical_order,
    each_apart,
    fold_numbers,
)
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.models.networks.refitted import Refitted
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows.base import Floats, Reasons, Rows

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


def prepare(rows: Rows, codes: Codes, n_classes: int, model: str | Recipe = "fast") -> Prepared:
    """Order rows and compute their features. `codes` (rows,) holds the given classes.

    Rows are judged by heads on what `model` says of them, or by networks of that recipe.
    Raises TooManyClasses, and BadOption for rows that the model cannot read.
    """
    refuse_too_many(len(codes), n_classes)
    keys = rows.digests()
    order = canonical_order(keys, codes)
    alike = rows.groups(keys)
    learned, views = _learn(rows.take(order), model)
    return Prepared(
        order,
        [keys[row] for row in order],
        [alike[row] for row in order],
        codes[order],
        n_classes,
        learned,
        views,
    )


def _learn(rows: Rows, model: str | Recipe) -> tuple[Learned[AnyHead] | Refitted, list[Any]]:
    if isinstance(model, str):
        return rows.features(model)
    if rows.texts is None:
        raise BadOption(f"the model was trained on text; it cannot read {rows.called}.")
    return Refitted(model, rows.texts), []


def out_of_sample(prepared: Prepared, *, folds: int, seed: int) -> tuple[Floats, Reasons, Pool]:
    """Probabilities (rows, classes), why a row could not be judged (or None), and the pool.

    The first two are in the order in which the rows arrived. Each row is judged by models that saw
    neither it nor its near duplicates, and by its copies, itself left out. One whose class those
    models did not know is judged by its copies and by how common the classes are, or not at all if
    it has none. Rows of class -1, which have no label, teach nothing, and are judged by all.
    """
    ordered, unseen, pool = _by_models(prepared, prepared.groups, folds, seed, None)
    copies = Copies.of(prepared.keys, prepared.codes, prepared.n_classes)
    of_copies = np.zeros(len(unseen), dtype=bool)
    of_copies[copies.rows] = True
    # Where every row is of one content, there is no model.
    unknown = of_copies & (unseen | ~ordered.any(axis=1))
    ordered[unknown] = _shares(prepared.codes, prepared.n_classes)
    ordered = copies.judge(ordered)
    return *_as_they_arrived(prepared, ordered, unseen & ~of_copies), pool


def outvoted(prepared: Prepared) -> npt.NDArray[np.bool_]:
    """Which rows surely most of their copies call otherwise, in the order in which they arrived."""
    votes = np.empty(len(prepared.codes), dtype=bool)
    copies = Copies.of(prepared.keys, prepared.codes, prepared.n_classes)
    votes[prepared.order] = copies.outvoted()
    return votes


def by_models(
    prepared: Prepared, *, folds: int, seed: int, weights: RowWeights | None = None
) -> tuple[Floats, Reasons, Pool]:
    """The same by models alone, as they will judge other rows of the same kind.

    Where most rows have copies, those to come will be copies too: then rows of one content are
    dealt out one by one. A row is not judged if the models that did not see it saw no other row of
    its class. `weights` (rows,) say how much each row teaches.
    """
    alike = prepared.groups
    if are_observations(prepared.keys, prepared.codes):
        alike = each_apart(prepared.keys, prepared.codes)
    ordered, unseen, pool = _by_models(prepared, alike, folds, seed, weights)
    return *_as_they_arrived(prepared, ordered, unseen), pool


def _by_models(
    prepared: Prepared, groups: list[bytes], folds: int, seed: int, weights: RowWeights | None
) -> tuple[Floats, npt.NDArray[np.bool_], Pool]:
    """Probabilities, and of which rows they are worthless, in the canonical order; the pool.

    Rows of one of `groups` share a fold.
    """
    repeats = 1 if isinstance(prepared.features, Refitted) else REPEATS
    cuts = np.stack(
        [
            fold_numbers(groups, prepared.codes, folds, f"{seed}.{repeat}")
            for repeat in range(repeats)
        ]
    )
    given, n_classes = prepared.codes, prepared.n_classes
    ordered_weights = None if weights is None else weights[prepared.order]
    if isinstance(prepared.features, Refitted):
        ordered, pool = prepared.features.cross_probabilities(
            groups, given, n_classes, cuts[0], seed, ordered_weights
        )
    else:
        ordered, pool = fast.cross_probabilities(
            prepared.features, prepared.views, given, n_classes, cuts, ordered_weights
        )
    unseen = np.any([_unseen(given, n_classes, cut) for cut in cuts], axis=0)
    alike = _alike(prepared.keys, given)
    seen_by_all = np.bincount(alike, unseen) == 0
    return _mean_of(ordered, alike), ~seen_by_all[alike], pool


def _as_they_arrived(
    prepared: Prepared, ordered: Floats, unseen: npt.NDArray[np.bool_]
) -> tuple[Floats, Reasons]:
    probs = np.empty_like(ordered)
    probs[prepared.order] = ordered
    reasons = np.full(len(ordered), None, dtype=object)
    reasons[prepared.order[unseen]] = (
        "no row of other content has this label, so no model could learn it"
    )
    return probs, reasons


def _alike(keys: Sequence[bytes], codes: Codes) -> Order:
    """A number for each row, shared by rows of one content and one class."""
    numbers: dict[tuple[bytes, int], int] = {}
    return np.array(
        [
            numbers.setdefault((key, code), len(numbers))
            for key, code in zip(keys, codes.tolist(), strict=True)
        ],
        dtype=np.int64,
    )


def _mean_of(probs: Floats, alike: Order) -> Floats:
    """For each row the mean of the rows alike: (rows, classes).

    Which of these is in which fold is chance, and where a row stands in a matrix can change the
    last bits of its product. No row is judged by itself so: where models saw one of its copies of
    its own class, that copy was as much left out where they saw it.
    """
    count = int(alike.max()) + 1
    if count == len(alike):
        return probs
    sums = np.zeros((count, probs.shape[1]))
    np.add.at(sums, alike, probs)
    sums /= np.bincount(alike)[:, None]
    means: Floats = sums[alike]
    return means


def _shares(codes: Codes, n_classes: int) -> Floats:
    """How common the classes are: (classes,)."""
    counts = np.bincount(codes[codes >= 0], minlength=n_classes)
    shares: Floats = counts / max(1, counts.sum())
    return shares


def _unseen(codes: Codes, n_classes: int, folds: Order) -> npt.NDArray[np.bool_]:
    """Which rows are of a class that no other fold has."""
    labeled = codes >= 0
    counts = np.zeros((folds.max() + 1, n_classes), dtype=np.int64)
    np.add.at(counts, (folds[labeled], codes[labeled]), 1)
    rows = np.arange(len(codes))
    elsewhere = counts.sum(axis=0)[codes] - counts[folds][rows, codes]
    unseen: npt.NDArray[np.bool_] = labeled & (elsewhere == 0)
    return unseen
