"""Texts without capitals, spaces and punctuation, in which near duplicates are the same."""

from __future__ import annotations

from unicodedata import category, normalize


def letters(text: str) -> str:
    """The letters and digits of a text; a text that has none is left as it is.

    >>> letters("Where IS it?") == letters("where is it")
    True
    >>> letters("?!")
    '?!'
    """
    return normalize("NFKC", text).casefold().translate(_kept) or text


class _Kept(dict[int, int | None]):
    """For `str.translate`: leaves out spaces, punctuation and control characters."""

    def __missing__(self, point: int) -> int | None:
        self[point] = None if category(chr(point))[0] in "ZPC" else point
        return self[point]


_kept = _Kept()
