"""`label_health(tbl, x, label)`: how many labels of each class are wrong."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import (
    ANNOTATOR,
    AUTO,
    LABEL_OR_WORDS,
    TAGS,
    VOTES,
    Column,
    TableFunction,
)
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Options


def label_health(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "auto",
    folds: int = 5,
    seed: int = 0,
    task: str = AUTO,
) -> pa.StructArray:
    """How many labels of each class are wrong: a row per class, in the order of the classes.

    `label`; `rows` given it; `flagged` among them, as `label_issues` flags; `error_rate`, the
    estimated share of wrong labels among them (0 .. 1), between `error_rate_low` and
    `error_rate_high`; `confused_with`, the class that the wrong ones most often should be (NULL:
    none); `wrongly_elsewhere`, how many rows of this class are estimated to carry other labels;
    then, the same in each row, `cut` (what flagged rows) and `explanation` (why it, and if
    `auto_corrections` would propose nothing, why).

    The interval is wide on purpose. Its lower end is half the noise that labels show at least
    where the model is surest; its upper end takes all disagreement with the model for wrong
    labels; both are then widened by a 95 % Wilson interval. Where the model is weak, no estimate
    from labels alone is better than that: only looking at a sample of rows is.

    With `key := column, log := decisions`, a decision log, the rates rest on what people decided of
    the rows of the random sample (20 or more: the query file review_queue order=random) and on the
    model's word for the others: prediction-powered inference, whose intervals are far narrower and
    hold at 95 %. A class of which no row was drawn keeps the estimate without.

    Of tags there is a row for each: `flagged` counts rows that have it and should not, `missing`
    those that lack it and should have it, as label_issues flags both. Of labels of words there is a
    row for each of their labels, and rows are words. Of labels that are numbers there is one row,
    whose label is NULL.

    Rates are of labels that are wrong, however far off: `ordered` classes have the same.

    Rows without a label are not counted. Estimates are about the rows that could be judged, and
    NULL for a class of which there is none. Options, `votes` among them, and errors are those of
    `label_issues`.
    """
    options = Options(model=model, cut=cut, method=method, folds=folds, seed=seed)
    return FUNCTION.result(registry.of(rows, task=task).judge(rows, options).health())


FUNCTION = TableFunction(
    name="label_health",
    compute=label_health,
    inputs=("x", LABEL_OR_WORDS, VOTES, ANNOTATOR),
    keeps_rows=False,
    reviews=True,
    returns=(
        Column("label", "label", "the class"),
        Column("rows", pa.int64(), "given it"),
        Column("flagged", pa.int64(), "of these, as label_issues flags"),
        Column("missing", pa.int64(), "rows flagged since they lack the tag", only=TAGS),
        Column("error_rate", pa.float64(), "estimated share of wrong labels among them"),
        Column("error_rate_low", pa.float64(), "the least it may be"),
        Column("error_rate_high", pa.float64(), "the most it may be"),
        Column("confused_with", "label", "what its wrong labels most often should be"),
        Column("wrongly_elsewhere", pa.float64(), "estimated rows of it that have other labels"),
        Column("cut", pa.string(), "what flagged rows"),
        Column("explanation", pa.string(), "why, and whether labels may be corrected"),
    ),
)
