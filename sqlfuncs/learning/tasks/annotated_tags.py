"""Tags that several annotators gave: each tag by itself, there or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators.consensus import Consensus
from sqlfuncs.learning.annotators.votes import Votes
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.tags import Tags
from sqlfuncs.learning.tasks.base import Columns, Mask
from sqlfuncs.statistics import intervals

_METHODS = ("auto", "majority", "dawid_skene")


def consensus(rows: pa.StructArray, method: str) -> Columns:
    """The columns of `consensus`: how likely all tags are right, as if their errors had no tie."""
    votes, row_items, own, reached = _reached(rows, method)
    order = annotated.items_in_order(row_items)
    known = votes.per_item[order] > 0
    has = np.stack([each.labels for each in reached], axis=1)[order] > 0
    quality = np.prod([each.quality for each in reached], axis=0)[order]
    agreement = _same(votes, _sets(own), np.stack([each.labels for each in reached], axis=1))
    shares = intervals.ratio(
        np.bincount(votes.items, agreement, len(votes.item_names)), votes.per_item
    )[order]
    return {
        **annotated.item_columns(votes, order),
        "consensus_label": own.written(has, known),
        "consensus_quality": pa.array(quality, mask=~known),
        "agreement": pa.array(shares, mask=~known),
    }


def annotators(rows: pa.StructArray, method: str) -> Columns:
    """The columns of `annotator_quality`, the worst first: the mean over tags, by how common."""
    votes, _, own, reached = _reached(rows, method)
    people = len(votes.annotator_names)
    shares = own.given.sum(axis=0) + 1.0
    qualities = np.stack([each.annotators for each in reached])
    quality = np.average(qualities, axis=0, weights=shares)
    shared = votes.per_item[votes.items] > 1
    alike = _same(votes, _sets(own), np.stack([each.labels for each in reached], axis=1))
    hits = np.bincount(votes.annotators, alike & shared, people)
    count = np.bincount(votes.annotators, shared, people)
    order = np.argsort(quality, kind="stable")
    agreement, low, high = (
        each[order]
        for each in (
            intervals.ratio(hits, count),
            intervals.wilson(hits, count, -1),
            intervals.wilson(hits, count, 1),
        )
    )
    return {
        "annotator": pa.array(np.array(votes.annotator_names, dtype=object)[order], pa.string()),
        "quality": pa.array(quality[order], mask=np.isnan(quality[order])),
        "labels": pa.array(votes.per_annotator[order], pa.int64()),
        "agreement_with_consensus": pa.array(agreement, mask=np.isnan(agreement)),
        "agreement_low": pa.array(low, mask=np.isnan(low)),
        "agreement_high": pa.array(high, mask=np.isnan(high)),
    }


def _reached(rows: pa.StructArray, method: str) -> tuple[Votes, Codes, Tags, list[Consensus]]:
    """The votes, whose classes are sets of tags, and the consensus on each tag."""
    if method not in _METHODS:
        raise BadOption.among("method", method, _METHODS)
    annotated.refuse_x(rows, "tags")
    own = tags.read(rows)
    texts = [
        _set_of(own, row) if own.reasons[row] is None else None for row in range(len(own.given))
    ]
    votes, row_items = annotated.read(rows, texts=texts)
    way = methods.check_method(method, with_model=False)
    return votes, row_items, own, [methods.reach(each, way) for each in _of_tags(votes, own)]


def _set_of(own: Tags, row: int) -> str:
    """A set of tags as one text."""
    return json.dumps([own.names[at] for at in np.flatnonzero(own.given[row])])


def _sets(own: Tags) -> dict[str, Mask]:
    return {_set_of(own, row): own.given[row] for row in range(len(own.given))}


def _of_tags(votes: Votes, own: Tags) -> Iterator[Votes]:
    """The same votes on each tag: 0 for lacking it, 1 for having it."""
    sets = tags.coded([json.loads(name) for name in votes.classes], own.names)
    for tag in range(len(own.names)):
        has = sets[:, tag][votes.labels].astype(np.int64)
        yield replace(votes, classes=("0", "1"), labels=has, of_all=None)


def _same(votes: Votes, sets: dict[str, Mask], reached: Codes) -> Mask:
    """Which votes have all tags of the consensus, (items, tags), and no other: (votes,)."""
    said = np.stack([sets[name] for name in votes.classes])[votes.labels]
    same: Mask = (said == (reached[votes.items] > 0)).all(axis=1)
    return same
