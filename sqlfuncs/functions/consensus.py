"""`consensus(tbl, item, annotator, label)`: one label for each item out of several annotators'."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.models.folds import check_folds


def consensus(
    rows: pa.StructArray, *, method: str = "auto", folds: int = 5, seed: int = 0
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

    Errors: an annotator who gave one item different labels, rows of an item that differ in x,
    no label at all.
    """
    with_model = annotated.has_x(rows.field("x"))
    method = methods.check_method(method, with_model=with_model)
    check_folds(folds)
    probs = None
    if method == "crowdlab":
        votes, row_items, probs = annotated.read_with_model(rows, folds=folds, seed=seed)
    else:
        votes, row_items = annotated.read(rows)
    reached = methods.reach(votes, method, probs)
    seen, first = np.unique(row_items[row_items >= 0], return_index=True)
    order = seen[np.argsort(first)]
    unknown = votes.per_item[order] == 0
    items = np.array(votes.item_names, dtype=object)[order]
    labels = np.array(votes.classes, dtype=object)[reached.labels[order]]
    return pa.StructArray.from_arrays(
        [
            pa.array(items, pa.string()),
            pa.array(labels, pa.string(), mask=unknown),
            pa.array(reached.quality[order], mask=unknown),
            pa.array(counting.agreement(votes, reached.labels)[order], mask=unknown),
            pa.array(votes.per_item[order], pa.int64()),
            pa.array(np.full(len(order), "no annotator labelled it"), pa.string(), mask=~unknown),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


FUNCTION = TableFunction(
    name="consensus",
    compute=consensus,
    inputs=(Input("item", "text"), Input("annotator", "text"), LABEL, Input("x", is_optional=True)),
    keeps_rows=False,
    returns=(
        Column("item", "item", "the item, in its own type"),
        Column("consensus_label", "label", "the label its annotators' labels amount to"),
        Column("consensus_quality", pa.float64(), "0 worst .. 1 best"),
        Column("agreement", pa.float64(), "the share of its annotators who gave that label"),
        Column("annotators", pa.int64(), "how many labelled it"),
        Column("not_judged", pa.string(), "why an item has no consensus; else NULL"),
    ),
)
