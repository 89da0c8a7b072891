"""Internal: the form in which macros compare a label with values of other types."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning.labels import labels

_INPUTS = ("text", "own", "kinds", "moment", "instant", "cast")


def label_form(*given: pa.Array) -> pa.Array:
    """The canonical text of each value, the same for one label. `kinds` is parted by blanks."""
    rows = zip(*(array.cast(pa.string()).to_pylist() for array in given), strict=True)
    return pa.array(
        [labels.form_of(text, own, kinds.split(), *casts) for text, own, kinds, *casts in rows],
        pa.string(),
    )


FUNCTION = ScalarFunction(
    name="_label_form", compute=label_form, inputs=_INPUTS, returns=pa.string()
)
