"""Putting parameters into a query file, so that a value can never become SQL.

Every `{{ ... }}` has to end in `| ident` or `| literal`; anything else is refused when the
file is rendered. The engine gives the quoting; this module knows none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined
from jinja2.sandbox import SandboxedEnvironment

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import QueryFile, Value, values


@dataclass(frozen=True)
class Quoting:
    """How an engine writes names and values: `table` may have dots in it, `column` not."""

    table: Callable[[str], str]
    column: Callable[[str], str]
    literal: Callable[[object], str]


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
    try:
        return _environment(quoting).from_string(file.text).render(context).strip()
    except TemplateSyntaxError as error:
        raise BadQueryFile(
            f"{file.name}, line {error.lineno} of the SQL: {error.message}"
        ) from None
    except (TemplateError, ValueError, TypeError) as error:
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

    environment.filters["ident"] = ident
    environment.filters["literal"] = literal
    return environment


def _only_quoted(value: object) -> object:
    _refuse_undefined(value)
    if not isinstance(value, _Quoted):
        raise _Unquoted(
            f"a value stands in the SQL unquoted ({value!r}); write | ident or | literal"
        )
    return value


def _refuse_undefined(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # a StrictUndefined says which name is missing
