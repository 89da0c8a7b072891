"""`fine_tune` on a table that no process holds: from rows drawn by a hash of their content.

In the shares of `learning.models.shares`: of a rare class more rows are drawn, and each counts for
less in exchange. The same table and seed give the same rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.learning.models.shares import Shares
from sqlfuncs.llm.providers import is_provided

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_CLASSES = 100_000  # that are looked at: more are refused by the training


def fine_tune(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """The row of fine_tune. Of more rows than one process computes, a sample is learned from."""
    del schema  # of the result, which is made here
    count = running.run(df.sparkSession, df.count)
    if count <= frames.MOST_ROWS:
        return frames.on_driver(df, call, call.read)
    sample, sampled = drawn(df, call)
    return frames.on_driver(sample, sampled, sampled.read)


def drawn(df: DataFrame, call: Call) -> tuple[DataFrame, Call]:
    """Rows to learn from, and the call on them. Where rows count differently, `weights` says so.

    Rows without a label, and those to be dropped, are not among them.
    """
    from pyspark.sql import functions as f

    given = {name: column for name, column in call.columns.items() if isinstance(column, str)}
    rows = df.select(*(frames.column(each).alias(n) for n, each in given.items()))
    rows = rows.where(f.col("x").isNotNull() & f.col("label").isNotNull())
    if "drop" in given:
        rows = rows.where(~f.coalesce(f.col("drop"), f.lit(False)))
    counts = rows.groupBy("label").agg(f.count("*").alias("rows")).limit(_MOST_CLASSES)
    found = running.collected(counts)
    of_class = found["rows"].to_numpy()
    total = int(of_class.sum())
    shares = Shares.of(of_class, total)
    own = found.select(["label"]).append_column("share", pa.array(shares.by_class))
    rows = rows.join(f.broadcast(df.sparkSession.createDataFrame(own)), on="label", how="inner")
    at = f.xxhash64(f.lit(f"{call.options.get('seed', 0)}.sample"), "x") / 2.0**64 + 0.5
    rows = rows.where(at < f.col("share"))
    columns = dict(given)
    is_hosted = is_provided(str(call.options.get("base", "")))
    if (shares.by_class > shares.common).any() and not is_hosted:
        weight = f.lit(shares.common) / f.col("share")
        if "weights" in given:
            weight = weight * f.col("weights")
        rows = rows.withColumn("weights", weight)
        (free,) = frames.free_names(given.values(), "weight")
        columns["weights"] = columns.get("weights") or free
    work.say(
        f"fine_tune learns from about {(of_class * shares.by_class).sum():,.0f} rows, drawn by "
        f"a hash of their content: {total:,} are more than one process learns from"
    )
    named = rows.select(*(f.col(name).alias(column) for name, column in columns.items()))
    return named, replace(call, columns={**call.columns, **columns})
