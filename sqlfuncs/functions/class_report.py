"""`class_report(tbl, actual, predicted)`: precision and recall of each class."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, Column, CountFunction
from sqlfuncs.learning.tasks import registry


def class_report(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """A row per class, in order: class, precision, recall, f1 and support (rows of that class).

    A ratio without a case is 0, as in scikit-learn. Of lists of tags (VARCHAR[]) there is a row for
    each tag; with `task := 'token_classification'` for each type of entity (see evaluate).
    """
    found = registry.of_counts(counts, task).report(counts)
    return FUNCTION.result(
        {
            "class": pa.array(found.names, pa.string()),
            "precision": pa.array(found.precision),
            "recall": pa.array(found.recall),
            "f1": pa.array(found.f1),
            "support": pa.array(found.support),
        }
    )


FUNCTION = CountFunction(
    name="class_report",
    compute=class_report,
    inputs=("actual", "predicted"),
    may_be_constant=("predicted",),
    takes_tags=True,
    returns=(
        Column("class", pa.string(), "the class"),
        Column("precision", pa.float64(), "the share of its predictions that are right"),
        Column("recall", pa.float64(), "the share of its rows that are found"),
        Column("f1", pa.float64(), "the harmonic mean of the two"),
        Column("support", pa.int64(), "rows of that class"),
    ),
)
