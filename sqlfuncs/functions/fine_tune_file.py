"""`fine_tune_file(tbl, text, label)`: what a hosted fine_tune would send, to look at or keep."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import BadInput, TooFewClasses
from sqlfuncs.functions.spec import LABEL_OR_TAGS, Column, TableFunction
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.llm.openai_tuning import lines, task_of
from sqlfuncs.llm.rows import texts_of


def fine_tune_file(rows: pa.StructArray) -> pa.StructArray:
    """The chats that fine_tune(..., base := 'openai:MODEL') teaches a model, one JSON line a row.

    They are in the words in which llm_classify asks it later; an answer is a label, or a list of
    tags. Rows without text or label are left out.

    Errors: fewer than two classes or tags, labels that are numbers, a column that is no text.
    """
    texts = texts_of(rows.field("text"), "fine_tune_file")
    of = tasks.of_labels(rows)
    given, _ = of.to_learn(rows)
    pairs = [
        (text, label)
        for text, label, use in zip(texts.values, given, is_usable(texts.reasons), strict=True)
        if use and label is not None
    ]
    taught = of.taught([label for _, label in pairs])
    if taught.answers is None:
        raise BadInput("a hosted model learns classes and tags, and these labels are none.")
    if len(taught.classes) < 2:
        raise TooFewClasses(f"it takes two classes or more; there are {list(taught.classes)}.")
    chats = lines(
        task_of(taught.classes, multi=taught.is_multi),
        zip([text for text, _ in pairs], taught.answers, strict=True),
    )
    return pa.StructArray.from_arrays([pa.array(chats, pa.string())], names=["line"])


FUNCTION = TableFunction(
    name="fine_tune_file",
    compute=fine_tune_file,
    inputs=("text", LABEL_OR_TAGS),
    keeps_rows=False,
    returns=(Column("line", pa.string(), "a chat as JSON"),),
)
