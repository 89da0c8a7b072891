"""Internal: which rows of a label_issues result `auto_corrections` may correct."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import LABEL_OR_TAGS, Column, Input, TableFunction
from sqlfuncs.learning.detection import verification
from sqlfuncs.learning.tasks.suggested_classes import flagged_rows

INPUTS = (
    LABEL_OR_TAGS,
    Input("class_probs"),
    Input("not_judged"),
    Input("is_label_issue"),
    Input("suggested_label", "labels"),
)


def candidates(rows: pa.StructArray) -> pa.StructArray:
    """Which flagged rows have a suggestion that is likelier right than the given label."""
    codes, probs, places, flagged, suggested = flagged_rows(rows)
    found = np.zeros(len(rows), dtype=bool)
    found[places[verification.candidates(codes, probs, flagged, suggested).places]] = True
    return FUNCTION.result({"_sf_candidate": pa.array(found)})


FUNCTION = TableFunction(
    name="_candidates",
    compute=candidates,
    inputs=INPUTS,
    returns=(Column("_sf_candidate", pa.bool_(), "whether its suggestion is likelier right"),),
)
