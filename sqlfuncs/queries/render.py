"""Putting parameters into a query file, so that a value can never become SQL.

Every `{{ ... }}` has to end in `| ident`, `| literal` or `| word`; anything else is refused when
the file is rendered. The engine gives the quoting; this module knows none of it. A file says in
`{{ "EXCLUDE" | word }}` what engines call otherwise, and asks `engine` where that does not do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import SandboxedEnvironment

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import QueryFile, values
from sqlfuncs.queries.pieces import Piece, Unclear, pieces

# What `| word` may be asked for, as DuckDB has it.
WORDS = frozenset(["EXCLUDE", "MATERIALIZED", "TIMESTAMP", "error", "len", "unnest"])


@dataclass(frozen=True)
class Quoting:
    """How an engine writes names and values: `table` may have dots in it, `column` not.

    `words` are those of `WORDS` that it has otherwise; `pieces` cuts its SQL.
    """

    table: Callable[[str], str]
    column: Callable[[str], str]
    literal: Callable[[object], str]
    engine: str = "duckdb"
    words: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[str], Iterable[Piece]] = pieces


# NUL cannot stand in SQL, so it can mark where a value begins and ends.
_MARK = "\0"
_VALUE = re.compile(f"{_MARK}([^{_MARK}]*){_MARK}")
# What would become one piece with a value that it touches.
_TOUCHES = re.compile(r"""[A-Za-z0-9_$'"`\u0080-\U0010ffff\0]""")


class _Quoted(str):
    """SQL text that came out of a filter: the only thing a `{{ }}` may print."""


class _Table(str):
    """The name of a table, in which dots separate schema and table."""


class _Unquoted(TemplateError):
    pass


def render(file: QueryFile, given: Mapping[str, str], quoting: Quoting) -> str:
    """The SQL of a query file. Raises BadQueryFile for its parameters and its template."""
    if _MARK in file.text:
        raise BadQueryFile(f"{file.name} has a NUL character, which cannot stand in SQL.")
    typed = values(file, given)
    kinds = {parameter.name: parameter.type for parameter in file.parameters}
    context = {
        name: _Table(value) if kinds[name] == "table" and isinstance(value, str) else value
        for name, value in typed.items()
    }
    written: set[str] = set()
    environment = _environment(quoting, written)
    try:
        _refuse_blocks(environment.parse(file.text))
        # `given` has the names of what was given, if only as nothing.
        known = {"given": frozenset(given), "engine": quoting.engine, **context}
        rendered = environment.from_string(file.text).render(known)
        return _without_marks(rendered, written, quoting).strip()
    except TemplateSyntaxError as error:
        raise BadQueryFile(f"{file.name}, line {error.lineno}: {error.message}") from None
    except Exception as error:  # a template can fail in as many ways as a program
        raise BadQueryFile(f"{file.name} cannot be rendered: {error}; {file.accepts()}") from None


def _environment(quoting: Quoting, written: set[str]) -> SandboxedEnvironment:
    """What templates are read with; `written` gets all that its filters have quoted."""
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, finalize=_only_quoted, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip

    def ident(name: object) -> _Quoted:
        own = _plain(name)
        if not isinstance(own, str):
            raise TypeError(f"{name!r} is not a name")
        return quoted(quoting.table(own) if isinstance(name, _Table) else quoting.column(own))

    def literal(value: object) -> _Quoted:
        return quoted(quoting.literal(_plain(value)))

    def word(name: str) -> _Quoted:
        if name not in WORDS:
            raise ValueError(f"there is no word {name!r}; there are {', '.join(sorted(WORDS))}")
        return quoted(quoting.words.get(name, name))

    def quoted(sql: str) -> _Quoted:
        written.add(sql)
        return _Quoted(sql)

    def refuse(message: str) -> None:
        raise _Unquoted(message)

    environment.globals["refuse"] = refuse
    environment.filters["ident"] = ident
    environment.filters["literal"] = literal
    environment.filters["word"] = word
    return environment


def _only_quoted(value: object) -> object:
    _refuse_undefined(value)
    if not isinstance(value, _Quoted):
        raise _Unquoted(
            f"a value stands in the SQL unquoted ({value!r}); write | ident or | literal"
        )
    return f"{_MARK}{value}{_MARK}"


def _plain(value: object) -> object:
    """A value as what it is and nothing more.

    Filters such as `e` make text that quotes what is added to it, the quotes of SQL among it.
    """
    _refuse_undefined(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or type(value) in (bool, int, float):
        return value
    raise TypeError(f"{value!r} is no plain value: text, a number, true or false, or a list")


def _without_marks(marked: str, written: Collection[str], quoting: Quoting) -> str:
    """The SQL, once it is sure that no value stands where its quoting does not hold.

    Values come marked, and have to be as they were `written`. One inside quotes or a comment of the
    file would end them, and so would one that becomes a part of what it touches.
    """
    values = [found[1] for found in _VALUE.finditer(marked)]
    for value in values:
        if value not in written:
            raise _Unquoted(f"a value was changed after it was quoted ({value!r})")
    text = _VALUE.sub(_MARK, marked)
    given = iter(values)
    parts = []
    try:
        for piece in quoting.pieces(text):
            if piece.text == _MARK:
                parts.append(_apart(next(given), text[: piece.at], text[piece.at + 1 :]))
            elif _MARK in piece.text:
                around = piece.text.replace(_MARK, "")
                raise _Unquoted(
                    f"a value stands inside quotes or a comment ({around!r}); write it outside of "
                    "them"
                )
            else:
                parts.append(piece.text)
    except Unclear as error:
        raise _Unquoted(f"{error}, or a value stands within it") from None
    return "".join(parts)


def _apart(value: str, before: str, after: str) -> str:
    """A value that becomes no part of what stands beside it. `--` would begin a comment."""
    for beside in (before[-1:], after[:1]):
        if _TOUCHES.match(beside):
            raise _Unquoted(f"a value touches {beside.replace(_MARK, 'another')!r}: write a space")
    return f" {value}" if value.startswith("-") and before.endswith("-") else value


def _refuse_blocks(template: nodes.Template) -> None:
    for block in template.find_all((nodes.FilterBlock, nodes.EvalContextModifier)):
        kind = "filter" if isinstance(block, nodes.FilterBlock) else "autoescape"
        raise TemplateSyntaxError(
            f"{kind} blocks could undo the quoting; use | ident or | literal", block.lineno
        )


def _refuse_undefined(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # a StrictUndefined says which name is missing
