"""The functions that DuckDB has: those that compute in Python, and macros in its own SQL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlfuncs import plugins
from sqlfuncs.functions.spec import ListFunction, NativeFunction, ScalarFunction, TableFunction


@dataclass(frozen=True)
class SqlMacro(NativeFunction):
    """A function in DuckDB's SQL, which runs out of core at any size.

    `sql` is the body of `CREATE MACRO name(...) AS ...` from the name on; `help` what it does.
    """

    name: str
    sql: str
    help: str


Function = TableFunction | ListFunction | ScalarFunction | SqlMacro


@cache
def functions() -> tuple[Function, ...]:
    """Every function of every installed package but what is native to other engines, by name.

    Raises CannotRegister as `plugins.functions` does.
    """
    return tuple(each for each in plugins.functions() if isinstance(each, Function))
