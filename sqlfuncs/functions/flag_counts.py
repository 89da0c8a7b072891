"""Internal: how many labels are flagged, for the query file detect."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import (
    AUTO,
    LABEL_OR_WORDS,
    NUMBERS,
    TAGS,
    Column,
    Input,
    TableFunction,
)
from sqlfuncs.learning.tasks import registry


def flag_counts(rows: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """How many labels of a label_issues result are flagged: a row for each class, the worst first.

    Of tags for each tag, of words for each of their labels, of numbers for each fifth of them. Of
    `x` the type alone counts, and of `class_probs` whether they are NULL.
    """
    return FUNCTION.result(registry.of_labels(rows, task=task).flag_counts(rows))


FUNCTION = TableFunction(
    name="_flag_counts",
    compute=flag_counts,
    inputs=(
        "x",
        LABEL_OR_WORDS,
        "class_probs",
        "not_judged",
        "is_label_issue",
        Input("suggested_label", "labels"),
    ),
    keeps_rows=False,
    returns=(
        Column("label", "label", "the class, [the tag], [the label of words], or a number amid"),
        Column("least", pa.float64(), "the smallest of these numbers", only=NUMBERS),
        Column("most", pa.float64(), "the largest", only=NUMBERS),
        Column("missing", pa.int64(), "rows that lack the tag and should have it", only=TAGS),
        Column("rows", pa.int64(), "how many have the label; words, where it is of words"),
        Column("flagged", pa.int64(), "of these"),
        Column("flagged_percent", pa.float64(), "the same, of a hundred"),
        Column("most_suggested", "label", "what is suggested instead most often"),
        Column("not_judged", pa.int64(), "rows that could not be judged"),
    ),
)
