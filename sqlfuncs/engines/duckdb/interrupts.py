"""`con.interrupt()`, heard by a function while it works. Imports duckdb.

DuckDB notes an interrupt, and looks at the note between two calls of a Python function: a call
about 2,048 texts would ask about all of them first. Inside a call nothing of DuckDB tells of it
(`query_progress` and other connections do not), and its connection takes no attributes. So the
method is wrapped, of the class and therefore for the process: DuckDB's own runs first, then the
calls of that connection hear of it, if it is one that we know: one that was registered, or a
cursor of such a one.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import duckdb

from sqlfuncs import work

Caller = tuple[int, int]  # of which instance, and of its connections which
_known: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, Caller] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
_OWN = "SELECT system.main.current_connection_id()"
_is_wrapped = False


def hear(con: duckdb.DuckDBPyConnection, instance: int) -> None:
    """Let the functions of this connection and its cursors hear `interrupt()`."""
    global _is_wrapped
    with _lock:
        if not _is_wrapped:
            _wrap("interrupt", _interrupt)
            _wrap("cursor", _cursor)
            _wrap("duplicate", _cursor)
            _is_wrapped = True
    _note(con, instance, con.execute(_OWN).fetchall())


def _wrap(name: str, wrapper: Callable[[Any, duckdb.DuckDBPyConnection], Any]) -> None:
    own = getattr(duckdb.DuckDBPyConnection, name)

    def wrapped(self: duckdb.DuckDBPyConnection) -> Any:
        return wrapper(own, self)

    wrapped.__name__, wrapped.__doc__ = name, own.__doc__
    setattr(duckdb.DuckDBPyConnection, name, wrapped)


def _interrupt(own: Any, con: duckdb.DuckDBPyConnection) -> None:
    own(con)
    with _lock:
        caller = _known.get(con)
    if caller is not None:
        work.interrupt(caller)


def _cursor(own: Any, con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    made: duckdb.DuckDBPyConnection = own(con)
    with _lock:
        caller = _known.get(con)
    if caller is not None:
        # A relation leaves no result and no description behind.
        _note(made, caller[0], made.sql(_OWN).fetchall())
    return made


def _note(con: duckdb.DuckDBPyConnection, instance: int, found: list[tuple[int]]) -> None:
    with _lock:
        _known[con] = instance, found[0][0]
