"""Internal: says something to the user from inside a query that is written in SQL."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.functions.spec import ScalarFunction


def note(message: pa.Array) -> pa.Array:
    """Say each message and return false for it: what was asked for is not done."""
    for text in message.to_pylist():
        if text is not None:
            work.say(text)
    return pa.array(np.zeros(len(message), dtype=bool))


FUNCTION = ScalarFunction(name="_note", compute=note, inputs=("message",), returns=pa.bool_())
