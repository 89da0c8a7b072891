"""Internal: which rows of a label_issues result `auto_corrections` may correct."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.functions.spec import LABEL, Column, Input, TableFunction
from sqlfuncs.functions.strength import judged_rows
from sqlfuncs.learning.detection import verification
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.tasks.base import Mask

INPUTS = (
    LABEL,
    Input("class_probs"),
    Input("not_judged"),
    Input("is_label_issue"),
    Input("suggested_label", "label"),
)


def candidates(rows: pa.StructArray) -> pa.StructArray:
    """Which flagged rows have a suggestion that is likelier right than the given label."""
    codes, probs, places, flagged, suggested = suggestions(rows)
    found = np.zeros(len(rows), dtype=bool)
    found[places[verification.candidates(codes, probs, flagged, suggested).places]] = True
    return FUNCTION.result({"_sf_candidate": pa.array(found)})


def suggestions(rows: pa.StructArray) -> tuple[Codes, Floats, Codes, Mask, Codes]:
    """The rows of a label_issues result that were judged.

    Their given classes, probabilities and places in the table, which are flagged with a
    suggestion, and the classes suggested.
    """
    names, codes, probs, places = judged_rows(rows)
    named = labels.as_classes(
        labels.read(rows, "suggested_label"), names, labels.kind_of(rows, "class_probs")
    )
    suggested = named.codes(names)[places]
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))[places]
    return codes, probs, places, flagged & (suggested >= 0), suggested


FUNCTION = TableFunction(
    name="_candidates",
    compute=candidates,
    inputs=INPUTS,
    returns=(Column("_sf_candidate", pa.bool_(), "whether its suggestion is likelier right"),),
)
