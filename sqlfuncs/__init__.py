"""sqlfuncs: find wrong labels, correct them, train on them and evaluate, in SQL.

Cheap to import: DuckDB and everything that computes are loaded when first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlfuncs import errors, wording
from sqlfuncs.errors import SqlfuncsError

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from IPython.core.interactiveshell import InteractiveShell

    from sqlfuncs.engines.base import Dialect

__version__ = "0.2.0"
__all__ = [
    "SqlfuncsError",
    "__version__",
    "connect",
    "errors",
    "load_ipython_extension",
    "register",
    "wording",
]


def connect(path: str | Path = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB database in which the functions can be called by their bare names.

    Nothing is written into the file for it; a file opened with `read_only=True` works too.

    >>> import sqlfuncs
    >>> with sqlfuncs.connect() as con:
    ...     con.sql("SELECT label_quality('spam', MAP {'spam': 0.9, 'ham': 0.1}) AS q").fetchall()
    [(0.9,)]
    """
    from sqlfuncs.engines.duckdb.engine import ENGINE

    return ENGINE.connect(path, read_only=read_only)


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Give a connection that somebody else opened the functions, as `sqlfuncs.label_issues(...)`.

    Every cursor of its database instance sees them. Calling it again changes nothing.

    Raises CannotRegister inside a transaction, where a database is already attached under the
    name `sqlfuncs`, and for what is no connection of a known engine.

    >>> import duckdb, sqlfuncs
    >>> with duckdb.connect() as con:
    ...     sqlfuncs.register(con)
    ...     con.sql("SELECT sqlfuncs.label_quality('a', MAP {'a': 0.7, 'b': 0.3})").fetchall()
    [(0.7,)]
    """
    from sqlfuncs.plugins import engine_of

    engine_of(con).register(con)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """`%load_ext sqlfuncs`: the magics `%sqlfuncs` and `%%sqlfuncs` of a notebook."""
    from sqlfuncs.integrations.notebook import load

    load(ipython)


def _default_dialect() -> Dialect:
    from sqlfuncs.engines.duckdb.dialect import DIALECT

    return DIALECT


wording.by_default(_default_dialect)
