"""evaluate and the like on tables of any size: Spark counts how often labels occur together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import plugins
from sqlfuncs.engines.duckdb import embedded
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.errors import BadInput
from sqlfuncs.functions.spec import CountFunction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_COMBINATIONS = 1_000_000  # of labels; more are no classes


def names() -> list[str]:
    """Of the functions of how often labels occur together."""
    return [each.name for each in plugins.functions() if isinstance(each, CountFunction)]


def counted(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """The function's rows, from the counts of different combinations of its columns."""
    name = call.signature.name
    columns = [call.columns[each] for each in call.signature.columns]
    read = [DIALECT.identifier(each) for each in call.read]
    counts = running.collected(df.groupBy(*read).count().limit(_MOST_COMBINATIONS + 1))
    if counts.num_rows > _MOST_COMBINATIONS:
        raise BadInput(
            f"{' and '.join(call.read)} have more than {_MOST_COMBINATIONS:,} different "
            "combinations of values, which is all that one process counts. Draw rows at random."
        )
    counts = counts.rename_columns([*call.read, embedded.ROWS])
    function = next(
        each
        for each in plugins.functions()
        if isinstance(each, CountFunction) and each.name == name
    )
    named = [str(each) for each in columns]
    made = embedded.of_counts(function, counts, named, call.options, DIALECT)
    return frames.from_arrow(df.sparkSession, made)
