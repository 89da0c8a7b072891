"""Arrow types as Spark writes them, and as messages name them. Imports only Arrow."""

from __future__ import annotations

import pyarrow as pa

_PLAIN: dict[pa.DataType, str] = {
    pa.null(): "VOID",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.large_string(): "STRING",
    pa.binary(): "BINARY",
    pa.date32(): "DATE",
}
_OF_CLASSES: dict[type[pa.DataType], str] = {
    pa.StructType: "STRUCT",
    pa.MapType: "MAP",
    pa.ListType: "ARRAY",
}


def type_name(of: pa.DataType | type[pa.DataType]) -> str:
    """What Spark calls the type that holds an Arrow type; one that it has not by Arrow's own name.

    >>> type_name(pa.map_(pa.string(), pa.list_(pa.float32()))), type_name(pa.MapType)
    ('MAP<STRING, ARRAY<FLOAT>>', 'MAP')
    >>> type_name(pa.timestamp("us")), type_name(pa.timestamp("us", "UTC"))
    ('TIMESTAMP_NTZ', 'TIMESTAMP')
    >>> type_name(pa.struct([("a b", pa.int64())])), type_name(pa.decimal128(9, 2))
    ('STRUCT<`a b`: BIGINT>', 'DECIMAL(9, 2)')
    """
    if isinstance(of, type):
        return _OF_CLASSES[of]
    if of in _PLAIN:
        return _PLAIN[of]
    if pa.types.is_timestamp(of):
        return "TIMESTAMP_NTZ" if of.tz is None else "TIMESTAMP"
    if pa.types.is_decimal(of):
        return f"DECIMAL({of.precision}, {of.scale})"
    if pa.types.is_map(of):
        return f"MAP<{type_name(of.key_type)}, {type_name(of.item_type)}>"
    if pa.types.is_list(of) or pa.types.is_fixed_size_list(of):
        return f"ARRAY<{type_name(of.value_type)}>"
    if pa.types.is_struct(of):
        return f"STRUCT<{', '.join(f'{_name(each.name)}: {type_name(each.type)}' for each in of)}>"
    if pa.types.is_dictionary(of):
        return type_name(of.value_type)
    return str(of)


def _name(name: str) -> str:
    return name if name.isidentifier() else "`" + name.replace("`", "``") + "`"
