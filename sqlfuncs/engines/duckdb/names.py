"""Quoting for DuckDB: names, text, and names with dots in them. Pure text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlfuncs.engines import qualified_names

OWN = "_sf_"  # what names of ours begin with, those of columns within our functions among them


def identifier(name: str) -> str:
    """One name, quoted so that it is nothing but a name.

    >>> print(identifier('we"ird'))
    "we""ird"
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} cannot be the name of anything in DuckDB")
    return '"' + name.replace('"', '""') + '"'


def qualified(parts: Iterable[str]) -> str:
    """A name in its schema and database.

    >>> print(qualified(["my db", "main", "t"]))
    "my db"."main"."t"
    """
    return ".".join(identifier(part) for part in parts)


def split_qualified(written: str) -> list[str]:
    """The parts of a table's name as somebody writes it: dots separate, quotes protect.

    >>> split_qualified('main."a.b"')
    ['main', 'a.b']
    """
    return qualified_names.split_qualified(written, '"')


def literal(value: object) -> str:
    """A value as a DuckDB literal; an ellipsis, in what is shown and not run, as it is.

    >>> print(literal("it's"), literal(None), literal(True), literal(0.5), literal(["a", "b"]))
    'it''s' NULL true 0.5 ['a', 'b']
    >>> print(literal({"a": [1, ...]}), literal(Decimal("1.50")))
    MAP {'a': [1, ...]} 1.50
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
            return (
                f"'{value}'::DOUBLE"
                if value != value or abs(value) == float("inf")
                else repr(value)
            )
        case str():
            if "\0" in value:
                raise ValueError("text with a NUL character cannot stand in SQL")
            return "'" + value.replace("'", "''") + "'"
        case list() | tuple():
            return "[" + ", ".join(literal(v) for v in value) + "]"
        case Mapping():
            return f"MAP {{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if value is ...:
        return "..."
    raise TypeError(f"{value!r} has no literal in SQL")
