"""Internal: the computing behind `auto_corrections(issues, key, label)`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.functions.strength import judged_rows
from sqlfuncs.learning.detection import corrections
from sqlfuncs.learning.labels import labels


def proposals(rows: pa.StructArray) -> pa.StructArray:
    """Which rows of a label_issues result to relabel; says why if the model may not judge."""
    names, codes, probs, places = judged_rows(rows)
    proposed = np.zeros(len(rows), dtype=bool)
    reason = corrections.strength(codes, probs).reason
    if reason is not None:
        work.say(f"auto_corrections proposes nothing: {reason}")
    else:
        flagged = np.asarray(rows.field("is_label_issue").fill_null(False))[places]
        named = labels.as_classes(
            labels.read(rows, "suggested_label"), names, labels.kind_of(rows, "class_probs")
        )
        suggested = named.codes(names)[places]
        flagged &= suggested >= 0
        proposed[places] = corrections.worth_making(codes, probs, flagged, suggested)
    return pa.StructArray.from_arrays([pa.array(proposed)], names=["_sf_proposed"])


FUNCTION = TableFunction(
    name="_proposals",
    compute=proposals,
    inputs=(
        LABEL,
        Input("class_probs"),
        Input("not_judged"),
        Input("is_label_issue"),
        Input("suggested_label", "label"),
    ),
    returns=(Column("_sf_proposed", pa.bool_(), "whether to relabel it"),),
)
