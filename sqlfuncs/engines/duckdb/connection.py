"""Opening and registering DuckDB connections. Imports duckdb and the plug-ins' functions.

The traps of DuckDB's Python functions are met here, once:

- Python functions live in the instance, not in the file, and in one flat namespace. They
  are called `_sf_...`; what an analyst calls are macros in an attached in-memory database
  named `sqlfuncs`, so the user's file holds nothing of ours.
- A name created inside a transaction that is rolled back is lost for good: refused.
- A second connection to an instance can neither replace nor see that it may not create:
  looked up in the catalog first.
- A Python function freed while the catalog points at it crashes the process: the callables
  are made once and kept for the life of the process (`udf.callables`).
- DuckDB 2.0.0 complains at exit about connections left open: ours are closed.
"""

from __future__ import annotations

import atexit
import itertools
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from sqlfuncs import work
from sqlfuncs.engines.duckdb import interrupts, names
from sqlfuncs.engines.duckdb.functions import Function, functions
from sqlfuncs.engines.duckdb.macros import REGISTERED, compiled, create_statements, unsealed
from sqlfuncs.engines.duckdb.macros.computed import INSTANCE, INSTANCE_NAME
from sqlfuncs.engines.duckdb.udf import Free, callables
from sqlfuncs.errors import BadInput, CannotRegister, DatabaseInUse

CATALOG = "sqlfuncs"
_HOLDER = re.compile(r"Conflicting lock is held in (?P<process>.*?\(PID \d+\)[^.]*)")
_registering = threading.Lock()
_instances = itertools.count(1)
_numbers: list[Callable[[], int]] = []
_opened: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()


def connect(path: str | Path = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database, register everything, and make the bare names work."""
    con = _open(path, read_only)
    _opened.add(con)
    try:
        register(con)
        use_bare_names(con)
        # DuckDB draws its bar on stdout, among the results; long work here reports on stderr.
        con.execute("SET enable_progress_bar = false")
    except BaseException as error:
        con.close()
        if isinstance(error, duckdb.Error):
            # A damaged file shows here first, where the catalog is read.
            raise BadInput(_no_database(path, error)) from None
        # DuckDB's word for Ctrl-C in the main thread.
        if isinstance(error, RuntimeError) and "Query interrupted" in str(error):
            raise KeyboardInterrupt from None
        raise
    return con


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Register every function in the instance of `con`; nothing happens the second time."""
    work.hear_interrupts()
    with _registering:
        if _is_registered(con):
            interrupts.hear(con, instance(con))
            return
        _refuse_in_transaction(con)
        _refuse_taken_name(con)
        _make(con, functions())
        interrupts.hear(con, instance(con))


def use_bare_names(con: duckdb.DuckDBPyConnection) -> None:
    """Let `label_issues(...)` be found without `sqlfuncs.` before it, on this connection."""
    current = con.execute(
        "SELECT system.main.current_database(), system.main.current_schema()"
    ).fetchone()
    assert current is not None
    path = f"{names.qualified(current)},{CATALOG}.main"
    con.execute(f"SET search_path = {names.literal(path)}")


def _open(path: str | Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except (duckdb.IOException, duckdb.CatalogException, duckdb.ConnectionException) as error:
        holder = _HOLDER.search(str(error))
        if holder:
            raise DatabaseInUse(
                f"{path} is open in another process, {holder['process']}, and only one may write "
                "to a DuckDB file. End it, or wait for it: sqlfuncs run and sqlfuncs report take "
                "--wait SECONDS."
            ) from None
        raise BadInput(_no_database(path, error)) from None
    except (duckdb.Error, RuntimeError, ValueError, UnicodeError) as error:
        raise BadInput(_no_database(path, error)) from None


def _no_database(path: str | Path, error: Exception) -> str:
    """That a file cannot be opened, and why, in a line."""
    said = str(error).partition("\n")[0].strip() or type(error).__name__
    return f"{path} cannot be opened as a DuckDB database: {said}"


def _is_registered(con: duckdb.DuckDBPyConnection) -> bool:
    # Asked of the macro that is made last, as a list of all functions takes longer to make. That
    # it is not there would abort a transaction, so only where there is a database of its name.
    if _attached(con) is None:
        return False
    try:
        con.execute(f"SELECT {REGISTERED}")
    except duckdb.CatalogException:
        return False
    return True


def _make(con: duckdb.DuckDBPyConnection, own: tuple[Function, ...]) -> None:
    _make_callables(con, own)
    file = compiled.file_for(unsealed(own))
    if file and compiled.attach(con, file, CATALOG):
        return
    # READ_WRITE, because an instance opened read-only refuses a plain in-memory database.
    con.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {CATALOG} (READ_WRITE)")
    _make_macros(con, own)

    def make(other: duckdb.DuckDBPyConnection) -> None:
        _make_callables(other, own)
        _make_macros(other, own)

    if file:
        compiled.write(file, CATALOG, make)


def _make_macros(con: duckdb.DuckDBPyConnection, own: tuple[Function, ...]) -> None:
    for statement in create_statements(own, CATALOG):
        con.execute(statement)


def _make_callables(con: duckdb.DuckDBPyConnection, own: tuple[Function, ...]) -> None:
    number = next(_instances)
    # DuckDB lets go of it when `con` is closed, and calls it from the instance's other connections.
    _numbers.append(lambda: number)
    with _those_that_stay():
        con.create_function(INSTANCE_NAME, _numbers[-1], [], "BIGINT")
    for udf in callables(own):
        with _those_that_stay():
            con.create_function(
                udf.name,
                udf,
                None,
                udf.returns,
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
                side_effects=not isinstance(udf, Free),  # names are looked at as they are bound
            )


@contextmanager
def _those_that_stay() -> Iterator[None]:
    """Functions of Python's that are there already: they stay where the macros are detached."""
    try:
        yield
    except duckdb.NotImplementedException as error:
        if "already created" not in str(error):
            raise


def instance(con: duckdb.DuckDBPyConnection) -> int:
    """The number under which its functions were registered."""
    return int(con.execute(f"SELECT system.main.{INSTANCE}").fetchall()[0][0])


def _refuse_in_transaction(con: duckdb.DuckDBPyConnection) -> None:
    # Outside a transaction every statement has an id of its own; BEGIN would abort one that runs.
    ids = {con.execute("SELECT system.main.txid_current()").fetchone() for _ in range(2)}
    if len(ids) == 1:
        raise CannotRegister(
            "this connection is inside a transaction, whose end could lose the functions. "
            "Type COMMIT or ROLLBACK first, then register again."
        )


def _refuse_taken_name(con: duckdb.DuckDBPyConnection) -> None:
    path = _attached(con)
    if path:
        raise CannotRegister(
            f"a database called {CATALOG} is already attached ({path}), and the functions "
            f"need that name. Rename the file, or attach it under another name: "
            f"ATTACH '{path}' AS my_data."
        )


def _attached(con: duckdb.DuckDBPyConnection) -> str | None:
    """The path of the database that has our name: "" for one in memory, None if there is none."""
    found = con.execute(
        f"SELECT path FROM system.main.duckdb_databases() WHERE database_name = '{CATALOG}'"
    ).fetchone()
    return None if found is None else found[0] or ""


@atexit.register
def _close_all() -> None:
    for con in list(_opened):
        con.close()
