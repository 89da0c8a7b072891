"""`fine_tune` on a table that no process holds: from rows drawn by a hash of their content.

As `learning.models.whole_table.draw` does: of a rare class more rows are drawn, and each counts
for less in exchange. The same table and seed give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.learning.models.shares import CLASS_ROWS, SAMPLE_ROWS
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
    rows = df.select(*(f.col(DIALECT.identifier(each)).alias(n) for n, each in given.items()))
    rows = rows.where(f.col("x").isNotNull() & f.col("label").isNotNull())
    if "drop" in given:
        rows = rows.where(~f.coalesce(f.col("drop"), f.lit(False)))
    counts = rows.groupBy("label").agg(f.count("*").alias("rows")).limit(_MOST_CLASSES)
    found = running.collected(counts)
    total = sum(found["rows"].to_pylist())
    common = min(1.0, SAMPLE_ROWS / max(1, total))
    own = [max(common, min(1.0, CLASS_ROWS / n)) for n in found["rows"].to_pylist()]
    shares = found.select(["label"]).append_column("share", pa.array(own, pa.float64()))
    rows = rows.join(f.broadcast(df.sparkSession.createDataFrame(shares)), on="label", how="inner")
    at = f.xxhash64(f.lit(f"{call.options.get('seed', 0)}.sample"), "x") / 2.0**64 + 0.5
    rows = rows.where(at < f.col("share"))
    columns = dict(given)
    if any(share > common for share in own) and not is_provided(str(call.options.get("base", ""))):
        weight = f.lit(common) / f.col("share")
        if "weights" in given:
            weight = weight * f.col("weights")
        rows = rows.withColumn("weights", weight)
        columns["weights"] = columns.get("weights") or _free("weight", given)
    work.say(
        f"fine_tune learns from about {sum(n * s for n, s in _of(found, own)):,.0f} rows, drawn by "
        f"a hash of their content: {total:,} are more than one process learns from"
    )
    named = rows.select(*(f.col(name).alias(column) for name, column in columns.items()))
    return named, replace(call, columns={**call.columns, **columns})


def _of(found: pa.Table, own: list[float]) -> list[tuple[int, float]]:
    return list(zip(found["rows"].to_pylist(), own, strict=True))


def _free(name: str, given: Mapping[str, str]) -> str:
    """A column's name that no other has."""
    taken = {each.casefold() for each in given.values()}
    return next(new for n in range(len(taken) + 1) if (new := f"{name}_{n}") not in taken)
