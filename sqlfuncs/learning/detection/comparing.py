"""Columns of labels compared, and what is odd in how they are spelt said."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels.compared import Compared, compare

_MOST_COMPARED = 1_000  # different labels whose spelling is looked at; more are no classes


def compared(counts: pa.StructArray, predicted: str, other: str | None = None) -> Compared:
    """`labels.compared.compare`, with a remark on labels that differ only in case or blanks."""
    found = compare(counts, predicted, other)
    for labels in found.different:
        if len(labels) <= _MOST_COMPARED:
            data_warnings.about_spelling(sorted(labels))
    return found
