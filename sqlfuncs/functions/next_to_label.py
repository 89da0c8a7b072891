"""`next_to_label(tbl, item, annotator, label, x)`: where one more label helps most."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.annotators import annotated, crowdlab
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.wording import Option


def next_to_label(
    rows: pa.StructArray, *, budget: int = 100, folds: int = 5, seed: int = 0
) -> pa.StructArray:
    """The items where one more label helps most, first of all the most urgent one (ActiveLab).

    The table has a row for each label: (item, annotator, label), and a row with a NULL label
    (the annotator may be NULL too) for an item that has none yet. `x` is what an item is: text,
    an embedding or your own out-of-sample class probabilities, the same in all its rows; a
    model learns from the items that have labels.

    At most `budget` rows come back: `item`, `rank` (1 first), `active_learning_score` (high is
    more urgent, 0 where nothing is left to learn, always below 1; 1 minus cleanlab's score, which
    is low for urgent items) and `annotators` (how many labelled it so far). Items that score alike
    come in the order of their text. An item without a usable x is scored by its labels alone.

    Errors: those of `consensus`, and no item with a usable x.
    """
    if budget < 1:
        raise BadOption(f"{Option('budget', budget)} is too few. It has to be 1 or more.")
    check_folds(folds)
    votes, _, probs = annotated.read_with_model(rows, folds=folds, seed=seed)
    scores = crowdlab.active_learning_score(votes, probs)
    # Rounded, so that what differs by its last bits alone is in the order of the items.
    best = np.argsort(-scores.round(counting.DIGITS), kind="stable")[:budget]
    return pa.StructArray.from_arrays(
        [
            pa.array(np.array(votes.item_names, dtype=object)[best], pa.string()),
            pa.array(np.arange(1, len(best) + 1), pa.int64()),
            pa.array(scores[best]),
            pa.array(votes.per_item[best], pa.int64()),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


FUNCTION = TableFunction(
    name="next_to_label",
    compute=next_to_label,
    inputs=(Input("item", "text"), Input("annotator", "text"), LABEL, Input("x")),
    keeps_rows=False,
    returns=(
        Column("item", "item", "the item, in its own type"),
        Column("rank", pa.int64(), "1 is the most urgent"),
        Column("active_learning_score", pa.float64(), "high is more urgent; 0 .. 1"),
        Column("annotators", pa.int64(), "how many labelled it so far"),
    ),
)
