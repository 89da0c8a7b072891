"""Out-of-sample predictions: each row judged by models that did not see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.features.beside import Beside
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.features.voters import VoteFeatures
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.folds import (
    Order,
    are_observations,
    canonical_order,
    each_apart,
    fold_numbers,
)
from sqlfuncs.learning.models.kernel import LinearKernel, is_matrix
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.models.networks.refitted import Refitted
from sqlfuncs.learning.models.target import Nested, Pooling, Target
from sqlfuncs.learning.rows.base import Floats, Reasons, Rows
from sqlfuncs.learning.rows.voters import Votes
from sqlfuncs.wording import Option

Keep = Callable[[int, int, tuple[AnyHead, ...]], None]
REPEATS = 3  # cuts into folds that are averaged: label errors rank a little better than by one


@dataclass(frozen=True)
class Prepared:
    """Rows in the canonical order, ready to train on.

    Their order is decided by their content, so that nothing depends on how they arrived.
    `order` (rows,) says where each came from; `keys` are digests of their contents, `told` of these
    and of what votes say; rows of one of `groups` are near duplicates and share a fold; `target`
    are their labels.
    """

    order: Order
    keys: list[bytes]
    told: list[bytes]
    groups: list[bytes]
    target: Target
    features: Learned[AnyHead] | Refitted
    views: list[Any]


def prepare(
    rows: Rows, target: Target, model: str | Recipe = "fast", votes: Votes | None = None
) -> Prepared:
    """Order rows and compute their features. `target` are their given labels.

    Rows are judged by heads on what `model` says of them, or by networks of that recipe; beside
    heads, by one on `votes` on the same rows.
    Raises TooManyClasses, and BadOption for rows that the model cannot read.
    """
    target.refuse_too_many()
    keys = rows.digests()
    told = keys
    if votes is not None:
        told = [key + said for key, said in zip(keys, votes.digests(), strict=True)]
    if rows.are_apart:
        keys = each_apart(keys, target.ranks)
    order = canonical_order(told, target.ranks)
    alike = rows.groups(keys)
    learned, views = _learn(rows.take(order), model)
    if votes is not None:
        learned, views = _beside_votes(learned, views, votes.take(order))
    return Prepared(
        order,
        [keys[row] for row in order],
        [told[row] for row in order],
        [alike[row] for row in order],
        target.chosen(order),
        learned,
        views,
    )


def _learn(rows: Rows, model: str | Recipe) -> tuple[Learned[AnyHead] | Refitted, list[Any]]:
    if isinstance(model, str):
        return rows.features(model)
    if rows.texts is None:
        raise BadOption(f"the model was trained on text; it cannot read {rows.called}.")
    return Refitted(model, rows.texts), []


def _beside_votes(
    learned: Learned[AnyHead] | Refitted, views: list[Any], votes: Votes
) -> tuple[Beside, list[Any]]:
    if isinstance(learned, Refitted):
        raise BadOption(
            "votes are learned beside heads, and a model that fine_tune made is a network; take "
            f"{Option('model', 'fast')}, or let the model vote: a column of what it says."
        )
    said, own = votes.beside()
    return Beside(learned, said, len(views)), [*views, *own]


def _pool(learned: Learned[AnyHead], target: Target, predictions: Sequence[Floats]) -> Pooling:
    """How heads on some features are pooled, from what each predicted of rows it did not see.

    What is beside others stands for all that they say together, be it pooled like that itself.
    """
    if not isinstance(learned, Beside):
        return target.pool(predictions)
    has_votes = isinstance(learned.other, VoteFeatures)
    beside = target.pool_with_votes if has_votes else target.pool_beside
    if not isinstance(learned.inner, Beside):
        return beside(predictions)
    *own, last = predictions
    inner = _pool(learned.inner, target, own)
    return Nested(inner, beside([inner(own), last]))


def out_of_sample(
    prepared: Prepared,
    *,
    folds: int,
    seed: int,
    repeats: int = REPEATS,
    keep: Keep | None = None,
) -> tuple[Floats, Reasons, Pooling]:
    """Predictions (rows, width), why a row could not be judged (or None), and the pool.

    The first two are in the order in which the rows arrived. Each row is judged by models that saw
    neither it nor its near duplicates, and by its copies, itself left out. One whose label those
    models could not learn is judged by its copies, or not at all if it has none. Rows without a
    label teach nothing, and are judged by all. What heads predict is averaged over `repeats` cuts
    into folds. `keep` gets the heads: see `fast.cross_predict`.
    """
    ordered, unseen, pool = _by_models(
        prepared, prepared.groups, folds, seed, repeats=repeats, keep=keep
    )
    ordered, unseen = prepared.target.with_copies(prepared.keys, ordered, unseen)
    return *as_they_arrived(prepared.order, ordered, unseen), pool


def linear_kernel(prepared: Prepared) -> LinearKernel | None:
    """What rows are, in the order in which they arrived; None where views are no matrices."""
    if not prepared.views or not all(map(is_matrix, prepared.views)):
        return None
    places = np.empty(len(prepared.order), dtype=np.int64)
    places[prepared.order] = np.arange(len(places))
    return LinearKernel.of_views(prepared.views, places)


def outvoted(prepared: Prepared) -> npt.NDArray[np.bool_]:
    """Which rows surely most of their copies call otherwise, in the order in which they arrived."""
    votes = np.empty(len(prepared.order), dtype=bool)
    votes[prepared.order] = prepared.target.outvoted(prepared.keys)
    return votes


def by_models(
    prepared: Prepared, *, folds: int, seed: int, weights: RowWeights | None = None
) -> tuple[Floats, Reasons, Pooling]:
    """The same by models alone, as they will judge other rows of the same kind.

    Where most rows have copies, those to come will be copies too: then rows of one content are
    dealt out one by one. A row is not judged if the models that did not see it saw no other row of
    its label. `weights` (rows,) say how much each row teaches.
    """
    alike = prepared.groups
    ranks = prepared.target.ranks
    if are_observations(prepared.keys, ranks):
        alike = each_apart(prepared.keys, ranks)
    ordered, unseen, pool = _by_models(prepared, alike, folds, seed, weights=weights)
    return *as_they_arrived(prepared.order, ordered, unseen), pool


def cuts_of(
    groups: Sequence[bytes], target: Target, folds: int, seed: int, repeats: int = REPEATS
) -> list[Order]:
    """The fold of each row, in each of the cuts over which heads are averaged."""
    return [
        fold_numbers(groups, target.strata, folds, salt_of(seed, repeat))
        for repeat in range(repeats)
    ]


def salt_of(seed: int, repeat: int) -> str:
    """What makes one cut into folds another than the next."""
    return f"{seed}.{repeat}"


def _by_models(
    prepared: Prepared,
    groups: list[bytes],
    folds: int,
    seed: int,
    *,
    weights: RowWeights | None = None,
    repeats: int = REPEATS,
    keep: Keep | None = None,
) -> tuple[Floats, npt.NDArray[np.bool_], Pooling]:
    """Predictions, and of which rows they are worthless, in the canonical order; the pool.

    Rows of one of `groups` share a fold.
    """
    target = prepared.target
    ordered_weights = None if weights is None else weights[prepared.order]
    if isinstance(prepared.features, Refitted):
        cuts = np.stack([fold_numbers(groups, target.strata, folds, salt_of(seed, 0))])
        ordered, pool = prepared.features.cross_predict(
            groups, target, cuts[0], seed, ordered_weights
        )
    else:
        cuts = np.stack(cuts_of(groups, target, folds, seed, repeats))
        ordered, pool = fast.cross_predict(
            prepared.features,
            prepared.views,
            target,
            cuts,
            ordered_weights,
            partial(_pool, prepared.features, target),
            keep,
        )
    unseen = np.any([target.unseen(cut) for cut in cuts], axis=0)
    alike = _alike(prepared.told, target.ranks)
    seen_by_all = np.bincount(alike, unseen) == 0
    return _mean_of(ordered, alike), ~seen_by_all[alike], pool


def as_they_arrived(
    order: Order, ordered: Floats, unseen: npt.NDArray[np.bool_]
) -> tuple[Floats, Reasons]:
    """Predictions, and why a row has none, of rows that were put in this order."""
    probs = np.empty_like(ordered)
    probs[order] = ordered
    reasons = np.full(len(ordered), None, dtype=object)
    reasons[order[unseen]] = "no row of other content has this label, so no model could learn it"
    return probs, reasons


def _alike(keys: Sequence[bytes], ranks: Order) -> Order:
    """A number for each row, shared by rows of one content and one label."""
    numbers: dict[tuple[bytes, int], int] = {}
    return np.array(
        [
            numbers.setdefault((key, rank), len(numbers))
            for key, rank in zip(keys, ranks.tolist(), strict=True)
        ],
        dtype=np.int64,
    )


def _mean_of(predicted: Floats, alike: Order) -> Floats:
    """For each row the mean of the rows alike: (rows, width).

    Which of these is in which fold is chance, and where a row stands in a matrix can change the
    last bits of its product. No row is judged by itself so: where models saw one of its copies of
    its own label, that copy was as much left out where they saw it.
    """
    count = int(alike.max()) + 1
    if count == len(alike):
        return predicted
    sums = np.zeros((count, predicted.shape[1]))
    np.add.at(sums, alike, predicted)
    sums /= np.bincount(alike)[:, None]
    means: Floats = sums[alike]
    return means
