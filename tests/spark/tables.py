"""Tables for the tests, in Arrow: the same for Spark and for DuckDB."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

NAMES = ("apple", "berry", "cherry")


def vectors(rows: int, seed: int = 0, wrong: float = 0.1, apart: float = 2.4) -> pa.Table:
    """Embeddings of 16 numbers in three classes, some labels of which are wrong: id, x, label."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(len(NAMES), size=rows)
    values = rng.normal(size=(rows, 16)) + apart * np.eye(len(NAMES), 16)[truth]
    given = truth.copy()
    is_wrong = rng.random(rows) < wrong
    given[is_wrong] = rng.integers(len(NAMES), size=int(is_wrong.sum()))
    return pa.table(
        {
            "id": np.arange(rows),
            "x": pa.array(list(values.astype(np.float32)), pa.list_(pa.float32())),
            "label": [NAMES[each] for each in given],
            "true_label": [NAMES[each] for each in truth],
        }
    )


def by_id(table: pa.Table, column: str = "id") -> list[dict[str, object]]:
    """The rows in their order, maps as dictionaries."""
    rows: list[dict[str, object]] = table.sort_by(column).to_pylist(maps_as_pydicts="strict")
    return rows
