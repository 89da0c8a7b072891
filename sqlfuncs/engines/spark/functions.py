"""The functions of a table on DataFrames: `sqlfuncs.spark.label_issues(df, 'text', 'label')`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import (
    auditing,
    calls,
    consensus,
    corrections,
    counting,
    decisions,
    drawn,
    frames,
    health,
    judging,
    merging,
    of_rows,
    proposals,
    running,
)
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.near_duplicates import near_duplicates
from sqlfuncs.engines.spark.outliers import outliers
from sqlfuncs.engines.spark.signatures import Signature, signature, signatures
from sqlfuncs.errors import BadInput

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TABLE = "df"  # what the parameter of the table is called
# Those that are distributed: by their names, what makes their rows of any number of rows.
Distributed = Callable[["DataFrame", Call, pa.Schema], "DataFrame"]
_distributed: dict[str, Distributed] = {
    "annotator_quality": consensus.annotator_quality,
    "apply_corrections": corrections.apply_corrections,
    "audit": auditing.audit,
    "auto_corrections": proposals.auto_corrections,
    "consensus": consensus.consensus,
    "corrections_diff": corrections.corrections_diff,
    "fine_tune": drawn.fine_tune,
    "label_health": health.label_health,
    "label_issues": judging.label_issues,
    "near_duplicates": near_duplicates,
    "outliers": outliers,
    **dict.fromkeys(counting.names(), counting.counted),
}
_others: dict[str, Callable[..., DataFrame]] = {
    "judge_labels": judging.judge_labels,
    merging.NAME: merging.merge_corrections,
}


@cache
def function(name: str) -> Callable[..., DataFrame]:
    """A function of DataFrames by its name. Raises BadInput for one that there is not."""
    if name in _others:
        return _others[name]
    if name in of_rows.names():
        return of_rows.function(name)
    own = signature(name)

    def called(*given: object, **options: object) -> DataFrame:
        with wording.speaking(DIALECT):
            return _call(own, given, options)

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    keyword = inspect.Parameter.KEYWORD_ONLY
    optional = {**dict.fromkeys((*own.optional_columns, *own.optional_tables)), **own.options}
    parameters = [
        *(inspect.Parameter(each, positional) for each in _positions(own)),
        *(inspect.Parameter(each, keyword, default=value) for each, value in optional.items()),
    ]
    called.__name__ = called.__qualname__ = name
    called.__doc__ = own.help
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _positions(own: Signature) -> tuple[str, ...]:
    return (*own.arguments, _TABLE, *own.tables, *own.columns)


def _call(own: Signature, given: tuple[object, ...], options: Mapping[str, object]) -> DataFrame:
    named = _bound(own, given, options)
    rest = {name: value for name, value in named.items() if name not in _positions(own)}
    calls.checked_names(own, rest)
    df = frames.as_frame(named[_TABLE])
    there = df.columns
    tables = (*own.tables, *own.optional_tables)
    call = Call(
        own,
        calls.columns(own, named, there),
        {name: rest[name] for name in own.options if rest.get(name) is not None},
        [named[name] for name in own.arguments],
        {name: _collected(name, named[name]) for name in tables if named.get(name) is not None},
    )
    columns = calls.all_read(call, there)
    calls.refuse_ambiguous(columns, there)
    schema = call.refuse_mistakes(there, frames.schema_of(df, columns))
    if own.name in _distributed:
        return _distributed[own.name](df, call, schema)
    if not own.adds:
        return frames.on_driver(df, call, columns)
    rows = running.run(df.sparkSession, df.count)
    frames.refuse_many(rows, own.name)
    if not rows:
        frames.refuse_empty(call)
    return frames.in_one_task(df, call, schema)


def _bound(
    own: Signature, given: tuple[object, ...], options: Mapping[str, object]
) -> dict[str, Any]:
    positions = _positions(own)
    takes = f"{own.name}({', '.join(positions)}, ...)"
    if len(given) > len(positions):
        raise BadInput(f"{len(given)} arguments were given to {takes}; options are named: x=...")
    named = dict(zip(positions, given, strict=False))
    twice = sorted(named.keys() & options.keys())
    if twice:
        raise BadInput(f"{twice[0]} was given twice to {takes}.")
    named |= options
    missing = [name for name in positions if name not in named]
    if missing:
        raise BadInput(f"{' and '.join(missing)} is missing: {takes}.")
    return named


def _collected(name: str, table: object) -> pa.Table:
    """A further table, which is small, as a decision log is: from Spark, Arrow or pandas."""
    if name == decisions.LOG:
        return decisions.read_log(table)
    if isinstance(table, pa.Table):
        return table
    if type(table).__module__.startswith("pandas"):
        return pa.Table.from_pandas(table, preserve_index=False)
    return running.collected(frames.as_frame(table))


def distributed() -> frozenset[str]:
    """Those that take any number of rows."""
    return frozenset(_distributed)


def names() -> frozenset[str]:
    """Of all functions on DataFrames."""
    return frozenset({*signatures(), *_others}) | of_rows.names()
