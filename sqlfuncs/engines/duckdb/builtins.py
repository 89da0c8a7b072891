"""DuckDB's own functions, and statements of ours that call them where the user has others.

A macro in the user's file, or a temporary one, that is called like a function of DuckDB's runs in
its place. The macros that we make are safe from that by themselves (`macros.sealed`); here are the
statements that we run: query files, and what a page or a report asks. Imports duckdb.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import duckdb

from sqlfuncs.errors import BadInput
from sqlfuncs.queries.pieces import Kind, pieces

# Called by what is written otherwise: lists, structs, maps, what is in brackets, EXTRACT, INTERVAL.
_BY_SYNTAX = frozenset(
    [
        *("list_value", "struct_pack", "row", "map", "array_extract", "array_slice"),
        *("struct_extract", "list_apply", "list_filter", "contains", "count_star", "date_part"),
        *(f"to_{part}s" for part in ("microsecond", "second", "minute", "hour", "day", "month")),
        "unpivot_list",
    ]
)


@dataclass(frozen=True)
class Builtins:
    """The functions of DuckDB's own: names, and those that are macros, by how many they take."""

    names: frozenset[str]
    macros: Mapping[tuple[str, int], tuple[tuple[str, ...], str]]


@cache
def builtins() -> Builtins:
    """The functions of the DuckDB that is installed."""
    with duckdb.connect() as con:
        rows = con.execute(
            "SELECT function_name, parameters, if(function_type = 'macro', macro_definition, NULL) "
            "FROM duckdb_functions() WHERE internal AND schema_name = 'main'"
        ).fetchall()
    return Builtins(
        frozenset(name.lower() for name, _, _ in rows),
        {(name, len(own)): (tuple(own), text) for name, own, text in rows if text is not None},
    )


@lru_cache(maxsize=500)
def qualified_calls(sql: str, ours: frozenset[str] = frozenset()) -> str:
    """A statement whose functions are named in full: DuckDB's own, and `ours`.

    Functions are written in small letters and types in capitals, which tells `map(` from `MAP(`.

    >>> qualified_calls("SELECT min(a)::DECIMAL(9, 2), s.max(b), 'min(c)'")
    "SELECT system.main.min(a)::DECIMAL(9, 2), s.max(b), 'min(c)'"
    """
    all_pieces = list(pieces(sql))
    written, before = [], ""
    for piece, after in zip(all_pieces, [*(p.text for p in all_pieces[1:]), ""], strict=True):
        name = piece.text
        if piece.kind is Kind.WORD and after == "(" and before != "." and name == name.lower():
            if name in ours:
                written.append("sqlfuncs.main.")
            elif name in builtins().names:
                written.append("system.main.")
        written.append(name)
        before = name if piece.kind not in (Kind.SPACE, Kind.COMMENT) else before
    return "".join(written)


def unshadowed(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Statements of a query file that we ship, in which the user's macros take no place of ours.

    As they are where there are no such macros. Raises BadInput for one that changes what is written
    without a name, such as `||`.
    """
    # No operator, and no other function: any may be the user's.
    rows = con.execute(
        "SELECT function_name, database_name FROM system.main.duckdb_functions() "
        "WHERE database_name NOT IN ('system') AND function_type IN ('macro', 'table_macro')"
    ).fetchall()
    ours = frozenset(name for name, database in rows if database == "sqlfuncs")
    theirs = {name.lower() for name, database in rows if database != "sqlfuncs"}
    by_syntax = {
        name
        for name in theirs & builtins().names
        if name in _BY_SYNTAX or not (name[0].isalpha() or name[0] == "_")
    }
    if by_syntax:
        listed = ", ".join(sorted(by_syntax))
        raise BadInput(
            f"the database has a macro called {listed}, which changes what SQL itself means in "
            "every statement, so that a query file cannot be run beside it. Give it another name: "
            "DROP MACRO, and CREATE MACRO again."
        )
    return qualified_calls(sql, ours) if theirs & (builtins().names | ours) else sql


class Qualifying:
    """A connection for statements of our own: each is run with its functions named in full."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """`plain` is what runs them."""
        self.plain = con

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run a statement."""
        return self.plain.execute(qualified_calls(sql), parameters)

    def sql(self, sql: str) -> duckdb.DuckDBPyRelation:
        """The relation that a query gives."""
        return self.plain.sql(qualified_calls(sql))

    def cursor(self) -> Qualifying:
        """Another one, for another thread."""
        return Qualifying(self.plain.cursor())

    def __getattr__(self, name: str) -> Any:
        """All else is that of the connection."""
        return getattr(self.plain, name)
