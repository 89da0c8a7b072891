"""What the type of a column says, and what SQL calls it. Imports nothing of ours."""

from __future__ import annotations

import pyarrow as pa

_SQL_TYPES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date32": "DATE",
    "time64": "TIME",
    "timestamp": "TIMESTAMP",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "binary": "BLOB",
}


def is_text(of: pa.DataType) -> bool:
    """Whether a column of a type holds texts, perhaps of few kinds (an ENUM)."""
    if pa.types.is_dictionary(of):
        of = of.value_type
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of))


def is_list(of: pa.DataType) -> bool:
    """Whether a column of a type holds lists, of one length or of several."""
    return bool(pa.types.is_list(of) or pa.types.is_fixed_size_list(of))


def without_dictionary(x: pa.Array) -> pa.Array:
    """A column with its values in place."""
    return x.cast(x.type.value_type) if pa.types.is_dictionary(x.type) else x


def type_in_sql(of: pa.DataType) -> str:
    """What SQL calls a type, for messages; one that it has no name for by its own.

    >>> type_in_sql(pa.int64()), type_in_sql(pa.date32()), type_in_sql(pa.decimal128(9, 2))
    ('BIGINT', 'DATE', 'DECIMAL(9,2)')
    >>> type_in_sql(pa.map_(pa.string(), pa.list_(pa.float32())))
    'MAP(VARCHAR, FLOAT[])'
    """
    if pa.types.is_decimal(of):
        return f"DECIMAL({of.precision},{of.scale})"
    if pa.types.is_map(of):
        key = of.key_type  # a dictionary of texts, on the way from the engine
        key = key.value_type if pa.types.is_dictionary(key) else key
        return f"MAP({type_in_sql(key)}, {type_in_sql(of.item_type)})"
    if pa.types.is_list(of):
        return f"{type_in_sql(of.value_type)}[]"
    if pa.types.is_fixed_size_list(of):
        return f"{type_in_sql(of.value_type)}[{of.list_size}]"
    if pa.types.is_struct(of):
        fields = ", ".join(f"{each.name} {type_in_sql(each.type)}" for each in of)
        return f"STRUCT({fields})"
    if pa.types.is_dictionary(of):
        return "ENUM"
    return _SQL_TYPES.get(str(of).partition("[")[0], str(of))
