"""SQL text cut into the pieces that quotes and comments make of it, as DuckDB reads them.

Both of its scanners agree on what is here: comments nest, a comment of a line ends at a carriage
return too, a backslash means something in E-strings alone, and a dollar quote has a tag that is a
name, or none, and does not begin within a name. What they could read otherwise is refused.
Pure text, imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_NAME = r"[A-Za-z_\u0080-\U0010ffff]"
_IN_NAME = r"[A-Za-z0-9_$\u0080-\U0010ffff]"
_PIECE = re.compile(
    rf"""
    (?P<escaped>[eE]'(?:\\.|''|[^'\\])*')
    | (?P<text>'(?:''|[^'])*')
    | (?P<name>"(?:""|[^"])*")
    | (?P<line>--[^\r\n]*)
    | (?P<block>/\*)
    | (?P<tag>\$(?:{_NAME}(?:(?!\$){_IN_NAME})*)?\$)
    | (?P<word>{_NAME}{_IN_NAME}*)
    | (?P<number>[0-9][0-9_.]*)
    | (?P<space>\s+)
    | (?P<open>['"])
    | (?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_ENDS = re.compile(r"/\*|\*/")
_UNLIKE_ASCII = re.compile(r"[\u0080-\U0010ffff]\Z")


class Kind(Enum):
    """What a piece is."""

    TEXT = auto()  # a string, however it is quoted
    NAME = auto()  # in double quotes
    COMMENT = auto()
    WORD = auto()  # a name without quotes, a keyword or a number
    SPACE = auto()
    OTHER = auto()  # a sign


@dataclass(frozen=True)
class Piece:
    """A piece, and where it begins."""

    kind: Kind
    text: str
    at: int


class Unclear(ValueError):
    """A quote or comment that is never closed, or that may be read in two ways."""


def pieces(sql: str) -> Iterator[Piece]:
    """The pieces of a text, all of it. Raises Unclear.

    >>> [piece.text for piece in pieces("f('a''b') /* c /* d */ */")]
    ['f', '(', "'a''b'", ')', ' ', '/* c /* d */ */']
    """
    at = 0
    escaped = False  # whether the last piece of weight was an E-string, which a line end continues
    while at < len(sql):
        piece = _piece(sql, at)
        if piece.kind is Kind.TEXT:
            if escaped and piece.text.startswith("'"):
                raise Unclear("text goes on after an E-string: write it as one string")
            escaped = piece.text[0] in "eE"
        elif piece.kind not in (Kind.SPACE, Kind.COMMENT):
            escaped = False
        yield piece
        at += len(piece.text)


def _piece(sql: str, at: int) -> Piece:
    found = _PIECE.match(sql, at)
    assert found is not None
    kind = found.lastgroup
    match kind:
        case "escaped" | "text":
            return Piece(Kind.TEXT, found[0], at)
        case "name":
            return Piece(Kind.NAME, found[0], at)
        case "line":
            return Piece(Kind.COMMENT, found[0], at)
        case "block":
            return Piece(Kind.COMMENT, sql[at : _end_of_comment(sql, at)], at)
        case "tag":
            end = sql.find(found[0], found.end())
            if end == -1:
                raise Unclear(f"{found[0]} is never closed")
            return Piece(Kind.TEXT, sql[at : end + len(found[0])], at)
        case "word":
            _refuse_unclear(sql, found)
            return Piece(Kind.WORD, found[0], at)
        case "number":
            return Piece(Kind.WORD, found[0], at)
        case "space":
            return Piece(Kind.SPACE, found[0], at)
        case "open":
            raise Unclear(f"a quote {found[0]} is never closed")
    return Piece(Kind.OTHER, found[0], at)


def _refuse_unclear(sql: str, word: re.Match[str]) -> None:
    r"""A space that is none in ASCII ends a name for DuckDB: what begins then is an E-string."""
    follows = sql[word.end() : word.end() + 1]
    if word[0] in ("e", "E") and follows == "'":
        raise Unclear("an E-string is never closed")
    for tail in ("e", "E", "$"):
        before = word[0].removesuffix(tail)
        if before != word[0] and (follows == "'" or tail == "$") and _UNLIKE_ASCII.search(before):
            raise Unclear(f"{word[0]!r} before a quote can be read in two ways: write a space")
    if "$$" in word[0] or re.search(r"[\u0080-\U0010ffff]\$", word[0]):
        raise Unclear(f"{word[0]!r} can be read in two ways: write a space before the dollar")


def _end_of_comment(sql: str, at: int) -> int:
    depth = 0
    for found in _COMMENT_ENDS.finditer(sql, at):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise Unclear("a comment /* is never closed")
