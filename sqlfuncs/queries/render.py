"""Putting parameters into a query file, so that a value can never become SQL.

Every `{{ ... }}` has to end in `| ident` or `| literal`; anything else is refused when the
file is rendered. The engine gives the quoting; this module knows none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import SandboxedEnvironment

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import QueryFile, Value, values


@dataclass(frozen=True)
class Quoting:
    """How an engine writes names and values: `table` may have dots in it, `column` not."""

    table: Callable[[str], str]
    column: Callable[[str], str]
    literal: Callable[[object], str]


# NUL cannot stand in SQL, so it can mark where a value begins and ends.
_MARK = "\0"
_PIECES = re.compile(
    r"""[eE]'(?:\\.|''|[^'\\])*'  # the quotes and comments of SQL, each as a whole
    | '(?:''|[^'])*'
    | "(?:""|[^"])*"
    | --[^\n]*
    | /\*.*?\*/
    | (?P<dollar>\$\w*\$).*?(?P=dollar)
    | \0(?P<value>[^\0]*)\0  # a value
    """,
    re.DOTALL | re.VERBOSE,
)


class _Quoted(str):
    """SQL text that came out of a filter: the only thing a `{{ }}` may print."""


class _Table(str):
    """The name of a table, in which dots separate schema and table."""


class _Unquoted(TemplateError):
    pass


def render(file: QueryFile, given: Mapping[str, str], quoting: Quoting) -> str:
    """The SQL of a query file. Raises BadQueryFile for its parameters and its template."""
    typed = values(file, given)
    kinds = {parameter.name: parameter.type for parameter in file.parameters}
    context = {
        name: _Table(value) if kinds[name] == "table" and isinstance(value, str) else value
        for name, value in typed.items()
    }
    environment = _environment(quoting)
    try:
        _refuse_filter_blocks(environment.parse(file.text))
        return _without_marks(environment.from_string(file.text).render(context)).strip()
    except TemplateSyntaxError as error:
        raise BadQueryFile(f"{file.name}, line {error.lineno}: {error.message}") from None
    except Exception as error:  # a template can fail in as many ways as a program
        raise BadQueryFile(f"{file.name} cannot be rendered: {error}; {file.accepts()}") from None


def _environment(quoting: Quoting) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, finalize=_only_quoted, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip

    def ident(name: Value) -> _Quoted:
        _refuse_undefined(name)
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a name")
        return _Quoted(quoting.table(name) if isinstance(name, _Table) else quoting.column(name))

    def literal(value: Value) -> _Quoted:
        _refuse_undefined(value)
        return _Quoted(quoting.literal(value))

    def refuse(message: str) -> None:
        raise _Unquoted(message)

    environment.globals["refuse"] = refuse
    environment.filters["ident"] = ident
    environment.filters["literal"] = literal
    return environment


def _only_quoted(value: object) -> object:
    _refuse_undefined(value)
    if not isinstance(value, _Quoted):
        raise _Unquoted(
            f"a value stands in the SQL unquoted ({value!r}); write | ident or | literal"
        )
    return f"{_MARK}{value}{_MARK}"


def _without_marks(marked: str) -> str:
    """The SQL, once it is sure that no value stands where its quoting does not hold.

    Values come marked. One inside quotes or a comment of the file would end them.
    """

    def plain(piece: re.Match[str]) -> str:
        if piece["value"] is None and _MARK in piece[0]:
            raise _Unquoted(
                f"a value stands inside quotes or a comment ({piece[0].replace(_MARK, '')!r}); "
                "write it outside of them"
            )
        return piece["value"] if piece["value"] is not None else piece[0]

    sql = _PIECES.sub(plain, marked)
    if _MARK in sql:
        raise _Unquoted("a value stands after a quote that is never closed")
    return sql


def _refuse_filter_blocks(template: nodes.Template) -> None:
    for block in template.find_all(nodes.FilterBlock):
        raise TemplateSyntaxError(
            "filter blocks could undo the quoting; use | ident or | literal", block.lineno
        )


def _refuse_undefined(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # a StrictUndefined says which name is missing
