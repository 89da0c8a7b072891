"""Labels of Spark's as the computing reads them: as text, with the kind of their type."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.engines.spark.types import type_name
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import labels, tags, words
from sqlfuncs.learning.labels.labels import Labels
from sqlfuncs.learning.rows.words import WordLists, are_words


def kind_of(name: str, of: pa.DataType) -> str:
    """What labels of a type are (`learning.labels`). Raises BadInput for one of several values.

    >>> [kind_of("label", each) for each in (pa.string(), pa.int8(), pa.date32(), pa.float32())]
    ['text', 'integer', 'time', 'float']
    """
    kind = _kind_of_one(of)
    if kind is None:
        raise BadInput(
            f"{name} is of type {type_name(of)}, which is no label: a row has one value. Name the "
            f"one that is meant, such as {name}.field or {name}['key']."
        )
    return kind


def any_kind_of(label: pa.DataType, x: pa.DataType | None = None) -> str | None:
    """The same where lists of text are labels, too: of words, beside words, else tags.

    `x` is what they are labels of, of words or predictions of them. None for what is no label.

    >>> some = pa.list_(pa.string())
    >>> any_kind_of(some), any_kind_of(some, some), any_kind_of(pa.list_(pa.int8()))
    ('tags', 'words', None)
    """
    if not WordLists.is_type(label):
        return _kind_of_one(label)
    return words.KIND if x is not None and are_words(x) else tags.KIND


def _kind_of_one(of: pa.DataType) -> str | None:
    types = pa.types
    if types.is_dictionary(of):
        of = of.value_type
    if types.is_null(of):
        return labels.UNTYPED
    if types.is_string(of) or types.is_large_string(of):
        return labels.TEXT
    if types.is_boolean(of):
        return labels.BOOLEAN
    if types.is_integer(of):
        return labels.INTEGER
    if types.is_decimal(of):
        return labels.DECIMAL
    if types.is_floating(of):
        return labels.FLOAT
    if types.is_date(of) or (types.is_timestamp(of) and of.tz is None):
        return labels.TIME
    if types.is_timestamp(of):
        return labels.INSTANT
    return None


def text_of(label: pa.Array) -> pa.Array:
    """The text of each label, as DuckDB writes it."""
    if pa.types.is_floating(label.type):
        return pa.array([None if v is None else str(v) for v in label.to_pylist()], pa.string())
    return label.cast(pa.string())


def labels_of(column: pa.Array, name: str) -> Labels:
    """Labels whose classes are known, as the computing reads them. Raises as `kind_of`."""
    field = pa.field("label", pa.string(), metadata={labels.KIND: kind_of(name, column.type)})
    return labels.read_known(pa.StructArray.from_arrays([text_of(column)], fields=[field]))
