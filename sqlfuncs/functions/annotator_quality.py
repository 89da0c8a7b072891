"""`annotator_quality(tbl, item, annotator, label)`: how good each annotator's labels are."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, LABEL_OR_TAGS, NUMBERS, Column, Input, TableFunction
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.tasks import registry


def annotator_quality(
    rows: pa.StructArray, *, method: str = "auto", folds: int = 5, seed: int = 0, task: str = AUTO
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

    Where labels are numbers, `bias` and `noise` are in their unit, and `quality` is the reliability
    of one number. Of tags it is the mean over tags. `task` is that of label_issues.
    """
    check_folds(folds)
    labels = registry.of_labels(rows, task=task)
    return FUNCTION.result(labels.annotators(rows, method, folds, seed))


FUNCTION = TableFunction(
    name="annotator_quality",
    compute=annotator_quality,
    inputs=(
        Input("item", "text"),
        Input("annotator", "text"),
        LABEL_OR_TAGS,
        Input("x", is_optional=True),
    ),
    keeps_rows=False,
    returns=(
        Column("annotator", "annotator", "the annotator, in its own type"),
        Column("quality", pa.float64(), "0 worst .. 1 best"),
        Column("labels", pa.int64(), "how many labels they gave"),
        Column("agreement_with_consensus", pa.float64(), "on items others labelled too"),
        Column("agreement_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("agreement_high", pa.float64(), "the upper end"),
        Column(
            "bias", pa.float64(), "how much higher their numbers are than others'", only=NUMBERS
        ),
        Column("noise", pa.float64(), "the standard deviation of their errors", only=NUMBERS),
        Column("worst_class", "label", "the class missed most surely; NULL for none"),
    ),
)
