"""`disagreement(tbl, item, annotator, label, x)`: where annotators differ, and where they would."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import disagreement as model
from sqlfuncs.learning.models.folds import check_folds


def disagreement(rows: pa.StructArray, *, folds: int = 5, seed: int = 0) -> pa.StructArray:
    """How far the annotators of each item disagree, and how far they were to be expected to.

    The table has a row for each label: (item, annotator, label), and a row with a NULL label
    (the annotator may be NULL too) for an item that has none yet. `x` is what an item is: text,
    an embedding or your own out-of-sample class probabilities, the same in all its rows.

    One row comes back for each item, in the order in which items first appear: `item`,
    `disagreement` (the share of the pairs of its annotators who gave different labels; NULL for
    fewer than two annotators), `expected_disagreement` (how likely two annotators of such an item
    differ, by models that learned from the votes on other items), `annotators` (how many labelled
    it) and `not_judged` (why nothing is expected; else NULL).

    Where little is expected and one label differs, that label is probably an error; where much is,
    it is another opinion.

    Errors: those of `consensus`, and no item with a usable x.
    """
    check_folds(folds)
    items = annotated.read_with_x(rows)
    votes = items.votes
    expected = model.expected(items, folds=folds, seed=seed)
    seen, first = np.unique(items.row_items, return_index=True)
    order = seen[np.argsort(first)]
    order = order[order >= 0]
    first_row = dict(zip(seen.tolist(), first.tolist(), strict=True))
    reasons = [
        None if items.usable[item] else items.x.reasons[first_row[item]] for item in order.tolist()
    ]
    observed = votes.disagreement[order]
    return pa.StructArray.from_arrays(
        [
            pa.array(np.array(votes.item_names, dtype=object)[order], pa.string()),
            pa.array(observed, mask=np.isnan(observed)),
            pa.array(expected[order], mask=np.isnan(expected[order])),
            pa.array(votes.per_item[order], pa.int64()),
            pa.array(reasons, pa.string()),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


FUNCTION = TableFunction(
    name="disagreement",
    compute=disagreement,
    inputs=(Input("item", "text"), Input("annotator", "text"), LABEL, Input("x")),
    keeps_rows=False,
    returns=(
        Column("item", "item", "the item, in its own type"),
        Column("disagreement", pa.float64(), "the share of pairs of its annotators who differ"),
        Column("expected_disagreement", pa.float64(), "how likely two annotators differ, by x"),
        Column("annotators", pa.int64(), "how many labelled it"),
        Column("not_judged", pa.string(), "why nothing is expected; else NULL"),
    ),
)
