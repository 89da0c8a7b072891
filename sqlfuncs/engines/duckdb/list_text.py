"""DuckDB's own text for lists of text, as casts and decision logs have it. Pure Python."""

from __future__ import annotations

from unicodedata import normalize


def parts(text: str) -> list[str] | None:
    """The texts of a list as DuckDB writes it; None for what is none, or holds NULL.

    Each in one code point where it may be in two.

    >>> parts("[a, 'b, c']"), parts('["a"]'), parts("[]"), parts("a"), parts("[a, NULL]")
    (['a', 'b, c'], ['a'], [], None, None)
    """
    text = text.strip()
    if not text.startswith("[") or not text.endswith("]"):
        return None
    found, place, end = list[str](), 1, len(text) - 1
    while place < end:
        part, place = _next(text, place, end)
        if part is None:
            return None
        found.append(part)
        place += 1  # the comma
    return found


def _next(text: str, place: int, end: int) -> tuple[str | None, int]:
    """The one that begins at a place, and where it ends: in quotes, or up to a comma."""
    while place < end and text[place] == " ":
        place += 1
    quote = text[place] if place < end and text[place] in "'\"" else ""
    place += bool(quote)
    letters = list[str]()
    while place < end and text[place] != (quote or ","):
        if text[place] == "\\" and quote:
            place += 1
        letters.append(text[place])
        place += 1
    if quote:
        while place < end and text[place] != ",":
            place += 1
    part = normalize("NFC", "".join(letters))
    part = part if quote else part.rstrip(" ")
    return (part if quote or part.upper() != "NULL" else None), place
