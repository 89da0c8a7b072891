"""Names of tables as somebody writes them, in an engine's quotes. Pure text, imports nothing."""

from __future__ import annotations


def split_qualified(written: str, quotes: str) -> list[str]:
    """The parts of a table's name: dots separate, quotes protect, and two of them are one.

    Each character of `quotes` may open a part, and closes it.

    >>> split_qualified('main."a.b"', '"')
    ['main', 'a.b']
    >>> split_qualified("main.labels.`a.b`", "`"), split_qualified("we`ird", "`")
    (['main', 'labels', 'a.b'], ['we`ird'])
    >>> split_qualified('main."a.b".`c"d`', '`"')
    ['main', 'a.b', 'c"d']
    """
    parts: list[str] = []
    rest = written
    while True:
        quote = rest[:1]
        if quote and quote in quotes and (end := _closing(rest, quote)) is not None:
            parts.append(rest[1:end].replace(quote * 2, quote))
            rest = rest[end + 1 :]
        else:
            part, dot, after = rest.partition(".")
            parts.append(part)
            rest = dot + after
        if not rest:
            return parts
        rest = rest[1:]


def _closing(text: str, quote: str) -> int | None:
    """Where the quoted name at the start of `text` ends, if a dot or nothing follows it."""
    at = 1
    while (at := text.find(quote, at)) != -1:
        if text[at + 1 : at + 2] == quote:
            at += 2
            continue
        return at if text[at + 1 : at + 2] in ("", ".") else None
    return None
