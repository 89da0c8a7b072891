"""`annotator_quality(tbl, item, annotator, label)`: how good each annotator's labels are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.learning.annotators import annotated
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators.tally import Tally
from sqlfuncs.learning.annotators.votes import Floats
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.statistics import intervals


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
    tally = Tally.of(votes, reached.labels)
    return summarized(votes.annotator_names, votes.classes, tally, reached.annotators)


def summarized(
    names: Sequence[str], classes: Sequence[str], tally: Tally, quality: Floats
) -> pa.StructArray:
    """The function's rows, for annotators whose `names` are in order. `quality` (annotators,)."""
    hits = tally.by_annotator(tally.shared * (tally.labels == tally.truth), len(names))
    n = tally.by_annotator(tally.shared, len(names))
    given = tally.by_annotator(tally.votes, len(names)).astype(np.int64)
    worst = tally.worst_classes(len(names))
    # Their names are in order already, so that equals come by name.
    order = np.argsort(quality, kind="stable")
    shown = [
        quality,
        intervals.ratio(hits, n),
        intervals.wilson(hits, n, -1),
        intervals.wilson(hits, n, 1),
    ]
    ranked, agreement, low, high = (
        pa.array(values[order], mask=np.isnan(values[order])) for values in shown
    )
    named = np.array([*classes], dtype=object)
    return pa.StructArray.from_arrays(
        [
            pa.array(np.array([*names], dtype=object)[order], pa.string()),
            ranked,
            pa.array(given[order], pa.int64()),
            agreement,
            low,
            high,
            pa.array(named[worst[order]], pa.string(), mask=worst[order] < 0),
        ],
        names=[column.name for column in FUNCTION.returns],
    )


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
