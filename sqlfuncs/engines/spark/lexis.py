r"""Spark SQL text cut into the pieces that quotes and comments make of it, as Spark's lexer does.

Text is in single or double quotes, where a backslash takes the next character along; with an R
before it a backslash is nothing. Names may be in backticks. A comment of a line goes on behind a
backslash, comments between `/*` and `*/` nest, and `/*+` begins a hint, which is none. What Spark
itself could read otherwise is refused. Pure text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlfuncs.queries.pieces import Kind, Piece, Unclear

_PIECE = re.compile(
    r"""
    (?P<raw>[rR](?:'[^']*'|"[^"]*"))
    | (?P<text>'(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*")
    | (?P<name>`(?:``|[^`])*`)
    | (?P<line>--(?:\\\n|[^\r\n])*)
    | (?P<hint>/\*\+)
    | (?P<block>/\*)
    | (?P<tag>\$\w*\$|\$\{)
    | (?P<path>[^\W\d_]+://)
    | (?P<word>\w+)
    | (?P<space>\s+)
    | (?P<option>=>|:=)
    | (?P<open>['"`])
    | (?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_ENDS = re.compile(r"/\*\+?|\*/")
_KINDS = {
    "raw": Kind.TEXT,
    "text": Kind.TEXT,
    "name": Kind.NAME,
    "line": Kind.COMMENT,
    "word": Kind.WORD,
    "space": Kind.SPACE,
}


def pieces(sql: str) -> Iterator[Piece]:
    r"""The pieces of a text, all of it. Raises Unclear.

    >>> [piece.text for piece in pieces(r"f(`a``b`, 'it\'s') -- c")]
    ['f', '(', '`a``b`', ',', ' ', "'it\\'s'", ')', ' ', '-- c']
    """
    at = 0
    while at < len(sql):
        piece = _piece(sql, at)
        yield piece
        at += len(piece.text)


def _piece(sql: str, at: int) -> Piece:
    found = _PIECE.match(sql, at)
    assert found is not None
    kind = found.lastgroup or ""
    match kind:
        case "block":
            return Piece(Kind.COMMENT, sql[at : _end_of_comment(sql, at)], at)
        case "tag" | "path":
            raise Unclear(f"{found[0]!r} outside of quotes can be read in several ways")
        case "open":
            raise Unclear(f"a quote {found[0]} is never closed")
        case "word" if found[0] in ("r", "R") and sql[found.end() : found.end() + 1] in ("'", '"'):
            raise Unclear("a raw text is never closed")
    return Piece(_KINDS.get(kind, Kind.OTHER), found[0], at)


def _end_of_comment(sql: str, at: int) -> int:
    depth = 0
    for found in _COMMENT_ENDS.finditer(sql, at):
        if found[0] == "/*+":
            raise Unclear("a hint /*+ stands in a comment")
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise Unclear("a comment /* is never closed")


def unquoted(name: Piece) -> str:
    """A name as it is called, without its backticks.

    >>> unquoted(next(pieces("`a``b`")))
    'a`b'
    """
    if name.kind is Kind.NAME:
        return name.text[1:-1].replace("``", "`")
    return name.text
