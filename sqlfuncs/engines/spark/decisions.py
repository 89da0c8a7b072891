"""What a decision log says of a table of any size, worked out on the driver.

DuckDB's own macros read the log, as at home, beside those rows of the table that it names: few,
found by a join. So the same decisions are in force, and the same mistakes are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs.engines.duckdb import embedded_logs
from sqlfuncs.engines.spark import artifacts, frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.frames import column, free_names
from sqlfuncs.engines.spark.labels import any_kind_of
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.errors import BadInput

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LOG = "log"
MOST_DECISIONS = 2_000_000  # rows of a log, which the driver holds
MOST_BROADCAST = 100_000  # keys that go to every worker; more are joined as Spark sees fit
_COLUMNS = ("key", "action", "old_label", "new_label", "decided_by", "reason", "decided_at")
_SHOWN = 10  # keys in a message


def read_log(log: object) -> pa.Table:
    """A decision log: those of its columns that are read. From Spark, Arrow or pandas.

    Raises BadInput for one of more than MOST_DECISIONS rows.
    """
    if isinstance(log, pa.Table):
        table = log
    elif type(log).__module__.startswith("pandas"):
        table = pa.Table.from_pandas(log, preserve_index=False)
    else:
        df = frames.as_frame(log)
        read = [column(each) for each in df.columns if each.casefold() in _COLUMNS]
        table = running.collected((df.select(*read) if read else df).limit(MOST_DECISIONS + 1))
    if table.num_rows > MOST_DECISIONS:
        raise BadInput(
            f"the decision log has more than {MOST_DECISIONS:,} rows, and the driver holds all of "
            "them. Give it in parts, each with the latest decisions about some of the keys."
        )
    return table


def changes(df: DataFrame, call: Call) -> pa.Table:
    """What a log changes: the rows of corrections_diff, keys and labels in the table's own types.

    `call` has the columns key and label, and the table log. Raises BadInput for what
    apply_corrections refuses at home: nothing is to be written then.
    """
    key, label = str(call.columns["key"]), str(call.columns["label"])
    schema = frames.schema_of(df, call.read)
    read = df.select(*map(column, call.read))
    log = call.tables[LOG]
    rows = [named(df, call)]
    if _is_text(schema.field(label)) and embedded_logs.kinds(log, DIALECT)["new_label"] not in (
        "text",
        "null",
    ):
        rows.append(_spellings(read, key, label, schema))
    of = schema.field(label).type
    if pa.types.is_nested(of) and any_kind_of(of) is None:  # one is enough to be refused
        rows.append(_collected(read.where(column(label).isNotNull()).limit(1), schema))
    diff = Call(signature("corrections_diff"), call.columns, call.options, (), call.tables)
    return diff.rows(pa.concat_tables(rows))


def named(df: DataFrame, call: Call) -> pa.Table:
    """The rows of the table that the decisions of a log are about: what the call names of them.

    There may be others among them. Raises BadInput for keys that stand in the table more than once.
    """
    key, log = str(call.columns["key"]), call.tables[LOG]
    schema = frames.schema_of(df, call.read)
    read = df.select(*map(column, call.read))
    _refuse_repeated(read, key)
    return _decided(read, key, schema, log, embedded_logs.kinds(log, DIALECT)["key"])


def rows_with(df: DataFrame, key: str, label: str, wanted: pa.ChunkedArray) -> pa.Table:
    """The rows with some keys: the columns key and label."""
    read = df.select(column(key).alias("key"), column(label).alias("label"))
    return running.collected(_found(read, "key", wanted))


def joined(df: DataFrame, key: str, few: pa.Table, its_key: str, how: str) -> DataFrame:
    """A table with the rows of a small one, by their keys, which are of one type."""
    from pyspark.sql import functions as F

    other = frames.from_arrow(df.sparkSession, few)
    is_floating = pa.types.is_floating(few.schema.field(its_key).type)
    same = as_key(key, is_floating=is_floating) == as_key(its_key, is_floating=is_floating)
    return df.join(F.broadcast(other) if few.num_rows <= MOST_BROADCAST else other, same, how)


def as_key(key: str, *, is_floating: bool) -> Column:
    """A key as it is compared: a number with a fraction by its text, for 0.0 and -0.0 are two."""
    return column(key).cast("string") if is_floating else column(key)


def _collected(df: DataFrame, schema: pa.Schema) -> pa.Table:
    return running.collected(df).cast(schema)


def _is_text(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _refuse_repeated(df: DataFrame, key: str) -> None:
    """Raise BadInput for keys that stand in the table more than once, decided about or not."""
    from pyspark.sql import functions as F

    (rows,) = free_names([key], "rows")
    known = frames.schema_of(df, [key]).field(key)
    compared = as_key(key, is_floating=pa.types.is_floating(known.type)).alias(key)
    counted = df.where(column(key).isNotNull()).groupBy(compared).agg(F.count(F.lit(1)).alias(rows))
    repeated = counted.where(column(rows) > 1)
    if not running.collected(repeated.limit(1)).num_rows:
        return
    first = running.collected(repeated.orderBy(column(key).cast("string")).limit(_SHOWN))
    total = running.run(df.sparkSession, repeated.count)
    raise BadInput(
        "nothing was applied: keys that stand in the table more than once: "
        + ", ".join(embedded_logs.shown(first.select([key, rows]), DIALECT))
        + (f", ... ({total} in all)" if total > _SHOWN else "")
    )


def _decided(df: DataFrame, key: str, schema: pa.Schema, log: pa.Table, kind: str) -> pa.Table:
    """The rows of the table that decisions are about."""
    if not log.num_rows:
        return schema.empty_table()
    if _is_text(schema.field(key)) and kind not in ("text", "null", "plain"):
        return _collected(frames.in_batches(df, _Alike(key, log, kind), df.schema), schema)
    wanted = embedded_logs.keys(log, schema.empty_table(), key, DIALECT)
    return _collected(_found(df, key, wanted), schema)


def _found(df: DataFrame, key: str, wanted: pa.ChunkedArray) -> DataFrame:
    (its_key,) = free_names(df.columns, "_sf_key")
    return joined(df, key, pa.table({its_key: wanted}), its_key, "left_semi")


class _Alike:
    """The rows whose key is text, of decisions that name it otherwise: 7 for '007'. In a worker."""

    def __init__(self, key: str, log: pa.Table, kind: str) -> None:
        self._key, self._kind = key, kind
        self._forms = embedded_logs.forms(log, kind, DIALECT)
        if self._forms.nbytes > artifacts.MOST_BYTES:
            cast = DIALECT.cast("key", pa.string())
            raise BadInput(
                f"the keys of the table are text, and {self._forms.num_rows:,} keys of the log are "
                f"not. So many are found by their text only: give the log with {cast} AS key."
            )

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Those of each batch."""
        for batch in batches:
            keys = batch.column(batch.schema.get_field_index(self._key))
            yield batch.take(embedded_logs.places(keys, self._forms, self._kind, DIALECT))


def _spellings(df: DataFrame, key: str, label: str, schema: pa.Schema) -> pa.Table:
    """The different labels of the table, in rows without a key."""
    found = running.collected(df.select(column(label)).distinct()).column(0)
    columns = {key: pa.nulls(len(found), schema.field(key).type), label: found}
    return pa.table([columns[name] for name in schema.names], schema=schema)
