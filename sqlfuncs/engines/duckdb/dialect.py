"""How DuckDB words things. Pure text, imports only Arrow: messages need it where DuckDB is not."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from sqlfuncs.engines.duckdb import names
from sqlfuncs.engines.duckdb.types import type_name

_LETTERS = r"regexp_replace(lower(text), '[\s\pP]', '', 'g')"
# What our messages name a `wording.Snippet` by; an engine has every one of them.
SNIPPETS = {
    "a list as fields": "{a: x[1], b: x[2]}",
    "a list of words as a text": "array_to_string(x, ' ')",
    "a name as a text": "x || ' '",
    "a text as words": "string_split(x, ' ')",
    "a text with its label": "{text: '...', label: '...'}",
    "JSON as probabilities": "x::JSON::MAP(VARCHAR, DOUBLE)",
    "labels in one spelling": r"trim(regexp_replace(lower(label), '[\s\p{Z}\p{Cc}]+', ' ', 'g'))",
    "lists as one list": "flatten(x)",
    "how columns are named": "Columns are written bare, without quotes.",
    "rows drawn at random": "FROM ... USING SAMPLE 100",
    "rows that are not tested on": f"CREATE TABLE apart AS FROM my_table WHERE {_LETTERS} NOT IN "
    f"(SELECT {_LETTERS} FROM my_test WHERE text IS NOT NULL)",
    "the fields a and b": "{a: a, b: b}",
    "the latest label of each": "SELECT item, annotator, arg_max(label, labelled_at) AS label "
    "FROM ... GROUP BY ALL",
}


class DuckDBDialect:
    """See `sqlfuncs.engines.base.Dialect`."""

    def identifier(self, name: str) -> str:
        """See `Dialect`."""
        return names.identifier(name)

    def literal(self, value: object) -> str:
        """See `Dialect`."""
        return names.literal(value)

    def type_name(self, of: pa.DataType | type[pa.DataType]) -> str:
        """See `Dialect`."""
        return type_name(of)

    def option(self, name: str, value: str) -> str:
        """See `Dialect`."""
        return f"{name} := {value}"

    def call(self, function: str, arguments: Sequence[str], *, is_table: bool) -> str:
        """See `Dialect`.

        >>> DIALECT.call("label_issues", ["t", "x", "label"], is_table=True)
        'FROM label_issues(t, x, label)'
        """
        return f"{'FROM ' if is_table else ''}{function}({', '.join(arguments)})"

    def cast(self, expression: str, to: pa.DataType) -> str:
        """See `Dialect`.

        >>> DIALECT.cast("x", pa.list_(pa.float32()))
        'x::FLOAT[]'
        """
        return f"{expression}::{type_name(to)}"

    def set_variable(self, name: str, value: str) -> str:
        """See `Dialect`."""
        return f"SET VARIABLE {name} = {value}"

    def snippet(self, name: str) -> str:
        """See `Dialect`."""
        return SNIPPETS[name]


DIALECT = DuckDBDialect()
