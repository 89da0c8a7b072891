"""What the type of a column says. Of ours it imports but the wording."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.wording import TypeName

FIELDS = TypeName(pa.StructType)  # of values by their names
MAP = TypeName(pa.MapType)
PROBABILITIES = pa.map_(pa.string(), pa.float64())  # of classes


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


def type_of(x: pa.Array) -> pa.DataType:
    """The type of a column's values, which an engine may hand over as a dictionary."""
    return x.type.value_type if pa.types.is_dictionary(x.type) else x.type
