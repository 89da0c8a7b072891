"""Numbers that several annotators gave: what they amount to, and how far off each annotator is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.annotators import annotated, number_votes
from sqlfuncs.learning.annotators.number_votes import NumberConsensus
from sqlfuncs.learning.annotators.votes import Votes
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.numbers import Floats, Numbers
from sqlfuncs.learning.tasks.base import Columns

_METHODS = ("auto",)


def consensus(rows: pa.StructArray, method: str) -> Columns:
    """The columns of `consensus`."""
    votes, row_items, own, found = _fitted(rows, method)
    order = annotated.items_in_order(row_items)
    reached = found.numbers[order]
    return {
        **annotated.item_columns(votes, order),
        "consensus_label": own.written(np.nan_to_num(reached), ~np.isnan(reached)),
        "consensus_quality": _known(found.reliability[order]),
        "consensus_low": _known(found.low[order]),
        "consensus_high": _known(found.high[order]),
    }


def annotators(rows: pa.StructArray, method: str) -> Columns:
    """The columns of `annotator_quality`, the worst first."""
    votes, _, _, found = _fitted(rows, method)
    order = np.argsort(found.quality, kind="stable")
    names = np.array(votes.annotator_names, dtype=object)
    return {
        "annotator": pa.array(names[order], pa.string()),
        "quality": _known(found.quality[order]),
        "labels": pa.array(votes.per_annotator[order], pa.int64()),
        "bias": _known(found.bias[order]),
        "noise": _known(found.noise[order]),
    }


def _fitted(rows: pa.StructArray, method: str) -> tuple[Votes, Codes, Numbers, NumberConsensus]:
    if method not in _METHODS:
        raise BadOption.among("method", method, _METHODS)
    annotated.refuse_x(rows, "numbers")
    own = numbers.read(rows)
    texts = [None if np.isnan(value) else repr(value) for value in own.values.tolist()]
    votes, row_items = annotated.read(rows, texts=texts)
    values = np.array([float(name) for name in votes.classes])[votes.labels]
    return votes, row_items, own, number_votes.fit(votes, values)


def _known(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
