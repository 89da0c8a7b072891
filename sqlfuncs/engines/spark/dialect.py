"""How Spark SQL words things. Pure text, imports only Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa

from sqlfuncs.engines.spark.types import type_name

_LETTERS = r"regexp_replace(lower(text), r'[\s\p{P}]', '')"
# What our messages name a `wording.Snippet` by; an engine has every one of them.
SNIPPETS = {
    "a list as fields": "named_struct('a', x[0], 'b', x[1])",
    "a list of words as a text": "array_join(x, ' ')",
    "a name as a text": "x || ' '",
    "a text as words": "split(x, ' ')",
    "a text with its label": "named_struct('text', '...', 'label', '...')",
    "JSON as probabilities": "from_json(x, 'MAP<STRING, DOUBLE>')",
    "labels in one spelling": r"trim(regexp_replace(lower(label), r'[\s\p{Z}\p{Cc}]+', ' '))",
    "lists as one list": "flatten(x)",
    "how columns are named": "Columns are given by their names.",
    "rows drawn at random": "SELECT * FROM ... TABLESAMPLE (100 ROWS)",
    "rows that are not tested on": f"CREATE TABLE apart AS SELECT * FROM my_table WHERE {_LETTERS} "
    f"NOT IN (SELECT {_LETTERS} FROM my_test WHERE text IS NOT NULL)",
    "the fields a and b": "named_struct('a', a, 'b', b)",
    "the latest label of each": "SELECT item, annotator, max_by(label, labelled_at) AS label "
    "FROM ... GROUP BY ALL",
}


class SparkDialect:
    """See `sqlfuncs.engines.base.Dialect`."""

    def identifier(self, name: str) -> str:
        """See `Dialect`.

        >>> DIALECT.identifier("we`ird")
        '`we``ird`'
        """
        if not name or "\0" in name:
            raise ValueError(f"{name!r} cannot be the name of anything in Spark")
        return "`" + name.replace("`", "``") + "`"

    def literal(self, value: object) -> str:
        r"""See `Dialect`. A backslash is doubled, as Spark reads it in every string.

        >>> print(DIALECT.literal("it's \\"), DIALECT.literal({"a": [1, None, True]}))
        'it\'s \\' map('a', array(1, NULL, true))
        """
        match value:
            case None:
                return "NULL"
            case bool():
                return "true" if value else "false"
            case int():
                return str(value)
            case Decimal():
                return f"{value:f}"
            case float():
                is_number = value == value and abs(value) != float("inf")
                return f"{value!r}D" if is_number else f"DOUBLE('{value}')"
            case str():
                if "\0" in value:
                    raise ValueError("text with a NUL character cannot stand in SQL")
                plain = value.replace("\\", "\\\\").replace("'", "\\'")
                plain = plain.replace("${", "\\u0024{")  # Spark fills in ${...}, in quotes too
                return f"'{plain}'"
            case list() | tuple():
                return f"array({', '.join(map(self.literal, value))})"
            case Mapping():
                pairs = (self.literal(each) for pair in value.items() for each in pair)
                return f"map({', '.join(pairs)})"
        if value is ...:
            return "..."
        raise TypeError(f"{value!r} has no literal in SQL")

    def type_name(self, of: pa.DataType | type[pa.DataType]) -> str:
        """See `Dialect`."""
        return type_name(of)

    def option(self, name: str, value: str) -> str:
        """See `Dialect`."""
        return f"{name} => {value}"

    def call(self, function: str, arguments: Sequence[str], *, is_table: bool) -> str:
        """See `Dialect`."""
        return f"{'SELECT * FROM ' if is_table else ''}{function}({', '.join(arguments)})"

    def cast(self, expression: str, to: pa.DataType) -> str:
        """See `Dialect`."""
        return f"CAST({expression} AS {type_name(to)})"

    def set_variable(self, name: str, value: str) -> str:
        """See `Dialect`."""
        return f"SET VARIABLE {name} = {value}"

    def snippet(self, name: str) -> str:
        """See `Dialect`."""
        return SNIPPETS[name]


DIALECT = SparkDialect()
