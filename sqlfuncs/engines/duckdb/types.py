"""Arrow types as DuckDB writes them. Imports only Arrow."""

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
