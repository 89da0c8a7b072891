"""`evaluate(tbl, actual, predicted)`: how well predictions agree with the true labels."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, NUMBERS, TAGS, WORDS, Column, CountFunction
from sqlfuncs.learning.tasks import registry


def evaluate(counts: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """How well predictions agree with the true labels, in one row.

    `n`, `correct`, `accuracy` with its 95 % Wilson interval, `macro_f1` and `weighted_f1`. Rows
    without a true label are left out; a NULL prediction is a wrong one.

    Where the true labels are numbers (of FLOAT, DOUBLE or DECIMAL, or `task := 'regression'`),
    these are NULL but for `n`, and `mae`, `rmse` and `r2` stand beside them, each with a 95 %
    interval: the mean absolute error and the root mean squared error, in the unit of the labels,
    and the share of their variance that predictions explain. A row without a prediction has no
    error, is left out, and said.

    Steps of a scale (1, 2, 3) are classes; with `task := 'regression'` the error is how many steps
    predictions are off in the mean, which counts far errors more than near ones.

    Where they are lists of tags (VARCHAR[]), a prediction is right if it has all of them and no
    other; F1 is of tags, `micro_f1` of all together, and `jaccard` the mean over rows of tags in
    common to tags in either.

    `task := 'token_classification'` says that the lists are labels of words, one for each: then a
    prediction is right if all of them are, and `entities`, `precision`, `recall` and `f1` are of
    entities, counted as conlleval does (IOB, IOBES, or IO, where words beside each other that have
    one label are an entity), F1 of their types, and `word_accuracy` is the share of words.
    """
    return FUNCTION.result(registry.of_counts(counts, task).evaluate(counts))


FUNCTION = CountFunction(
    name="evaluate",
    compute=evaluate,
    inputs=("actual", "predicted"),
    may_be_constant=("predicted",),
    told_by="actual",
    takes_tags=True,
    returns=(
        Column("n", pa.int64(), "rows that have a true label"),
        Column("correct", pa.int64(), "of these, how many predictions are right"),
        Column("accuracy", pa.float64(), "their share"),
        Column("accuracy_low", pa.float64(), "the lower end of its 95 % Wilson interval"),
        Column("accuracy_high", pa.float64(), "the upper end"),
        Column("macro_f1", pa.float64(), "the mean F1 of the classes"),
        Column("mae", pa.float64(), "the mean absolute error", only=NUMBERS),
        Column("mae_low", pa.float64(), "the lower end of its 95 % interval", only=NUMBERS),
        Column("mae_high", pa.float64(), "the upper end", only=NUMBERS),
        Column("rmse", pa.float64(), "the root mean squared error", only=NUMBERS),
        Column("rmse_low", pa.float64(), "the lower end of its 95 % interval", only=NUMBERS),
        Column("rmse_high", pa.float64(), "the upper end", only=NUMBERS),
        Column("r2", pa.float64(), "the share of the variance that is explained", only=NUMBERS),
        Column("r2_low", pa.float64(), "the lower end of its 95 % interval", only=NUMBERS),
        Column("r2_high", pa.float64(), "the upper end", only=NUMBERS),
        Column("micro_f1", pa.float64(), "the F1 of all tags together", only=TAGS),
        Column("jaccard", pa.float64(), "tags in common to tags in either, the mean", only=TAGS),
        Column("entities", pa.int64(), "of the true labels", only=WORDS),
        Column("precision", pa.float64(), "of entities: predicted ones that are right", only=WORDS),
        Column("recall", pa.float64(), "of entities: true ones that are found", only=WORDS),
        Column("f1", pa.float64(), "of entities, of all types together", only=WORDS),
        Column("word_accuracy", pa.float64(), "the share of words that are right", only=WORDS),
        Column("weighted_f1", pa.float64(), "the same, weighted by how common they are"),
    ),
)
