"""Quoting for DuckDB: names, text, and names with dots in them. Pure text, imports nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

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
    >>> split_qualified('we"ird')
    ['we"ird']
    """
    parts: list[str] = []
    rest = written
    while True:
        if rest.startswith('"') and (end := _closing_quote(rest)) is not None:
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :]
        else:
            part, dot, after = rest.partition(".")
            parts.append(part)
            rest = dot + after
        if not rest:
            return parts
        rest = rest[1:]


def _closing_quote(text: str) -> int | None:
    """Where the quoted name at the start of `text` ends, if a dot or nothing follows it."""
    at = 1
    while (at := text.find('"', at)) != -1:
        if text[at + 1 : at + 2] == '"':
            at += 2
            continue
        return at if text[at + 1 : at + 2] in ("", ".") else None
    return None


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
