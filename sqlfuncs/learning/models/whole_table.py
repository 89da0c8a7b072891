"""A whole table judged, each row by models that did not see it.

They learn from all other rows or, where rows are very many, from a sample of them: everything else
is a function of one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption, TooManyClasses
from sqlfuncs.learning.features.features import TextFeatures, VectorFeatures
from sqlfuncs.learning.features.heads import AnyHead, Head, one_thread
from sqlfuncs.learning.labels.classes import MOST_CLASSES, MOST_PROBABILITIES
from sqlfuncs.learning.models import fast, shares
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.folds import Cut, canonical_order
from sqlfuncs.learning.models.kernel import LinearKernel
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.models.out_of_sample import (
    Prepared,
    as_they_arrived,
    cuts_of,
    linear_kernel,
    out_of_sample,
    outvoted,
    prepare,
    salt_of,
)
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.models.shares import Shares
from sqlfuncs.learning.models.target import Floats, Mask, Pooling, Target, Whole
from sqlfuncs.learning.rows.base import Reasons, Rows
from sqlfuncs.learning.rows.voters import Votes
from sqlfuncs.wording import Call, Option

_HeadsOfFolds = dict[tuple[int, int], tuple[AnyHead, ...]]


@dataclass(frozen=True)
class TablePrediction:
    """What is said of the rows of a table, in their order.

    `probs` (rows, width); `reasons` (rows,) why a row could not be judged, or None; `keys` and
    `labels` are digests of contents and the strata of the labels, in one order of their own;
    `outvoted` (rows,) those that surely most of their copies call otherwise; `content` is what a
    linear model sees of the rows, if one does. `fitted` judges other rows, where it was asked for.
    """

    probs: Floats
    reasons: Reasons
    keys: Sequence[bytes]
    labels: Whole
    outvoted: Mask
    content: LinearKernel | None
    fitted: CrossFitted | None


def judge_table(
    rows: Rows,
    target: Target,
    model: str | Recipe,
    votes: Votes | None,
    *,
    folds: int,
    seed: int,
    keeps_heads: bool = False,
) -> TablePrediction:
    """Judge the usable rows of a table. `target` are their labels.

    Raises TooManyClasses, and BadOption for what cannot read the rows, or whose heads cannot be
    kept.
    """
    is_kept_whole = rows.can_be_trained_on and isinstance(model, str) and votes is None
    if is_kept_whole:
        _offer_a_judge(len(rows), target.width)
    target.refuse_too_many()
    if keeps_heads and not is_kept_whole:
        raise BadOption(
            f"{Option('judge', 'name')} keeps what heads learned from texts or embeddings; "
            + _why_not(rows, votes)
        )
    if is_kept_whole and len(rows) > shares.SAMPLE_ROWS:
        return _by_sample(rows, target, cast("str", model), folds, seed)
    prepared = prepare(rows, target, model, votes)
    heads: _HeadsOfFolds = {}

    def keep(cut: int, fold: int, trained: tuple[AnyHead, ...]) -> None:
        heads[cut, fold] = trained

    probs, reasons, pool = out_of_sample(
        prepared, folds=folds, seed=seed, keep=keep if keeps_heads else None
    )
    fitted = None
    if keeps_heads:
        cuts = cuts_of(prepared.groups, prepared.target, folds, seed)
        fitted = _fitted(prepared, heads, pool, None, cuts, folds, seed)
    return TablePrediction(
        probs,
        reasons,
        prepared.keys,
        prepared.target.strata,
        outvoted(prepared) if rows.is_all_there_is else np.zeros(len(rows), dtype=bool),
        linear_kernel(prepared),
        fitted,
    )


def _offer_a_judge(rows: int, n_classes: int) -> None:
    """Raise TooManyClasses where rows and classes are too many at once, and say how to go on."""
    most = MOST_PROBABILITIES // max(1, n_classes)
    if n_classes <= MOST_CLASSES and rows > most:
        judge = Option("judge", "name")
        each = Call("judge_labels", "x", "label", judge)
        raise TooManyClasses(
            f"the probabilities of {n_classes:,} classes for {rows:,} rows would need more memory "
            f"than is sensible. Learn from {most:,} rows or fewer, drawn at random, and keep what "
            f"was learned ({judge}); then each row is judged by itself, however many they are: "
            f"{each}."
        )


def _why_not(rows: Rows, votes: Votes | None) -> str:
    if votes is not None:
        return "votes are learned beside them, and rows that come later may have others."
    if not rows.can_be_trained_on:
        return f"x is {rows.called}."
    return "a network that fine_tune made is trained anew for each fold."


def _by_sample(rows: Rows, target: Target, model: str, folds: int, seed: int) -> TablePrediction:
    keys = rows.digests()
    groups = rows.groups(keys)
    counts = np.bincount(target.strata[target.strata >= 0], minlength=target.strata.max() + 1)
    sampled = Shares.of(counts, len(groups))
    places = np.flatnonzero(sampled.drawn(groups, target.strata, seed))
    drawn = [groups[place] for place in places]
    fitted = learn_sample(
        rows.take(places), target.chosen(places), drawn, model, sampled, folds, seed
    )
    order = canonical_order(keys, target.ranks)
    ordered, known = fitted.judge(rows, groups, order)
    own = target.strata[order]
    unseen = (own >= 0) & ~known[np.arange(len(own)), own]
    ordered_keys, ordered_target = [keys[row] for row in order], target.chosen(order)
    ordered, unseen = ordered_target.with_copies(ordered_keys, ordered, unseen)
    probs, reasons = as_they_arrived(order, ordered, unseen)
    surely_other = np.empty(len(order), dtype=bool)
    surely_other[order] = ordered_target.outvoted(ordered_keys)
    return TablePrediction(
        probs, reasons, ordered_keys, ordered_target.strata, surely_other, None, fitted
    )


def learn_sample(
    rows: Rows,
    target: Target,
    groups: Sequence[bytes],
    model: str,
    sampled: Shares,
    folds: int,
    seed: int,
) -> CrossFitted:
    """The heads of every fold of rows that were `sampled` of a table, and their pool.

    `groups` are the digests of the rows' near duplicates. The pool goes by the rows that would be
    drawn if no class was rare.
    """
    prepared = prepare(rows, target, model)
    heads: _HeadsOfFolds = {}
    weights, is_common = sampled.weights(target.strata), sampled.common_ones(groups, seed)
    ordered_weights = None if weights is None else weights[prepared.order]
    pooled = np.flatnonzero(is_common[prepared.order])
    cuts = cuts_of(prepared.groups, prepared.target, folds, seed)

    def keep(cut: int, fold: int, trained: tuple[AnyHead, ...]) -> None:
        heads[cut, fold] = trained

    def pooling(predictions: Sequence[Floats]) -> Pooling:
        return prepared.target.chosen(pooled).pool([each[pooled] for each in predictions])

    features = prepared.features
    assert isinstance(features, TextFeatures | VectorFeatures)
    _, pool = fast.cross_predict(
        features,
        prepared.views,
        prepared.target,
        np.stack(cuts),
        ordered_weights,
        pooling,
        keep,
    )
    return _fitted(prepared, heads, pool, ordered_weights, cuts, folds, seed)


def _fitted(
    prepared: Prepared,
    heads: _HeadsOfFolds,
    pool: Pooling,
    weights: npt.NDArray[np.float32] | None,
    cuts: Sequence[Whole],
    folds: int,
    seed: int,
) -> CrossFitted:
    """What was learned, to judge others: where a fold has no row, by heads that saw all of them.

    `cuts` (rows,) have the fold of each of the rows.
    """
    features, target = prepared.features, prepared.target
    assert isinstance(features, TextFeatures | VectorFeatures)
    assert isinstance(pool, Pool)
    empty = [
        (at, fold)
        for at, numbers in enumerate(cuts)
        for fold in sorted({*range(folds)} - {*numbers.tolist()})
    ]
    if empty:
        labeled = target.strata >= 0
        with one_thread():
            of_all = fast.fit_heads(
                features,
                [view[labeled] for view in prepared.views],
                target.chosen(labeled),
                None if weights is None else weights[labeled],
            )
        heads |= dict.fromkeys(empty, of_all)
    return CrossFitted(
        features,
        tuple(
            Cut.of(prepared.groups, numbers, folds, salt_of(seed, at))
            for at, numbers in enumerate(cuts)
        ),
        {
            (at, fold): cast("tuple[Head, ...]", heads.get((at, fold), ()))
            for at in range(len(cuts))
            for fold in range(folds)
        },
        pool,
    )
