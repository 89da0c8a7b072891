"""Proposed corrections from a label_issues result of any size: `auto_corrections`.

Up to `frames.MOST_ROWS` rows all are read, as at home. Of more rows those that may be corrected are
read, which are few, and all that people reviewed, on which a release rests: both as at home. What
the noise in the labels is like is learned from rows drawn by a hash, in their proportions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.engines.duckdb.embedded_calls import SAMPLED_CORRECTIONS
from sqlfuncs.engines.spark import calls, decisions, frames, running
from sqlfuncs.engines.spark.decisions import LOG
from sqlfuncs.engines.spark.frames import column
from sqlfuncs.errors import BadInput
from sqlfuncs.wording import Option

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sqlfuncs.engines.spark.calls import Call

LEARNED = 200_000  # rows that are drawn
MOST_FLAGGED = 1_000_000  # rows to be corrected that the driver holds, with their probabilities
_BUCKETS = 2**40


def auto_corrections(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """Decisions to propose, from a label_issues result.

    Raises BadInput for more than MOST_FLAGGED rows that may be corrected.
    """
    columns = calls.all_read(call, df.columns)
    rows = running.run(df.sparkSession, df.count)
    if rows <= frames.MOST_ROWS:
        return frames.on_driver(df, call, columns)
    (drawn,) = frames.free_names(columns, "drawn")
    read = df.select(*map(column, columns))
    table = running.collected(_rows_that_matter(read, call, drawn, LEARNED / rows))
    work.say(
        f"auto_corrections learned what the noise is like from "
        f"{table[drawn].to_pylist().count(True):,} of {rows:,} rows, drawn at random"
    )
    own = replace(call.signature, name=SAMPLED_CORRECTIONS, optional_columns=("drawn",))
    sampled = replace(call, signature=own, columns={**call.columns, "drawn": drawn})
    return frames.from_arrow(df.sparkSession, sampled.rows(table))


def _rows_that_matter(df: DataFrame, call: Call, drawn: str, share: float) -> DataFrame:
    """The rows that may be corrected, those reviewed, and a share of all, marked as `drawn`."""
    from pyspark.sql import functions as F

    flagged, is_drawn = _may_be_corrected(df, call), _is_drawn(df, call, share)
    found = running.run(df.sparkSession, df.where(flagged).count)
    if found > MOST_FLAGGED:
        raise BadInput(
            f"{found:,} rows may be corrected, and the driver holds {MOST_FLAGGED:,}. Ask for the "
            f"surer ones: {Option('min_confidence', 0.9)}."
        )
    matters = flagged | is_drawn
    if LOG not in call.tables:
        return df.where(matters).withColumn(drawn, is_drawn)
    key = str(call.columns["key"])
    its_key, known = frames.free_names([*df.columns, drawn], "_reviewed", "_known")
    reviewed = decisions.named(df, call)[key].drop_null()
    few = pa.table({its_key: reviewed, known: pa.array([True] * len(reviewed), pa.bool_())})
    joined = decisions.joined(df, key, few, its_key, "left")
    return (
        joined.where(matters | F.coalesce(column(known), F.lit(False)))
        .withColumn(drawn, is_drawn)
        .drop(its_key, known)
    )


def _may_be_corrected(df: DataFrame, call: Call) -> Column:
    from pyspark.sql import functions as F

    least = call.options.get("min_confidence") or 0.0
    flag, confidence = (
        column(calls.column(name, df.columns))
        for name in ("is_label_issue", "suggested_confidence")
    )
    return F.coalesce(flag.cast("boolean") & (confidence >= F.lit(least)), F.lit(False))


def _is_drawn(df: DataFrame, call: Call, share: float) -> Column:
    """Whether a row is drawn: by a hash of what it is about, the same every time."""
    from pyspark.sql import functions as F

    hashed = (*call.read, calls.column("suggested_confidence", df.columns))
    bucket = F.pmod(F.xxhash64(*map(column, hashed)), F.lit(_BUCKETS))
    return bucket < F.lit(round(share * _BUCKETS))
