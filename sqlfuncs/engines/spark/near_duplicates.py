"""`near_duplicates` of tables of any size.

Points are dealt to cells and compared within them (`learning.similarity.cells`). Of what is found,
pairs that are alike are linked and numbered as groups. At home groups are numbered in the order of
rows, which a table of Spark's has not: here in the order of their smallest digests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.engines.spark import binary_columns, checkpoints, frames, in_parts, linked, points
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.in_parts import Held, InParts
from sqlfuncs.engines.spark.points import Compared
from sqlfuncs.learning.similarity import cells, in_cell
from sqlfuncs.learning.similarity.duplicates import ALMOST

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FOUND = "point binary, other binary, cosine float"


def near_duplicates(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """All columns of a table and those of near_duplicates. Runs jobs, the last but for the result.

    Raises NoUsableRows, BadInput and MissingExtra.
    """
    return points.at_any_size(df, call, schema, by_cells)


def by_cells(table: Compared, k: int, threshold: float, schema: pa.Schema) -> DataFrame:
    """The same for a table of any size; `schema` names the columns."""
    sample = points.drawn(table)
    into = cells.learn(sample.vectors, sample.of).for_alike(sample.vectors, threshold)
    # `point`, `other` and `cosine` of those that are alike enough and, without `other`, the cosine
    # of the nearest in each part that a point looks into in vain.
    found = in_parts.found(table, into, Alike(table.reader.sent, k, threshold), _FOUND)
    is_kept = checkpoints.can_write(table.df.sparkSession)
    if is_kept:
        found = checkpoints.written(found)
    roots = linked.roots(_links(found, k), is_kept)
    return _joined(table, _verdicts(table, found, roots), schema)


def _links(found: DataFrame, k: int) -> DataFrame:
    """`point` and `other`: the up to k nearest of each point that are alike enough."""
    from pyspark.sql import Window
    from pyspark.sql.functions import col, row_number
    from pyspark.sql.functions import max as most

    alike = found.where("other IS NOT NULL").groupBy("point", "other")
    nearest = Window.partitionBy("point").orderBy(col("cosine").desc(), "other")
    numbered = alike.agg(most("cosine").alias("cosine")).withColumn(
        "rank", row_number().over(nearest)
    )
    return numbered.where(col("rank") <= k).select("point", "other")


def _verdicts(table: Compared, found: DataFrame, roots: DataFrame) -> DataFrame:
    """`content` and its `group` and `score`, of each that is there."""
    from pyspark.sql import Window
    from pyspark.sql.functions import coalesce, col, count, greatest, least, lit, row_number, when
    from pyspark.sql.functions import max as most
    from pyspark.sql.functions import sum as total

    keyed = table.df.select(table.key().alias("key")).select("key.content", "key.point")
    of_point = Window.partitionBy("point")
    contents = (
        keyed.where("point IS NOT NULL")
        .groupBy("point", "content")
        .agg(count(lit(1)).alias("copies"))
        .withColumn("contents", count(lit(1)).over(of_point))
        .withColumn("rows", total("copies").over(of_point))
    )
    nearest = found.groupBy("point").agg(most("cosine").alias("cosine"))
    joined = contents.join(nearest, "point", "left").join(roots, "point", "left")
    cosine = coalesce(col("cosine").cast("double"), lit(0.0))
    score = (
        when(col("copies") > 1, lit(1.0))
        .when(col("contents") > 1, lit(ALMOST))
        .otherwise(greatest(lit(0.0), least(cosine, lit(ALMOST))))
    )
    root = coalesce("root", when(col("rows") > 1, col("point")))
    judged = joined.select("content", root.alias("root"), score.alias("score"))
    # All roots in one task, which sorts them: 16 bytes of each group.
    groups = judged.where("root IS NOT NULL").select("root").distinct()
    number = row_number().over(Window.orderBy("root")).cast("bigint").alias("group")
    return judged.join(groups.select("root", number), "root", "left").drop("root")


def _joined(table: Compared, verdicts: DataFrame, schema: pa.Schema) -> DataFrame:
    """The table with the columns that `schema` names: group, score and reason, in this order."""
    from pyspark.sql.functions import col

    df = table.more or table.df
    key, content, group, score = frames.free_names(df.columns, "key", "content", "group", "score")
    named = verdicts.select(
        col("content").alias(content), col("group").alias(group), col("score").alias(score)
    )
    keyed = df.select("*", table.key().alias(key))
    on = keyed[f"{key}.content"] == named[content]
    own = [col(group), col(score), col(f"{key}.reason")]
    return keyed.join(named, on, "left").select(
        *map(frames.column, df.columns),
        *(column.alias(field.name) for column, field in zip(own, schema, strict=True)),
    )


class Alike(InParts):
    """Finds pairs that are alike. In a worker."""

    def __init__(self, sent: npt.DTypeLike, k: int, threshold: float) -> None:
        super().__init__(sent)
        self._k, self._threshold = k, threshold

    def compared(self, queries: Held, members: Held, first: int | None) -> pa.RecordBatch:
        """Each pair from both sides, and the best cosine of queries without one."""
        found = in_cell.pairs(queries.vectors, members.vectors, self._k, self._threshold, first)
        alone = np.setdiff1d(np.flatnonzero(found.best > -1), found.query)
        one, other = queries.digests[found.query], members.digests[found.member]
        point = np.concatenate([one, other, queries.digests[alone]])
        others = pa.concat_arrays(
            [
                binary_columns.binaries(np.concatenate([other, one])),
                pa.nulls(len(alone), pa.binary()),
            ]
        )
        cosine = np.concatenate([found.cosine, found.cosine, found.best[alone]])
        return pa.RecordBatch.from_arrays(
            [binary_columns.binaries(point), others, pa.array(cosine, pa.float32())],
            names=["point", "other", "cosine"],
        )
