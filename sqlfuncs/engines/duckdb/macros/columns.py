"""The columns that a function of a table gives back, in the text of its macro.

Some are of the type of the labels, some are there for some labels only: both are known as a
statement is planned, by values of the inputs that are kept for their types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.engines.duckdb.types import sql_type
from sqlfuncs.functions.spec import AUTO, Column, TableFunction

_LABEL_TEXT = "sqlfuncs.main._sf_label_text"
_TYPED = "sqlfuncs.main._sf_typed"
_MAP = "sqlfuncs.main._sf_map"


def typed_like(function: TableFunction) -> list[str]:
    """The inputs of which a value is kept, for their types."""
    like = {c.type for c in function.returns if isinstance(c.type, str)}
    of = _labels_of(function)
    if any(c.only for c in function.returns):
        like |= {function.told_by} if of is None else {function.told_by, of}
    return sorted(like)


def _labels_of(function: TableFunction) -> str | None:
    """The input whose type counts, beside that of labels, for what these are."""
    return next((each.of for each in function.columns if each.name == function.told_by), None)


def kept_for_type(function: TableFunction, name: str) -> str:
    """A value of an input's type; of what may be large, as x, always NULL."""
    of_labels = name == _labels_of(function)
    return f"CASE WHEN false THEN {name} END" if of_labels else name


def given_again(function: TableFunction) -> list[str]:
    """The inputs whose own values may be those of a column."""
    return sorted({c.given for c in function.returns if c.given})


def given_value(function: TableFunction, name: str) -> str:
    """The values of an input, which are computed once."""
    if not function.keeps_rows or name not in given_again(function):
        return name
    return f"CASE WHEN _sf_bare_{name} THEN {name} ELSE _sf_kept_{name} END"


def own_columns(function: TableFunction, named: Callable[[str], str]) -> str:
    """The columns in their order; those of some labels with one beside them that always is."""
    values = {
        column: _own_value(function, column, named(column.name)) for column in function.returns
    }
    shown = {column: f"{values[column]} AS {identifier(column.name)}" for column in values}
    some = [column for column in values if column.only is not None]
    if some:
        first = function.returns.index(some[0])
        block = function.returns[first : first + len(some)]
        assert list(block) == some, "columns of some labels stand together"
        # One of the type of the labels has no type that could be written down.
        beside = (function.returns[first + len(some)], function.returns[first - 1])
        always = next(column for column in beside if not isinstance(column.type, str))
        columns = (*some, always) if always is beside[0] else (always, *some)
        fields = ", ".join(f"{identifier(c.name)}: {values[c]}" for c in columns)
        for column in columns:
            del shown[column]
        shape = _shape(function, columns)
        at = min(function.returns.index(column) for column in columns)
        pieces = [*shown.values()]
        pieces.insert(at, f"unnest(cast_to_type({{{fields}}}, {shape}))")
        return ", ".join(pieces)
    return ", ".join(shown.values())


def _shape(function: TableFunction, columns: Iterable[Column]) -> str:
    """A value of the type of a STRUCT of the columns that are there for the labels of a call.

    What is cast to it loses the other fields. The type of the labels is known as a statement is
    planned, and json_transform makes a type of a text that is.
    """
    pieces, told = [], f"typeof({_TYPED}(_sf_any_{function.told_by}))"
    of = _labels_of(function)
    told += f", x_type := typeof({_TYPED}(_sf_any_{of}))" if of else ""
    for column in columns:
        only = column.only
        if only is None:
            pieces.append(literal(_field(column)))
            continue
        kinds = ", ".join(map(literal, only.kinds))
        pieces.append(
            f"CASE WHEN coalesce(task, {literal(AUTO)}) = {literal(only.task)} OR ("
            f"coalesce(task, {literal(AUTO)}) = {literal(AUTO)} AND "
            f"sqlfuncs.main._sf_labels_kind({told}) IN ({kinds})) "
            f"THEN {literal(_field(column))} END"
        )
    return f"json_transform('{{}}', '{{' || concat_ws(', ', {', '.join(pieces)}) || '}}')"


def _field(column: Column) -> str:
    return f'"{column.name}": {_structure(column.computed_type)}'


def _structure(of: pa.DataType) -> str:
    """A type as json_transform reads it: its fields are spelt out, the rest by its name."""
    if pa.types.is_list(of):
        return f"[{_structure(of.value_type)}]"
    if pa.types.is_struct(of):
        return "{" + ", ".join(f'"{each.name}": {_structure(each.type)}' for each in of) + "}"
    return f'"{sql_type(of)}"'


def _own_value(function: TableFunction, column: Column, value: str) -> str:
    if isinstance(column.type, str):
        like = f"_sf_any_{column.type}"
        return f"TRY(cast_to_type({_LABEL_TEXT}({value}, {like}), {_TYPED}({like})))"
    if column.given:
        given = f"{_MAP}({given_value(function, column.given)})"
        return f"CASE WHEN cardinality({value}) = 0 THEN {given} ELSE {value} END"
    return value
