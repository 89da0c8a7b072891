"""Decision logs on tables of any size: `apply_corrections`, `corrections_diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs.engines.spark import decisions, frames
from sqlfuncs.engines.spark.frames import column

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sqlfuncs.engines.spark.calls import Call


def apply_corrections(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """The table with a decision log applied, lazily: labels replaced, excluded rows gone.

    The decisions are checked at once. If a label they are about has changed by the time that the
    rows are read, reading them fails, as it does for a stale decision.
    """
    from pyspark.sql import functions as F

    made = decisions.changes(df, call)
    if not made.num_rows:
        return df
    key, label = str(call.columns["key"]), str(call.columns["label"])
    its_key, old, new, action = names = frames.free_names(
        df.columns, "_sf_key", "_sf_old", "_sf_new", "_sf_action"
    )
    few = made.select(["key", "old_label", "new_label", "action"]).rename_columns(names)
    changed = F.concat(
        F.lit("nothing was applied: since the decisions were checked, the label has changed of "),
        column(its_key).cast("string"),
    )
    in_force = (
        F.when(column(action).isNull(), None)
        .when(column(label).eqNullSafe(column(old)), column(action))
        .otherwise(F.raise_error(changed))
    )
    relabelled = F.when(column(action) == "relabel", column(new)).otherwise(column(label))
    return (
        decisions.joined(df, key, few, its_key, "left")
        .withColumn(action, in_force)
        .where(F.coalesce(column(action) != "exclude", F.lit(True)))
        .withColumn(label, relabelled)
        .drop(*names)
    )


def corrections_diff(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """What apply_corrections would change, a row per change."""
    return frames.from_arrow(df.sparkSession, decisions.changes(df, call))
