"""Calls on DataFrames: in one task beside the table's columns, or on the driver. Reads no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs.engines.spark import running
from sqlfuncs.engines.spark.artifacts import Artifact, artifact
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.signatures import Signature
from sqlfuncs.errors import BadInput
from sqlfuncs.wording import Snippet

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Run = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
MOST_ROWS = 500_000  # that one process computes
_ROWS_AT_ONCE = 10_000


def as_frame(table: object) -> DataFrame:
    """A DataFrame, or the one that a table's name is of. Raises BadInput for anything else."""
    if isinstance(table, str):
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is None:
            raise BadInput(f"no Spark session is active, in which '{table}' could be a table.")
        with running.in_our_words():
            return session.table(table)
    if type(table).__module__.startswith("pyspark.sql") and type(table).__name__ == "DataFrame":
        return table
    raise BadInput(
        f"a table is a DataFrame of Spark's or the name of one, not {type(table).__name__} "
        f"({type(table).__module__}). spark.createDataFrame(...) makes one of pandas' or Arrow's."
    )


def schema_of(df: DataFrame, columns: Sequence[str]) -> pa.Schema:
    """Some columns of a DataFrame as Arrow has them. Raises BadInput for a type it has not."""
    return arrow_schema({field.name: field for field in df.schema.fields}, columns)


def arrow_schema(fields: Mapping[str, Any], columns: Sequence[str]) -> pa.Schema:
    """Some columns of Spark's fields, by their names, as Arrow has them. Raises BadInput."""
    from pyspark.sql.pandas.types import to_arrow_type

    try:
        types = [to_arrow_type(fields[name].dataType, timezone="UTC") for name in columns]
    except Exception as error:
        raise running.as_ours(error) from None
    return pa.schema(list(zip(columns, types, strict=True)))


def in_one_task(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """All columns of a table and those that a function adds, `own`; lazily, by a single task."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    types = [StructField(field.name, from_arrow_type(field.type)) for field in own]
    tables = {name: _packed(table) for name, table in call.tables.items()}
    run = _InOneTask(replace(call, tables={}), artifact(df.sparkSession, tables))
    return in_batches(df.repartition(1), run, StructType([*df.schema.fields, *types]))


class _InOneTask:
    """What the task does with the batches of the table. Found by its name on the worker."""

    def __init__(self, call: Call, tables: Artifact) -> None:
        self._call, self._tables = call, tables

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same rows with more columns."""
        table = whole(batches, self._call.signature)
        if table is None:
            return
        tables = {name: _unpacked(packed) for name, packed in self._tables.files().items()}
        call = replace(self._call, tables=tables)
        own = call.rows(table.select(call.read))
        for name in own.column_names:
            table = table.append_column(name, own.column(name))
        yield from table.combine_chunks().to_batches(max_chunksize=_ROWS_AT_ONCE)


def whole(batches: Iterator[pa.RecordBatch], own: Signature) -> pa.Table | None:
    """Batches as a table, None where there are none. Raises BadInput for too many rows."""
    held, rows = [], 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        refuse_many(rows, own.name)
    return pa.Table.from_batches(held) if rows else None


def refuse_many(rows: int, name: str, hint: str = "") -> None:
    """Raise BadInput for more rows than one process computes. `hint`: what else there is."""
    if rows > MOST_ROWS:
        raise BadInput(
            f"{name} computes a table of up to {MOST_ROWS:,} rows in one place, and this one has "
            f"more.{hint} Draw rows at random: {Snippet('rows drawn at random')}."
        )


def refuse_empty(call: Call) -> None:
    """Raise what a function says of a table without rows, if that is an error."""
    call.rows(pa.table({name: pa.nulls(0) for name in call.read}))


def on_driver(df: DataFrame, call: Call, columns: Sequence[str]) -> DataFrame:
    """The rows that a function makes of a table, computed here."""
    table = running.collected(df.select(*map(column, columns)).limit(MOST_ROWS + 1))
    refuse_many(table.num_rows, call.signature.name)
    return from_arrow(df.sparkSession, call.rows(table))


def from_arrow(session: Any, table: pa.Table) -> DataFrame:
    """A table as a DataFrame. Moments without a zone have none there, whatever zone is set."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = from_arrow_schema(table.schema, prefer_timestamp_ntz=True)
    rows: Any = table if table.num_rows else []  # a table of no chunks has no types for pyspark
    made: DataFrame = session.createDataFrame(rows, schema=schema)
    return made


def in_batches(df: DataFrame, run: Run, schema: Any) -> DataFrame:
    """The rows that a function makes of the batches of a table, in which columns have their names.

    They go there by plain ones: in some of its ways Spark takes a dot or a backtick for a sign.
    """
    plain = df.toDF(*(f"c{at}" for at in range(len(df.columns))))
    return plain.mapInArrow(_Named(run, tuple(df.columns)), schema)


class _Named:
    """Gives the columns of batches their names. In a worker."""

    def __init__(self, run: Run, names: tuple[str, ...]) -> None:
        self._run, self._names = run, list(names)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What the function makes of them."""
        return self._run(batch.rename_columns(self._names) for batch in batches)


def free_names(columns: Iterable[str], *wanted: str) -> list[str]:
    """Names like those that are wanted, for columns of ours, that no column has in any spelling.

    >>> free_names(["_sf_key", "_SF_NEW_"], "_sf_key", "_sf_new")
    ['_sf_key_', '_sf_new']
    """
    taken = {name.casefold() for name in columns}
    free = []
    for name in wanted:
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        free.append(name)
    return free


def column(name: str) -> Column:
    """A column by its name, whatever characters that has."""
    from pyspark.sql.functions import col

    return col(DIALECT.identifier(name))


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpacked(packed: bytes) -> pa.Table:
    return pa.ipc.open_stream(packed).read_all()
