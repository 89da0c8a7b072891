"""Calls of our functions as they are written in a statement of Spark SQL. Pure text.

A function of a table is called as in DuckDB, `FROM label_issues(t, text, label, cut := 'auto')`:
where a table stands, with tables and columns by their bare names. A call on `TABLE(t)` is Spark's
own and stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from sqlfuncs.engines.spark.lexis import pieces, unquoted
from sqlfuncs.errors import BadInput
from sqlfuncs.queries.pieces import Kind, Piece, Unclear

_BEGIN_CLAUSES = frozenset(
    [
        *("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "QUALIFY", "LIMIT", "WINDOW"),
        *("VALUES", "SET", "UNION", "INTERSECT"),
    ]
)
_BEFORE_TABLES = frozenset(["FROM", "JOIN", "LATERAL"])
_OURS = ("sqlfuncs", "main")  # what they may be called by in DuckDB


@dataclass(frozen=True)
class Argument:
    """What stands between two commas: the name of an option, and the pieces of the value."""

    name: str | None
    pieces: tuple[Piece, ...]
    text: str

    @property
    def path(self) -> tuple[str, ...] | None:
        """The parts of a name with dots in it, None for anything else."""
        names, dots = self.pieces[::2], self.pieces[1::2]
        if len(self.pieces) % 2 == 0 or any(dot.text != "." for dot in dots):
            return None
        if any(each.kind not in (Kind.WORD, Kind.NAME) for each in names):
            return None
        if any(each.kind is Kind.WORD and each.text[0].isdigit() for each in names[:1]):
            return None
        return tuple(map(unquoted, names))


@dataclass(frozen=True)
class WrittenCall:
    """A call: where it stands, and the common tables that are defined before it."""

    name: str
    at: int
    end: int
    arguments: tuple[Argument, ...]
    common: tuple[tuple[str, str], ...]  # the names of common tables, and their definitions


@dataclass
class _Level:
    """What is known between two parentheses."""

    clause: str = ""
    opener: str = ""  # the function that is called there, in small letters
    definitions: list[tuple[str, str]] = field(default_factory=list)
    state: str = ""  # within a WITH: "name", "head", "body", "after"
    begun: int = 0  # where a definition begins that is not complete
    named: str = ""
    is_recursive: bool = False


def first_call(sql: str, tables: Collection[str]) -> WrittenCall | None:
    """The first call of one of these functions of a table. Raises BadInput for what is unclear.

    >>> call = first_call("WITH a AS (FROM t) SELECT * FROM audit(a, `x y`, k := 1)", ["audit"])
    >>> [argument.text for argument in call.arguments], call.common
    (['a', '`x y`', '1'], (('a', 'a AS (FROM t)'),))
    """
    for number, words, levels in _walked(sql):
        name = unquoted(words[number]).casefold()
        if name not in tables or not _is_called(words, number):
            continue
        begins = _begin(words, number)
        if begins is None or not _is_table(words, begins, levels[-1]):
            continue
        arguments, end = _arguments(sql, words, number + 1)
        if any(_is_of_spark(argument) for argument in arguments):
            continue
        if any(level.is_recursive for level in levels):
            raise BadInput(f"{name} cannot be called beside a recursive common table.")
        common = tuple(each for level in levels for each in level.definitions)
        return WrittenCall(name, words[begins].at, end, arguments, common)
    return None


def plain_calls(sql: str, functions: Collection[str]) -> str:
    """A statement whose calls of functions of a row are Spark's: `=>` for `:=`, and bare names.

    >>> plain_calls("SELECT sqlfuncs.main.embed(x, model := 'fast'), a:b FROM t", ["embed"])
    "SELECT embed(x, model => 'fast'), a:b FROM t"
    """
    changes: list[tuple[int, int, str]] = []
    for number, words, levels in _walked(sql):
        word = words[number]
        if word.text == ":=" and levels[-1].opener in functions:
            changes.append((word.at, word.at + 2, "=>"))
        elif unquoted(word).casefold() in functions and _is_called(words, number):
            begins = _begin(words, number)
            if begins is not None and begins != number:
                changes.append((words[begins].at, word.at, ""))
    for at, end, text in reversed(changes):
        sql = sql[:at] + text + sql[end:]
    return sql


def with_likely_name(error: BadInput, sql: str, functions: Collection[str]) -> BadInput:
    """An error of Spark's, with the function of ours that a name in FROM was meant to be."""
    words = words_of(sql)
    for number, word in enumerate(words):
        if word.kind is not Kind.WORD or not _is_called(words, number):
            continue
        if _keyword(words, number - 1) not in _BEFORE_TABLES:
            continue
        name = word.text.casefold()
        if name in functions:
            return BadInput(
                f"{name} is called with TABLE(...) here, which this session knows once it is given "
                f"the functions: sqlfuncs.register(spark). Or name the table bare: {name}(t, ...)."
            )
        near = get_close_matches(name, functions, n=1, cutoff=0.8)
        if near:
            return BadInput(f"there is no function {word.text}: {near[0]} is one. ({error})")
    return error


def statements(sql: str) -> list[str]:
    """The statements of a text, each by itself. Raises BadInput for what is unclear.

    >>> statements("SELECT ';'; -- one; two")
    ["SELECT ';'"]
    """
    found, begun, weighs = [], 0, False
    for piece in _clear(sql):
        if piece.text == ";":
            found += [sql[begun : piece.at].strip()] if weighs else []
            begun, weighs = piece.at + 1, False
        elif piece.kind not in (Kind.SPACE, Kind.COMMENT):
            if not weighs and piece.text.upper() == "BEGIN":
                raise BadInput("a script, BEGIN ... END, is no text of statements: leave it out.")
            weighs = True
    return [*found, sql[begun:].strip()] if weighs else found


def words_of(sql: str) -> list[Piece]:
    """The pieces of a text that are neither space nor comments. Raises BadInput."""
    return [p for p in _clear(sql) if p.kind not in (Kind.SPACE, Kind.COMMENT)]


def depths(words: Sequence[Piece]) -> list[int]:
    """In how many parentheses each word stands; these themselves are in one.

    >>> depths(words_of("a (b) c"))
    [0, 1, 1, 1, 0]
    """
    found, depth = [], 0
    for word in words:
        depth += word.text in ("(", "[", "{")
        found.append(depth)
        depth -= word.text in (")", "]", "}")
    return found


def _clear(sql: str) -> Iterator[Piece]:
    try:
        yield from pieces(sql)
    except Unclear as error:
        raise BadInput(f"nothing was run: {error}.") from None


def _walked(sql: str) -> Iterator[tuple[int, list[Piece], list[_Level]]]:
    """The words of a statement by their numbers, each with the levels of parentheses around it."""
    words = words_of(sql)
    levels = [_Level()]
    for number, word in enumerate(words):
        if word.kind in (Kind.WORD, Kind.NAME) or word.text == ":=":
            yield number, words, levels
        if word.text in ("(", "[", "{"):
            before = words[number - 1] if number else None
            is_name = before is not None and before.kind in (Kind.WORD, Kind.NAME)
            levels.append(_Level(opener=unquoted(before).casefold() if before and is_name else ""))
        elif word.text in (")", "]", "}"):
            if len(levels) == 1:
                raise BadInput(f"nothing was run: {word.text} closes nothing.")
            levels.pop()
        _follow(sql, words, number, levels[-1])
    if len(levels) > 1:
        raise BadInput("nothing was run: a parenthesis is never closed.")


def _follow(sql: str, words: list[Piece], number: int, level: _Level) -> None:
    """Note what a word says of clauses and of common tables."""
    word, key = words[number], _keyword(words, number)
    match level.state:
        case "name":
            level.begun, level.named, level.state = word.at, unquoted(word), "head"
            return
        case "head":
            level.state = "as" if key == "AS" else "head"
            return
        case "as" if word.text == ")":
            level.definitions.append((level.named, sql[level.begun : word.at + 1]))
            level.state = "after"
            return
        case "after":
            level.state = "name" if word.text == "," else ""
    if key == "WITH" and _begins_common(words, number):
        level.is_recursive = _keyword(words, number + 1) == "RECURSIVE"
        level.state = "name"
        if level.is_recursive:
            level.state = ""  # what follows is not looked into
    elif key in _BEGIN_CLAUSES and not (
        key == "FROM" and _keyword(words, number - 1) == "DISTINCT"
    ):
        level.clause = key


def _begins_common(words: Sequence[Piece], number: int) -> bool:
    """Whether a WITH is followed by the name of a common table."""
    if _keyword(words, number + 1) == "RECURSIVE":
        return True
    after = words[number + 1 : number + 3]
    return (
        len(after) == 2
        and after[0].kind in (Kind.WORD, Kind.NAME)
        and (_keyword(words, number + 2) == "AS" or after[1].text == "(")
    )


def _keyword(words: Sequence[Piece], number: int) -> str:
    """A word in capitals; nothing for what is quoted, and for a part of a name with dots."""
    if not 0 <= number < len(words) or words[number].kind is not Kind.WORD:
        return ""
    is_part = number > 0 and words[number - 1].text == "."
    return "" if is_part else words[number].text.upper()


def _is_called(words: Sequence[Piece], number: int) -> bool:
    return number + 1 < len(words) and words[number + 1].text == "("


def _begin(words: Sequence[Piece], number: int) -> int | None:
    """Where the name of a function begins that is ours, None where it is somebody else's."""
    if number == 0 or words[number - 1].text != ".":
        return number
    before = [each.text.casefold() for each in words[max(0, number - 4) : number]]
    is_ours = before == [_OURS[0], ".", _OURS[1], "."]
    is_whole = number < 5 or words[number - 5].text != "."
    return number - 4 if is_ours and is_whole else None


def _is_table(words: Sequence[Piece], begins: int, level: _Level) -> bool:
    before = _keyword(words, begins - 1)
    if before == "FROM" and _keyword(words, begins - 2) == "DISTINCT":
        return False
    is_next = begins > 0 and words[begins - 1].text == "," and level.clause == "FROM"
    return before in _BEFORE_TABLES or is_next


def _arguments(sql: str, words: Sequence[Piece], opened: int) -> tuple[tuple[Argument, ...], int]:
    """The arguments in the parentheses that open at a word, and where these end."""
    arguments: list[Argument] = []
    depth, held = 0, list[Piece]()
    for word in words[opened:]:
        depth += word.text in ("(", "[", "{")
        depth -= word.text in (")", "]", "}")
        if depth == 0 or (depth == 1 and word.text == ","):
            if held or arguments or word.text == ",":
                arguments.append(_argument(sql, held))
            held = []
            if depth == 0:
                return tuple(arguments), word.at + len(word.text)
        elif word is not words[opened]:
            held.append(word)
    raise BadInput("nothing was run: a parenthesis is never closed.")


def _argument(sql: str, held: list[Piece]) -> Argument:
    if not held:
        raise BadInput("nothing was run: an argument of a call is missing between two commas.")
    name = None
    if len(held) > 2 and held[1].text in (":=", "=>") and held[0].kind in (Kind.WORD, Kind.NAME):
        name, held = unquoted(held[0]).casefold(), held[2:]
    return Argument(name, tuple(held), sql[held[0].at : held[-1].at + len(held[-1].text)])


def _is_of_spark(argument: Argument) -> bool:
    first = argument.pieces[0]
    return (
        first.kind is Kind.WORD
        and first.text.upper() == "TABLE"
        and len(argument.pieces) > 1
        and argument.pieces[1].text == "("
    )
