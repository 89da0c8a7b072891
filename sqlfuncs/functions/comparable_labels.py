"""Internal: refuses to compare columns of labels that cannot agree."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.labels import Side

_MOST_COMPARED = 1_000  # different labels whose spelling is looked at; more are no classes


def comparable_labels(sides: pa.Array, rows: pa.Array) -> pa.Array:
    """True for each list of sides {name, kind, forms}, of which the first is the truth.

    Raises BadInput where true labels are numbers, or another side has values and none of them.
    """
    for given, count in zip(sides.to_pylist(), rows.to_pylist(), strict=True):
        actual, *others = (Side(side["name"], side["kind"], side["forms"] or []) for side in given)
        labels.refuse_incomparable(actual, int(count or 0), others)
        for other in others:
            names = {*actual.forms, *other.forms}
            if len(names) <= _MOST_COMPARED:
                data_warnings.about_spelling(sorted(names))
    return pa.array([True] * len(rows))


FUNCTION = ScalarFunction(
    name="_comparable_labels",
    compute=comparable_labels,
    inputs=("sides", "rows"),
    returns=pa.bool_(),
)
