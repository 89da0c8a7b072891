"""Arrow types as DuckDB writes them, and as messages name them. Imports only Arrow."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.engines.duckdb.names import identifier

_PLAIN: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.timestamp("us"): "TIMESTAMP",
}
# What columns may have besides, and results of ours have not.
_NAMES: dict[str, str] = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "uint64": "UBIGINT",
    "date32": "DATE",
    "time64": "TIME",
    "timestamp": "TIMESTAMP",
    "large_string": "VARCHAR",
    "binary": "BLOB",
}
_OF_CLASSES: dict[type[pa.DataType], str] = {
    pa.StructType: "STRUCT",
    pa.MapType: "MAP",
    pa.ListType: "LIST",
}


def sql_type(arrow: pa.DataType) -> str:
    """The DuckDB type that holds an Arrow type.

    >>> sql_type(pa.map_(pa.string(), pa.float64()))
    'MAP(VARCHAR, DOUBLE)'
    >>> sql_type(pa.list_(pa.struct([("q", pa.float64())])))
    'STRUCT("q" DOUBLE)[]'
    """
    if arrow in _PLAIN:
        return _PLAIN[arrow]
    if isinstance(arrow, pa.MapType):
        return f"MAP({sql_type(arrow.key_type)}, {sql_type(arrow.item_type)})"
    if isinstance(arrow, pa.ListType):
        return f"{sql_type(arrow.value_type)}[]"
    if isinstance(arrow, pa.StructType):
        fields = ", ".join(f"{identifier(f.name)} {sql_type(f.type)}" for f in arrow)
        return f"STRUCT({fields})"
    raise TypeError(f"no DuckDB type is written for Arrow's {arrow}")


def type_name(of: pa.DataType | type[pa.DataType]) -> str:
    """What DuckDB calls a type, for messages; one that it has no name for by its own.

    >>> type_name(pa.int64()), type_name(pa.date32()), type_name(pa.decimal128(9, 2))
    ('BIGINT', 'DATE', 'DECIMAL(9,2)')
    >>> type_name(pa.map_(pa.string(), pa.list_(pa.float32()))), type_name(pa.MapType)
    ('MAP(VARCHAR, FLOAT[])', 'MAP')
    >>> type_name(pa.map_(pa.dictionary(pa.int8(), pa.string()), pa.float32()))
    'MAP(VARCHAR, FLOAT)'
    """
    if isinstance(of, type):
        return _OF_CLASSES[of]
    if of in _PLAIN:
        return _PLAIN[of]
    if pa.types.is_decimal(of):
        return f"DECIMAL({of.precision},{of.scale})"
    if pa.types.is_map(of):
        key = of.key_type  # a dictionary of texts, on the way from the engine
        key = key.value_type if pa.types.is_dictionary(key) else key
        return f"MAP({type_name(key)}, {type_name(of.item_type)})"
    if pa.types.is_list(of):
        return f"{type_name(of.value_type)}[]"
    if pa.types.is_fixed_size_list(of):
        return f"{type_name(of.value_type)}[{of.list_size}]"
    if pa.types.is_struct(of):
        fields = ", ".join(f"{each.name} {type_name(each.type)}" for each in of)
        return f"STRUCT({fields})"
    if pa.types.is_dictionary(of):
        return "ENUM"
    return _NAMES.get(str(of).partition("[")[0], str(of))
