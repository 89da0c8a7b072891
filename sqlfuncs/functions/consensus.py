"""`consensus(tbl, item, annotator, label)`: one label for each item out of several annotators'."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, LABEL_OR_TAGS, NUMBERS, Column, Input, TableFunction
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.tasks import registry


def consensus(
    rows: pa.StructArray, *, method: str = "auto", folds: int = 5, seed: int = 0, task: str = AUTO
) -> pa.StructArray:
    """One label for each item out of several annotators', and how likely it is right.

    The table has a row for each label: (item, annotator, label). One row comes back for each
    item, in the order in which items first appear: `item`, `consensus_label`,
    `consensus_quality` (high is good: 0 worst, 1 best), `agreement` (the share of its
    annotators who gave that label), `annotators` (how many there were) and `not_judged` (why an
    item has no consensus; else NULL).

    `x` (named: x := text) is what an item is: text, an embedding or your own out-of-sample class
    probabilities, the same in all rows of an item. A model then has a voice too.

    `method` is 'majority'; 'dawid_skene', which learns what each annotator confuses; 'crowdlab',
    which needs x; 'auto' is 'crowdlab' with x and 'dawid_skene' without. Ties go to what most
    annotators said, then to the class that is more likely by the model, then to the one with more
    votes overall, then to the earlier class. The same label twice by one annotator counts once.

    Labels may be numbers: then the consensus is their mean, with annotators' biases taken off and
    the careless counting less, `consensus_quality` its reliability (the share of the variance that
    is the items' own), between `consensus_low` and `consensus_high` at 95 %. Of tags each is agreed
    on by itself. `x` and 'crowdlab' are for classes. `task` is that of label_issues.

    Errors: an annotator who gave one item different labels, rows of an item that differ in x,
    no label at all.
    """
    check_folds(folds)
    labels = registry.of_labels(rows, task=task)
    return FUNCTION.result(labels.consensus(rows, method, folds, seed))


FUNCTION = TableFunction(
    name="consensus",
    compute=consensus,
    inputs=(
        Input("item", "text"),
        Input("annotator", "text"),
        LABEL_OR_TAGS,
        Input("x", is_optional=True),
    ),
    keeps_rows=False,
    returns=(
        Column("item", "item", "the item, in its own type"),
        Column("consensus_label", "label", "the label its annotators' labels amount to"),
        Column("consensus_quality", pa.float64(), "0 worst .. 1 best"),
        Column("agreement", pa.float64(), "the share of its annotators who gave that label"),
        Column("annotators", pa.int64(), "how many labelled it"),
        Column("consensus_low", pa.float64(), "the least it may be, at 95 %", only=NUMBERS),
        Column("consensus_high", pa.float64(), "the most", only=NUMBERS),
        Column("not_judged", pa.string(), "why an item has no consensus; else NULL"),
    ),
)
