"""Internal: the computing behind `model_strength(issues, label)`."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, LABEL_OR_TAGS, Column, TableFunction
from sqlfuncs.learning.tasks import registry


def strength(rows: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """Whether the model behind a label_issues result knows enough to correct labels: one row."""
    return FUNCTION.result(registry.of(rows, task=task).strength(rows))


FUNCTION = TableFunction(
    name="_strength",
    compute=strength,
    inputs=(LABEL_OR_TAGS, "class_probs", "not_judged"),
    keeps_rows=False,
    returns=(
        Column("judged", pa.int64(), "rows"),
        Column("agreement", pa.float64(), "of predictions with given labels"),
        Column("agreement_low", pa.float64(), "the lower end of its 95 % interval"),
        Column("majority", pa.float64(), "the share of the commonest label"),
        Column("kappa", pa.float64(), "agreement beyond chance"),
        Column("noise", pa.float64(), "share of wrong labels among the rows it is surest of"),
        Column("can_judge", pa.bool_(), "whether auto_corrections proposes anything"),
        Column("reason", pa.string(), "why it does not; else NULL"),
    ),
)
