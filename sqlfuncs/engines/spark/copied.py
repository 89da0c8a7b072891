"""Rows of equal content in a table of any size: how many of them have which label.

Contents are known by a digest, which every worker computes alike. Where most contents are there
once, what is joined to the table is small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import frames
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.similarity.cells import DIGEST

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def counted(df: DataFrame, x: str, label: str, name: str) -> DataFrame:
    """All columns of a table, and a map of labels to numbers of rows: those of a row's content.

    NULL for a row without a copy that has a label, and for one whose content cannot be used.
    """
    from pyspark.sql import functions as F

    key, own, rows = frames.free_names([*df.columns, name], "content", "own", "rows")
    keyed = df.select("*", content(x).alias(key))
    of_content = keyed.select(key, frames.column(label).alias(own)).where(f"{key} IS NOT NULL")
    each = of_content.groupBy(key, own).agg(F.count(F.lit(1)).alias(rows))
    pair = F.when(F.col(own).isNotNull(), F.struct(own, rows))  # lists leave NULL out
    several = (
        each.groupBy(key)
        .agg(F.map_from_entries(F.collect_list(pair)).alias(name), F.sum(rows).alias(rows))
        .where((F.col(rows) > 1) & (F.cardinality(name) > 0))
        .drop(rows)
    )
    return keyed.join(several, key, "left").select(*map(frames.column, [*df.columns, name]))


def content(x: str) -> Column:
    """A digest of each row's content, NULL where that cannot be used."""
    from pyspark.sql.functions import arrow_udf

    # Spark computes what it takes for deterministic once for each time it is named.
    made: Callable[[Column], Column] = arrow_udf(_digests, "binary").asNondeterministic()
    return made(frames.column(x))


def _digests(x: pa.Array) -> pa.Array:
    with wording.speaking(DIALECT):
        rows = registry.read(x)
        places = np.flatnonzero(is_usable(rows.reasons))
        found: list[bytes | None] = [None] * len(rows)
        for place, digest in zip(places.tolist(), rows.take(places).digests(), strict=True):
            found[place] = digest[:DIGEST]
    return pa.array(found, pa.binary())
