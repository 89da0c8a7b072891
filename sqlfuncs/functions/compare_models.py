"""`compare_models(tbl, actual, before, after)`: two predictions of the same rows."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, NUMBERS, WORDS, Column, CountFunction
from sqlfuncs.learning.tasks import registry


def compare_models(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """Two predictions of the same rows against the truth, in one row.

    `n`, `accuracy_before`, `accuracy_after`, `difference` (after minus before) with its 95 %
    interval (Newcombe 1998, paired, method 10), `error_reduction` (share of the errors that are
    gone), how many rows only one of them has right, and the exact two-sided McNemar `p_value`.

    Where the true labels are numbers (see evaluate), `mae_before` and `mae_after` are their mean
    absolute errors, `difference` is that of these, below 0 where the second is better,
    `error_reduction` the share of the error that is gone, `only_before_nearer` and
    `only_after_nearer` count the rows in which one of them is nearer, and `p_value` is that of a
    paired, two-sided z test. Only rows that have both predictions count. Of lists of tags a
    prediction is right if it has all of them and no other. With `task := 'token_classification'`
    lists are labels of words, a prediction is right if all of them are, and the F1 of entities (see
    evaluate) and the share of words that are right stand beside.
    """
    return FUNCTION.result(registry.of_counts(counts, task).compare(counts))


FUNCTION = CountFunction(
    name="compare_models",
    compute=compare_models,
    inputs=("actual", "before", "after"),
    may_be_constant=("before", "after"),
    told_by="actual",
    takes_tags=True,
    returns=(
        Column("n", pa.int64(), "rows that have a true label"),
        Column("accuracy_before", pa.float64(), "of the first predictions"),
        Column("accuracy_after", pa.float64(), "of the second"),
        Column("difference", pa.float64(), "after minus before"),
        Column("difference_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("difference_high", pa.float64(), "the upper end"),
        Column("error_reduction", pa.float64(), "the share of the errors that are gone"),
        Column("only_before_right", pa.int64(), "rows that only the first has right"),
        Column("only_after_right", pa.int64(), "rows that only the second has right"),
        Column("mae_before", pa.float64(), "mean absolute error of the first", only=NUMBERS),
        Column("mae_after", pa.float64(), "that of the second", only=NUMBERS),
        Column("only_before_nearer", pa.int64(), "rows the first is nearer in", only=NUMBERS),
        Column("only_after_nearer", pa.int64(), "rows the second is nearer in", only=NUMBERS),
        Column("f1_before", pa.float64(), "of entities, of the first", only=WORDS),
        Column("f1_after", pa.float64(), "of the second", only=WORDS),
        Column("word_accuracy_before", pa.float64(), "words the first has right", only=WORDS),
        Column("word_accuracy_after", pa.float64(), "words the second has right", only=WORDS),
        Column("p_value", pa.float64(), "McNemar's, exact and two-sided"),
    ),
)
