"""`evaluate_noisy(tbl, actual, predicted, reviewed_sample)`: accuracy where labels are noisy."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import NoUsableRows
from sqlfuncs.functions.spec import AUTO, Column, CountFunction
from sqlfuncs.learning.tasks import registry
from sqlfuncs.statistics.noisy import accuracies
from sqlfuncs.wording import Snippet


def evaluate_noisy(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """How good predictions are where the labels to compare with are wrong now and then.

    One row: `n`, `reviewed`, `accuracy_given` (by the labels as given), `accuracy` with its 95 %
    interval, as the true labels would show it, and `label_accuracy`, the share of given labels that
    are right, with its own. `reviewed_sample` is a column: the label that a person gave to rows
    drawn at random, NULL elsewhere. Where prediction and given label agree, and where they do not,
    the share that is right is taken from the reviewed rows (double sampling for stratification,
    Cochran 1977, chapter 12). Rows without a given label are left out; a NULL prediction is wrong.

    Of lists of tags (VARCHAR[]) a label is right if it has all of the true ones and no other.
    Numbers are refused: how far off they are hangs on the few that are grossly wrong, of which a
    sample may hold none.
    """
    strata = registry.of_counts(counts, task).agreement(counts).strata()
    n, reviewed = (sum(getattr(each, of) for each in strata) for of in ("rows", "reviewed"))
    if not reviewed:
        raise NoUsableRows(
            f"no row has been reviewed: reviewed_sample is NULL in all {n} rows that have a "
            f"label. Look at some rows drawn at random, {Snippet('rows drawn at random')}, and put "
            "what their label should be into that column; evaluate takes labels as they are."
        )
    accuracy, of_labels = accuracies(strata)
    values = {
        "n": n,
        "reviewed": reviewed,
        "accuracy_given": sum(each.rows for each in strata if each.agrees) / n,
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "label_accuracy": of_labels.value,
        "label_accuracy_low": of_labels.low,
        "label_accuracy_high": of_labels.high,
    }
    return FUNCTION.result({c.name: pa.array([values[c.name]], c.type) for c in FUNCTION.returns})


FUNCTION = CountFunction(
    name="evaluate_noisy",
    compute=evaluate_noisy,
    inputs=("actual", "predicted", "reviewed_sample"),
    may_be_constant=("predicted",),
    takes_tags=True,
    returns=(
        Column("n", pa.int64(), "rows that have a given label"),
        Column("reviewed", pa.int64(), "of these, rows whose true label was looked up"),
        Column("accuracy_given", pa.float64(), "of predictions, by the labels as given"),
        Column("accuracy", pa.float64(), "as the true labels would show it"),
        Column("accuracy_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("accuracy_high", pa.float64(), "the upper end"),
        Column("label_accuracy", pa.float64(), "the share of given labels that are right"),
        Column("label_accuracy_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("label_accuracy_high", pa.float64(), "the upper end"),
    ),
)
