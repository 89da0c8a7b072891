"""`models()`: the trained models that llm_classify knows."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import Column, ListFunction
from sqlfuncs.store import stores
from sqlfuncs.store.models import ModelRecord


def models() -> pa.StructArray:
    """Every version of every trained model, a row each, in order of name and version."""
    return as_rows(stores.models().records())


def as_rows(listed: list[ModelRecord]) -> pa.StructArray:
    """Records of models as rows."""
    return pa.array(
        [
            {
                "model": record.name,
                "version": record.version,
                "base": record.base,
                "input": record.kind,
                "rows": record.rows,
                "classes": list(record.classes),
                "cv_accuracy": record.cv_accuracy,
                "seconds": record.seconds,
                "bytes": record.bytes,
                "created_at": int(record.created_at * 1_000_000),
                "fingerprint": record.fingerprint,
                "task": record.task,
            }
            for record in listed
        ],
        pa.struct([(column.name, column.computed_type) for column in COLUMNS]),
    )


COLUMNS = (
    Column("model", pa.string(), "its name"),
    Column("version", pa.int64(), "name@version pins it"),
    Column("base", pa.string(), "what was trained"),
    Column("input", pa.string(), "text, embedding or words"),
    Column("rows", pa.int64(), "how many rows it was trained on"),
    Column("classes", pa.list_(pa.string()), "the labels it can give; none of numbers"),
    Column("cv_accuracy", pa.float64(), "or R squared, or F1 of entities; cross-validated"),
    Column("seconds", pa.float64(), "how long the training took"),
    Column("bytes", pa.int64(), "its size on disk"),
    Column("created_at", pa.timestamp("us"), "when it was trained (UTC)"),
    Column("fingerprint", pa.string(), "of the rows and the recipe it was trained with"),
    Column("task", pa.string(), "classification, multilabel, regression, token_classification"),
)

FUNCTION = ListFunction(name="models", compute=models, returns=COLUMNS)
