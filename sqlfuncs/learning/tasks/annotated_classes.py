"""Classes that several annotators gave: what they amount to, and how good each annotator is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.tally import Tally, quality_columns
from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.tasks.base import Columns

_NAMES = (
    "annotator",
    "quality",
    "labels",
    "agreement_with_consensus",
    "agreement_low",
    "agreement_high",
    "worst_class",
)


def consensus(rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
    """The columns of `consensus`."""
    method, votes, row_items, probs = _read(rows, method, folds, seed)
    reached = methods.reach(votes, method, probs)
    order = annotated.items_in_order(row_items)
    unknown = votes.per_item[order] == 0
    labels = np.array(votes.classes, dtype=object)[reached.labels[order]]
    agreement = counting.agreement(votes, reached.labels)[order]
    return {
        **annotated.item_columns(votes, order),
        "consensus_label": pa.array(labels, pa.string(), mask=unknown),
        "consensus_quality": pa.array(reached.quality[order], mask=unknown),
        "agreement": pa.array(agreement, mask=unknown),
    }


def annotators(rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
    """The columns of `annotator_quality`."""
    method, votes, _, probs = _read(rows, method, folds, seed)
    reached = methods.reach(votes, method, probs)
    columns = quality_columns(
        votes.annotator_names,
        votes.classes,
        Tally.of(votes, reached.labels),
        reached.annotators,
    )
    return dict(zip(_NAMES, columns, strict=True))


def _read(
    rows: pa.StructArray, method: str, folds: int, seed: int
) -> tuple[str, Votes, Codes, Floats | None]:
    method = methods.check_method(method, with_model=annotated.has_x(rows.field("x")))
    if method == "crowdlab":
        votes, row_items, probs = annotated.read_with_model(rows, folds=folds, seed=seed)
        return method, votes, row_items, probs
    return method, *annotated.read(rows), None
