"""`fine_tune_file(tbl, text, label)`: what a hosted fine_tune would send, to look at or keep."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import TooFewClasses
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.labels import classes, labels
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.llm.openai_tuning import lines
from sqlfuncs.llm.rows import texts_of
from sqlfuncs.llm.task import Task


def fine_tune_file(rows: pa.StructArray) -> pa.StructArray:
    """The chats that fine_tune(..., base := 'openai:MODEL') teaches a model, one JSON line a row.

    They are in the words in which llm_classify asks it later. Rows without text or label are
    left out.

    Errors: fewer than two classes, a column that is no text.
    """
    texts = texts_of(rows.field("text"), "fine_tune_file")
    given = labels.read(rows).texts.to_pylist()
    pairs = [
        (text, label)
        for text, label, use in zip(texts.values, given, is_usable(texts.reasons), strict=True)
        if use and label is not None
    ]
    distinct = classes.in_order(label for _, label in pairs)
    if len(distinct) < 2:
        raise TooFewClasses(f"it takes two classes or more; there are {list(distinct)}.")
    task = Task.read(list(distinct))
    return pa.StructArray.from_arrays([pa.array(lines(task, pairs), pa.string())], names=["line"])


FUNCTION = TableFunction(
    name="fine_tune_file",
    compute=fine_tune_file,
    inputs=("text", "label"),
    keeps_rows=False,
    returns=(Column("line", pa.string(), "a chat as JSON"),),
)
