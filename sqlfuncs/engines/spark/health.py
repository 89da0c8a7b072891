"""label_health of tables of any size: estimated on a sample, counted on all rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.engines.spark import frames, given_labels, judging, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.labels import text_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SAMPLED = ("flagged", "wrongly_elsewhere")  # columns that count rows, beside those of the class


def label_health(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """A row for each class. Rates and bounds are those of the sample; counts are of all rows."""
    labels = given_labels.read(df, call)
    counts, rows = labels.counts, labels.rows
    if judging.is_held(df, call, labels, frames.MOST_ROWS):
        return frames.on_driver(df, call, call.read)
    most = judging.most_learned(judging.width_of(df, str(call.columns["x"])))
    work.say(
        f"label_health estimates from about {most:,} of {rows:,} rows, drawn by a hash of their "
        "content; rows are counted on all"
    )
    sample = running.collected(judging.drawn(df, call, counts, most=most, rare=False))
    found = call.rows(sample.select(["x", "label"]).rename_columns(call.read))
    return frames.from_arrow(df.sparkSession, _of_all(found, counts, sample.num_rows))


def _of_all(found: pa.Table, counts: Mapping[str, int], sampled: int) -> pa.Table:
    """Counts of a sample as those of the table, in which each class is as common as it is."""
    labels = text_of(found.column("label").combine_chunks()).to_pylist()
    of_all = np.array([counts.get(label, 0) for label in labels])
    of_sample = found.column("rows").to_numpy()
    factor = np.divide(of_all, of_sample, out=np.ones(len(of_all)), where=of_sample > 0)
    for name in _SAMPLED:
        column = found.column(name)
        at = found.schema.get_field_index(name)
        values = column.to_numpy(zero_copy_only=False).astype(float)
        # Those elsewhere lie among rows of the other classes: in the table's proportion.
        times = factor if name == "flagged" else sum(counts.values()) / max(1, sampled)
        scaled = pa.array(np.nan_to_num(values) * times, mask=np.isnan(values))
        if pa.types.is_integer(column.type):
            scaled = pa.array(np.rint(scaled.to_numpy(zero_copy_only=False)), pa.float64())
        found = found.set_column(at, name, scaled.cast(column.type))
    at = found.schema.get_field_index("rows")
    return found.set_column(at, "rows", pa.array(of_all, found.column("rows").type))
