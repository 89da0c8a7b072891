"""Internal: the computing behind `model_strength(issues, label)`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.detection import corrections
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, is_usable


def strength(rows: pa.StructArray) -> pa.StructArray:
    """Whether the model behind a label_issues result knows enough to correct labels: one row."""
    _, codes, probs, _ = judged_rows(rows)
    found = corrections.strength(codes, probs)
    seen = found.evidence
    values = {
        "judged": found.judged,
        "agreement": seen and seen.agreement,
        "agreement_low": seen and seen.agreement_low,
        "majority": seen and seen.majority,
        "kappa": seen and seen.kappa,
        "noise": seen and seen.noise,
        "can_judge": found.reason is None,
        "reason": found.reason,
    }
    return pa.array([values], pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


def judged_rows(rows: pa.StructArray) -> tuple[tuple[str, ...], Codes, Floats, Codes]:
    """The rows of a label_issues result that were judged.

    Their classes, given classes (rows,), probabilities (rows, classes) and places in the table.
    """
    none = np.zeros(0, dtype=np.int64)
    given = registry.read(rows.field("class_probs")).probabilities if len(rows) else None
    if given is None:
        return (), none, np.zeros((0, 0)), none
    keys_kind = labels.kind_of(rows, "class_probs")
    named = labels.as_classes(labels.read(rows), given.classes, keys_kind)
    codes = named.codes(given.classes)
    usable = is_usable(given.reasons) & (codes >= 0)
    usable &= np.asarray(rows.field("not_judged").is_null())
    return given.classes, codes[usable], given.values[usable], np.flatnonzero(usable)


FUNCTION = TableFunction(
    name="_strength",
    compute=strength,
    inputs=("label", "class_probs", "not_judged"),
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
