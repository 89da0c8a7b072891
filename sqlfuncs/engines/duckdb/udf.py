"""Functions as DuckDB wants them: Arrow arrays in, Arrow arrays out, errors as one line.

Arguments of every type are taken (the UDFs are variadic) and read by their Arrow type. All
are volatile: DuckDB may then neither fold a call nor evaluate it twice for SELECT and WHERE.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pyarrow as pa

from sqlfuncs import wording, work
from sqlfuncs.engines.base import Dialect
from sqlfuncs.engines.duckdb import batches, scalars
from sqlfuncs.engines.duckdb.batches import Query, Waiting
from sqlfuncs.engines.duckdb.dialect import DIALECT
from sqlfuncs.engines.duckdb.functions import Function, SqlMacro
from sqlfuncs.engines.duckdb.names import OWN, identifier
from sqlfuncs.engines.duckdb.types import sql_type
from sqlfuncs.errors import Cancelled, ColumnClash, InternalError, SqlfuncsError
from sqlfuncs.functions.spec import (
    AUTO,
    CountFunction,
    ListFunction,
    ScalarFunction,
    TableFunction,
    checked_options,
)
from sqlfuncs.learning.labels import compared, labels
from sqlfuncs.learning.tasks import reviews

FREE = "_sf_is_free"
DECISIONS = "_sf_decisions"  # the field, beside the options, of what people decided
_log = logging.getLogger("sqlfuncs")
_batches = Waiting()
_dialects: dict[int, Dialect] = {}  # of instances that work for another engine
_UdfFunction = TableFunction | ListFunction | ScalarFunction


class Udf:
    """A callable that DuckDB can register, for one function."""

    def __init__(self, function: _UdfFunction) -> None:
        self.function = function
        self.name = udf_name(function.name)
        self.returns = sql_type(_returned(function))

    def __call__(self, *arguments: pa.ChunkedArray | pa.Array) -> pa.Array:
        """Compute; every failure leaves as one of our errors."""
        given, caller = self._without_caller(arguments)
        try:
            with work.call(caller):
                return _guarded(self.function.name, self._compute, given, caller)
        finally:
            if isinstance(self.function, TableFunction):
                # What Arrow keeps for later would stand beside the result while it is written.
                pa.default_memory_pool().release_unused()

    def _without_caller(
        self, arguments: Sequence[pa.ChunkedArray | pa.Array]
    ) -> tuple[Sequence[pa.ChunkedArray | pa.Array], tuple[int, int] | None]:
        """The arguments, and which instance and connection have called (macros.CALLER)."""
        count = _parameters(self.function)
        if len(arguments) != count + 2:  # a macro that is written in SQL has called
            return arguments, None
        instance, connection = (value[0].as_py() for value in arguments[count:])
        return arguments[:count], (instance, connection)

    def _compute(self, arguments: Sequence[pa.Array]) -> pa.Array:
        match self.function:
            case ScalarFunction():
                return scalars.called(self.function, arguments)
            case TableFunction():
                return _of_table(self.function, arguments)
            case ListFunction():
                return _list(self.function, arguments)


class Free:
    """The callable that looks at the names of the columns of each table that a caller names."""

    name = FREE
    returns = "BOOLEAN"

    def __call__(self, names: pa.ChunkedArray | pa.Array) -> pa.Array:
        """True for each. Raises ColumnClash for one that is called like ours."""
        return _guarded("reading the names of columns", _free, (names,))


class Packing:
    """The callable that packs the rows of a table for a table function."""

    name = batches.PACKED
    returns = batches.RETURNS

    def __call__(self, *arguments: pa.ChunkedArray | pa.Array) -> pa.Array:
        """One value for a batch of row numbers and structs of inputs."""
        return _guarded("reading the table", _packed, arguments)


def speak(instance: int, dialect: Dialect) -> None:
    """What the functions of an instance say is put into these words from now on."""
    _dialects[instance] = dialect


def _guarded(
    what: str,
    compute: Callable[[Sequence[pa.Array]], pa.Array],
    arguments: Sequence[pa.ChunkedArray | pa.Array],
    caller: tuple[int, int] | None = None,
) -> pa.Array:
    """Compute, in the words of the caller's instance: DuckDB's, unless it works for another engine.

    Failures leave as errors of ours, their traceback in the log.
    """
    try:
        with wording.speaking(_dialects.get(caller[0], DIALECT) if caller else DIALECT):
            return compute([_whole(a) for a in arguments])
    except SqlfuncsError as error:
        # DuckDB 1.5 prints the traceback under the message; an analyst can do without.
        raise error.with_traceback(None) from None
    except KeyboardInterrupt:
        raise Cancelled from None
    except MemoryError:
        raise InternalError(f"{what}: not enough memory for this table") from None
    except Exception as error:
        _log.error("%s failed", what, exc_info=True)
        raise InternalError(
            f"{what} failed in a way it should not: "
            f"{type(error).__name__}: {error}. Please report it."
        ) from error


def udf_name(function: str) -> str:
    """The name under which a function's computing lives in DuckDB's flat namespace."""
    return f"_sf_{function.removeprefix('_')}"


@cache
def callables(functions: tuple[Function, ...]) -> tuple[Udf | Packing | Free, ...]:
    """The UDFs of the functions that compute in Python, the same objects at every call."""
    return (Free(), Packing(), *(Udf(f) for f in functions if not isinstance(f, SqlMacro)))


def _parameters(function: _UdfFunction) -> int:
    match function:
        case ScalarFunction():
            return len(function.inputs) + function.per_query + len(function.options)
        case TableFunction():
            return 3
        case ListFunction():
            return 1


def _returned(function: _UdfFunction) -> pa.DataType:
    if isinstance(function, ScalarFunction):
        return scalars.returned(function)
    columns = [(c.name, c.computed_type) for c in function.returns]
    if isinstance(function, TableFunction) and function.keeps_rows:
        return pa.struct([(name, pa.list_(kind)) for name, kind in columns])
    return pa.list_(pa.struct(columns))


def _of_table(function: TableFunction, arguments: Sequence[pa.Array]) -> pa.Array:
    """Every row of a table arrives packed, in one list; what goes back is one value, too."""
    gathered, names, options = arguments
    rows = _unpacked(gathered, function)
    _refuse_clash(function, names[0].as_py() or [], rows, options)
    if function.reviews:
        rows = reviews.joined(rows, options.field(DECISIONS).flatten())
        options = options.cast(pa.struct([f for f in options.type if f.name != DECISIONS]))
    values, given = _split(function, options[0].as_py())
    own = function.compute(rows, *values, **given)
    if not function.keeps_rows:
        own = pa.StructArray.from_arrays(
            [_plain(column) for column in own.flatten()], names=[each.name for each in own.type]
        )
        return _as_one_list(own)
    assert len(own) == len(rows)
    # A list for each column, not a list of structs: nothing is nested where it need not be.
    return pa.StructArray.from_arrays(
        [_as_one_list(_plain(column)) for column in own.flatten()],
        names=[column.name for column in function.returns],
    )


def _plain(column: pa.Array) -> pa.Array:
    """A column without a dictionary: DuckDB 1.5 crashes on those in lists, from several threads."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _list(function: ListFunction, arguments: Sequence[pa.Array]) -> pa.Array:
    (options,) = arguments
    values, given = _split(function, options[0].as_py())
    return _as_one_list(function.compute(*values, **given))


def _split(
    function: TableFunction | ListFunction, given: Mapping[str, object]
) -> tuple[list[object], dict[str, object]]:
    return (
        [given[name] for name in function.arguments],
        checked_options(function.compute, given),
    )


def _free(arguments: Sequence[pa.Array]) -> pa.Array:
    names: list[str] = arguments[0].to_pylist()
    for name in names:
        if name.casefold().startswith(OWN):
            raise ColumnClash(
                f"the table has the column {identifier(name)}, and names that begin with {OWN} are "
                "those of columns within the functions. Give it another: WITH input AS (SELECT * "
                f"RENAME ({identifier(name)} AS other) FROM ...), and name input in the place of "
                "the table."
            )
    return pa.repeat(True, len(names))


def _packed(arguments: Sequence[pa.Array]) -> pa.Array:
    """A ticket in the first row of a batch, NULL in the others."""
    numbers, given, kinds, *of = arguments
    instance, connection, number = (value[0].as_py() for value in of)
    query = instance, connection, number
    if numbers[0].as_py() != 1:
        # In the midst of a table; a `call` would take a Ctrl-C since the last batch for an old one.
        return _waiting(query, numbers, given, kinds)
    _batches.forget(query)
    with work.call():
        return _waiting(query, numbers, given, kinds)


def _waiting(
    query: Query, numbers: pa.Array, given: pa.StructArray, kinds: pa.StructArray
) -> pa.Array:
    try:
        work.check()
        ticket = _batches.put(query, batches.pack(numbers, given, kinds[0].as_py()))
    except BaseException:
        _batches.forget(query, and_itself=True)
        raise
    return pa.concat_arrays([pa.array([ticket]), pa.nulls(len(numbers) - 1, pa.int64())])


def _unpacked(gathered: pa.Array, function: TableFunction) -> pa.StructArray:
    assert len(gathered) == 1
    if not gathered[0].is_valid:
        names = [*(each.name for each in function.columns), *filter(None, [function.second])]
        names += ["key"] * function.reviews
        if isinstance(function, CountFunction):
            names = compared.fields(function.inputs)
        of_no_type = {labels.KIND: labels.UNTYPED}  # no row tells what labels are
        fields = [pa.field(name, pa.null(), metadata=of_no_type) for name in names]
        return pa.StructArray.from_arrays([pa.nulls(0) for _ in fields], fields=fields)
    return batches.unpack(_batches.take(gathered[0].values.to_pylist()))


def _as_one_list(own: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(own)], pa.int32()), own)


def _refuse_clash(
    function: TableFunction, columns: Sequence[str], rows: pa.StructArray, options: pa.StructArray
) -> None:
    if not function.keeps_rows:
        return
    ours = {c.name.casefold() for c in function.returns if c.only is None}
    some = [c for c in function.returns if c.only is not None]
    if some:
        kind, task = (
            labels.kind_of(rows, function.told_by),
            options.field("task")[0].as_py() or AUTO,
        )
        ours |= {c.name.casefold() for c in some if c.only and c.only.is_of(kind, task)}
    clash = [c for c in columns if c.casefold() in ours]
    if clash:
        listed = ", ".join(f'"{c}"' for c in clash)
        name = function.name.removeprefix("_")  # what a macro in SQL calls, for one of its name
        raise ColumnClash(
            f"the table already has the column {listed}, which {name} adds. Leave it "
            f"out or rename it first: WITH input AS (SELECT * EXCLUDE ({listed}) FROM ...) "
            f"FROM {name}(input, ...)."
        )


def _whole(argument: pa.ChunkedArray | pa.Array) -> pa.Array:
    return argument.combine_chunks() if isinstance(argument, pa.ChunkedArray) else argument
