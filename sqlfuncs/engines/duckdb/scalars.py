"""Calls of functions of each row, a batch at a time. Options come as columns of one value."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import ScalarFunction, checked_options

ONE, SEVERAL = "one", "several"  # of what a function returns that may give lists


def called(function: ScalarFunction, arguments: Sequence[pa.Array]) -> pa.Array:
    """What a function says of a batch of rows: its inputs, then the options as columns."""
    rows = len(arguments[0])
    inputs, given = arguments[: len(function.inputs)], arguments[len(function.inputs) :]
    query = []
    if function.per_query:
        query, given = [_query(given[0])], given[1:]
    options = {
        name: _constant(name, values) for name, values in zip(function.options, given, strict=True)
    }
    checked = checked_options(function.compute, options)
    result = function.compute(*inputs, *query, **checked)
    assert len(result) == rows
    if not may_give_lists(function):
        return result
    kind = function.returned(checked, inputs[0].type)
    fields = [
        result if field.type == kind else pa.nulls(rows, field.type) for field in _either(function)
    ]
    return pa.StructArray.from_arrays(fields, fields=list(_either(function)))


def returned(function: ScalarFunction) -> pa.DataType:
    """The type of what `called` returns."""
    return _either(function) if may_give_lists(function) else function.returns


def may_give_lists(function: ScalarFunction) -> bool:
    """Whether what it returns is of one type or of lists of it, by the call."""
    return function.lists is not None or function.word_by_word


def _either(function: ScalarFunction) -> pa.StructType:
    """One value or a list of them; of both fields a call has one, and the macro takes that."""
    return pa.struct([(ONE, function.returns), (SEVERAL, pa.list_(function.returns))])


def _query(values: pa.Array) -> tuple[int, ...] | None:
    """Which query a batch is of: of which instance and connection, and its number there."""
    return tuple(values[0].as_py()) if len(values) else None


def _constant(name: str, values: pa.Array) -> object:
    """The one value an option has in a batch."""
    work.check()
    if len(values) == 0:
        return None
    first = values[0]
    if not values.equals(pa.repeat(first, len(values))) and not _is_nan(values):
        raise BadOption(f"{name} := ... has to be the same for every row; it is not a column.")
    value: object = first.as_py()
    return value


def _is_nan(values: pa.Array) -> bool:
    """Whether all are, which equal nothing."""
    return pa.types.is_floating(values.type) and pc.all(pc.is_nan(values)).as_py() is True
