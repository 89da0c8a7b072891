"""Functions of a table in SQL alone: `FROM label_issues(TABLE(t), x => 'text', label => 'label')`.

One worker computes such a call, after its mistakes have been found as the statement is planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pyarrow as pa

from sqlfuncs import plugins, wording
from sqlfuncs.engines.spark import calls, frames, functions
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.signatures import Signature, signature, signatures
from sqlfuncs.errors import BadInput
from sqlfuncs.functions.spec import ListFunction

_TABLE = "tbl"


def register(session: Any) -> None:
    """All that need one table alone, by their names, until the session ends."""
    from pyspark.sql.functions import udtf

    for own in signatures().values():
        if not own.tables:
            # Rows, and not batches: only of these may a call be looked at while it is planned.
            session.udtf.register(own.name, udtf(_class(own.name), useArrow=False))
    for function in plugins.functions():
        if isinstance(function, ListFunction) and not function.name.startswith("_"):
            session.udtf.register(function.name, udtf(_list_class(function.name), useArrow=False))


def _class(name: str) -> type:
    """The class of a function as Spark wants it: `analyze`, `eval`, `terminate`."""
    from pyspark.sql.udtf import AnalyzeArgument, AnalyzeResult

    @dataclass
    class Known(AnalyzeResult):  # type: ignore[misc]
        """What is known of a call once it is planned; the worker's `__init__` gets it."""

        call: Any = field(default=None)

    class Function:
        @staticmethod
        def analyze(tbl: AnalyzeArgument, **given: AnalyzeArgument) -> AnalyzeResult:
            call, schema = planned(signature(name), tbl, given)
            return Known(schema=schema, withSinglePartition=True, call=call)

        def __init__(self, known: Any) -> None:
            self._gathered = Gathered(known.call)

        def eval(self, tbl: Any, **given: Any) -> None:
            self._gathered.add(tbl)

        def terminate(self) -> Iterator[tuple[object, ...]]:
            yield from self._gathered.rows()

    Function.__name__ = name
    return Function


@dataclass(frozen=True)
class Planned:
    """A call, and the Arrow types of the columns that are read, and of the table's names."""

    call: Call
    read: pa.Schema
    names: tuple[str, ...]


def planned(own: Signature, tbl: Any, given: Mapping[str, Any]) -> tuple[Planned, Any]:
    """What a call is, and the columns of its result. Raises what is wrong with it."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    with wording.speaking(DIALECT):
        if not tbl.isTable:
            raise BadInput(f"{own.name} takes a table first: {own.name}(TABLE(my_table), ...).")
        fields = {each.name: each for each in tbl.dataType.fields}
        values = {name: _value(name, each) for name, each in given.items()}
        calls.checked_names(own, {n: v for n, v in values.items() if n not in _named_always(own)})
        tables = [name for name in own.optional_tables if values.get(name) is not None]
        if tables:
            raise BadInput(
                f"in SQL alone a function takes one table. With {tables[0]}: "
                f"sqlfuncs.spark.{own.name}(df, ..., {tables[0]}=...) in Python, or sqlfuncs run."
            )
        missing = [name for name in own.arguments if values.get(name) is None]
        if missing:
            raise BadInput(f"{own.name} needs {missing[0]} => '...'.")
        call = Call(
            own,
            calls.columns(own, values, list(fields)),
            {name: values[name] for name in own.options if values.get(name) is not None},
            [values[name] for name in own.arguments],
        )
        names = list(fields) if own.adds else call.read
        read = frames.arrow_schema(fields, calls.all_read(call, list(fields)))
        added = call.refuse_mistakes(names, read)
        ours = [StructField(each.name, from_arrow_type(each.type)) for each in added]
        kept = list(fields.values()) if own.adds else []
        return Planned(call, read, tuple(fields)), StructType([*kept, *ours])


def _named_always(own: Signature) -> set[str]:
    return {*own.columns, *own.arguments}


def _value(name: str, given: Any) -> object:
    if given.isTable or not given.isConstantExpression:
        raise BadInput(
            f"{name} => ... takes a value that is written in the call: a column is named as text, "
            f"{name} => 'my_column'."
        )
    return given.value


class Gathered:
    """The rows of a table, one after the other, until all are there. In a worker."""

    def __init__(self, known: Planned) -> None:
        self._known, self._rows = known, list[Any]()

    def add(self, row: Any) -> None:
        """One more. Raises BadInput for more than one process computes."""
        self._rows.append(row)
        if len(self._rows) > frames.MOST_ROWS:
            name = self._known.call.signature.name
            frames.refuse_many(len(self._rows), name, _elsewhere(name))

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Those of the result."""
        if not self._rows:
            return
        known = self._known
        at = {name: place for place, name in enumerate(known.names)}
        columns = [
            _column([row[at[field.name]] for row in self._rows], field.type) for field in known.read
        ]
        own = known.call.rows(pa.Table.from_arrays(columns, schema=known.read))
        values = zip(*(_values(column) for column in own.columns), strict=True)
        if not known.call.signature.adds:
            yield from values
            return
        for row, added in zip(self._rows, values, strict=True):
            yield (*row, *added)


def _elsewhere(name: str) -> str:
    """Where a function takes more rows than one worker holds."""
    if name not in functions.distributed():
        return ""
    row_by_row = " Or, row by row, judge_labels(x, label, judge => 'name')."
    return (
        f" For tables of any size: sqlfuncs.spark.{name}(df, ...) in Python, or sqlfuncs run with "
        f"--spark.{row_by_row if name == 'label_issues' else ''}"
    )


def _values(column: pa.ChunkedArray) -> list[object]:
    values: list[object] = column.to_pylist(maps_as_pydicts="strict")
    return values


def _column(values: list[Any], of: pa.DataType) -> pa.Array:
    """Values of Spark's as Arrow. Moments with a zone come in that of this machine, unsaid."""
    if pa.types.is_timestamp(of) and of.tz is not None:
        values = [None if value is None else value.astimezone(UTC) for value in values]
    return pa.array([_plain(value) for value in values], of)


def _plain(value: Any) -> Any:
    """A value of Spark's as Arrow takes it."""
    from pyspark.sql import Row

    if isinstance(value, Row):
        return {name: _plain(each) for name, each in value.asDict().items()}
    if isinstance(value, dict):
        return [(key, _plain(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _list_class(name: str) -> type:
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType
    from pyspark.sql.udtf import AnalyzeArgument, AnalyzeResult

    class Function:
        @staticmethod
        def analyze(*given: AnalyzeArgument) -> AnalyzeResult:
            fields = [
                StructField(c.name, from_arrow_type(c.computed_type)) for c in _list(name).returns
            ]
            return AnalyzeResult(StructType(fields))

        def eval(self, *given: Any) -> Iterator[tuple[object, ...]]:
            with wording.speaking(DIALECT):
                own = _list(name).compute(*given)
            yield from zip(*(_values(column) for column in own.flatten()), strict=True)

    Function.__name__ = name
    return Function


def _list(name: str) -> ListFunction:
    return next(
        function
        for function in plugins.functions()
        if function.name == name and isinstance(function, ListFunction)
    )
