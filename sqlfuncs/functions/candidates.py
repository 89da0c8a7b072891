"""Internal: which rows of a label_issues result `auto_corrections` may correct."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import AUTO, LABEL_OR_TAGS, Column, Input, TableFunction
from sqlfuncs.learning.tasks import registry

INPUTS = (
    LABEL_OR_TAGS,
    Input("class_probs"),
    Input("not_judged"),
    Input("is_label_issue"),
    Input("suggested_label", "labels"),
    Input("confidence"),
)


def candidates(rows: pa.StructArray, *, task: str = AUTO) -> pa.StructArray:
    """Which flagged rows have a suggestion that is likelier right than the given label."""
    every = np.ones(len(rows), dtype=bool)
    issues = registry.of(rows, task=task).suggestions(rows, every)
    found = ~every
    found[issues.places[issues.found.places]] = True
    return FUNCTION.result({"_sf_candidate": pa.array(found)})


FUNCTION = TableFunction(
    name="_candidates",
    compute=candidates,
    inputs=INPUTS,
    returns=(Column("_sf_candidate", pa.bool_(), "whether its suggestion is likelier right"),),
)
