"""`annotator_quality(tbl, item, annotator, label)`: how good each annotator's labels are."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators.tally import Tally, quality_columns
from sqlfuncs.learning.models.folds import check_folds


def annotator_quality(
    rows: pa.StructArray, *, method: str = "auto", folds: int = 5, seed: int = 0
) -> pa.StructArray:
    """How good each annotator's labels are, one row for each, the worst first.

    The table has a row for each label: (item, annotator, label), as for `consensus`, and so are
    `x`, `method` and the errors. The columns: `annotator`; `quality` (high is good: 0 worst, 1
    best); `labels` (how many they gave); `agreement_with_consensus`, the share of their labels that
    are the consensus, on items that somebody else labelled too, with its 95 % Wilson interval
    `agreement_low`, `agreement_high`; `worst_class`, the class they miss most surely: with the
    highest lower end of such an interval for their misses, NULL if they miss none.

    `quality` is by 'majority' how often they say what another annotator of the item says; by
    'dawid_skene' how likely they are right on a random item, drawn towards all annotators where
    they gave few labels; by 'crowdlab' the mean of how likely their labels are right and of
    their agreement with the consensus, weighed as the model and the annotators are. NULL
    where nobody else labelled their items and there is no model.
    """
    with_model = annotated.has_x(rows.field("x"))
    method = methods.check_method(method, with_model=with_model)
    check_folds(folds)
    probs = None
    if method == "crowdlab":
        votes, _, probs = annotated.read_with_model(rows, folds=folds, seed=seed)
    else:
        votes, _ = annotated.read(rows)
    reached = methods.reach(votes, method, probs)
    columns = quality_columns(
        votes.annotator_names,
        votes.classes,
        Tally.of(votes, reached.labels),
        reached.annotators,
    )
    return pa.StructArray.from_arrays(columns, names=[column.name for column in FUNCTION.returns])


FUNCTION = TableFunction(
    name="annotator_quality",
    compute=annotator_quality,
    inputs=(Input("item", "text"), Input("annotator", "text"), LABEL, Input("x", is_optional=True)),
    keeps_rows=False,
    returns=(
        Column("annotator", "annotator", "the annotator, in its own type"),
        Column("quality", pa.float64(), "0 worst .. 1 best"),
        Column("labels", pa.int64(), "how many labels they gave"),
        Column("agreement_with_consensus", pa.float64(), "on items others labelled too"),
        Column("agreement_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("agreement_high", pa.float64(), "the upper end"),
        Column("worst_class", "label", "the class missed most surely; NULL for none"),
    ),
)
