"""`outliers` of tables of any size.

As at home a score is about the mean distance to the k nearest other points, which are looked for
in cells (`learning.similarity.cells`). Distances to a fixed sample would need no shuffle, but it
is sparse: what is usual there, and which clusters are none, changes with its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.engines.spark import binary_columns, checkpoints, frames, in_parts, points, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.in_parts import Held, InParts
from sqlfuncs.engines.spark.points import Compared, Sample
from sqlfuncs.errors import NoUsableRows
from sqlfuncs.learning.similarity import cells, in_cell
from sqlfuncs.learning.similarity.outliers import Usual

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FOUND = "point binary, cosines array<float>"


def outliers(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """All columns of a table and those of outliers. Runs jobs, the last but for the result.

    Raises NoUsableRows, BadInput and MissingExtra.
    """
    return points.at_any_size(df, call, schema, by_cells)


def by_cells(table: Compared, k: int, threshold: float, schema: pa.Schema) -> DataFrame:
    """The same for a table of any size; `schema` names the columns."""
    sample = points.drawn(table)
    if sample.of == 1 and sample.rows.sum() == 1:
        raise NoUsableRows("only one row can be judged: there is no other to compare it with.")
    into = cells.learn(sample.vectors, sample.of).for_nearest(sample.vectors, k)
    found = in_parts.found(table, into, Nearest(table.reader.sent, k), _FOUND)
    distances = _distances(found, k, alone=0.0 if sample.of == 1 else 1.0)
    if checkpoints.can_write(table.df.sparkSession):
        distances = checkpoints.written(distances)
    return _joined(table, distances, _usual(distances, sample), threshold, schema)


def _distances(found: DataFrame, k: int, alone: float) -> DataFrame:
    """`point` and the mean `distance` to its nearest; `alone` where none was found."""
    nearest = found.groupBy("point").agg({"cosines": "collect_list"}).toDF("point", "cosines")
    nearest = nearest.selectExpr(
        "point", f"slice(sort_array(flatten(cosines), false), 1, {k}) AS cosines"
    )
    total = "aggregate(cosines, 0D, (sum, each) -> sum + CAST(each AS DOUBLE))"
    mean = f"greatest(1 - {total} / nullif(size(cosines), 0), 0D)"  # 0 of what is NULL
    return nearest.selectExpr("point", f"if(size(cosines) = 0, {alone}D, {mean}) AS distance")


def _usual(distances: DataFrame, sample: Sample) -> Usual:
    """What is usual, by the distances of the sample's points, which are as all are."""
    from pyspark.sql.functions import col, lit

    last = sample.points[-1].tobytes()
    table = running.collected(distances.where(col("point") <= lit(last))).sort_by("point")
    return Usual.learn(table["distance"].to_numpy(), sample.rows)


def _joined(
    table: Compared, distances: DataFrame, usual: Usual, threshold: float, schema: pa.Schema
) -> DataFrame:
    """The table with the columns that `schema` names: score, verdict and reason, in this order."""
    from pyspark.sql.functions import col, greatest, lit, pow, when

    df = table.more or table.df
    key, point, distance = frames.free_names(df.columns, "key", "point", "distance")
    named = distances.toDF(point, distance)
    keyed = df.select("*", table.key().alias(key))
    beyond = greatest(col(distance) - usual.middle, lit(0.0)) / (usual.fence - usual.middle)
    score = when(col(distance).isNotNull(), 1 - pow(lit(2.0), -beyond))
    own = [score, score > threshold, col(f"{key}.reason")]
    return keyed.join(named, keyed[f"{key}.point"] == named[point], "left").select(
        *map(frames.column, df.columns),
        *(column.alias(field.name) for column, field in zip(own, schema, strict=True)),
    )


class Nearest(InParts):
    """Finds how near the nearest points are. In a worker."""

    def __init__(self, sent: npt.DTypeLike, k: int) -> None:
        super().__init__(sent)
        self._k = k

    def compared(self, queries: Held, members: Held, first: int | None) -> pa.RecordBatch:
        """The cosines of up to k members, of each query."""
        cosines = in_cell.nearest(queries.vectors, members.vectors, self._k, first)
        count, width = cosines.shape
        offsets = pa.array(np.arange(count + 1) * width, pa.int32())
        lists = pa.ListArray.from_arrays(offsets, pa.array(cosines.ravel(), pa.float32()))
        return pa.RecordBatch.from_arrays(
            [binary_columns.binaries(queries.digests), lists], names=["point", "cosines"]
        )
