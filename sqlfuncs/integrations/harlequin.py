"""Harlequin's adapter `sqlfuncs`: its own for DuckDB, with our functions. Imports harlequin."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import duckdb
from harlequin.autocomplete.completion import HarlequinCompletion
from harlequin.exception import HarlequinConnectionError, HarlequinQueryError
from harlequin_duckdb import DuckDbAdapter
from harlequin_duckdb.adapter import DuckDbConnection, DuckDbCursor

from sqlfuncs import work
from sqlfuncs.engines.duckdb.connection import register, use_bare_names
from sqlfuncs.engines.duckdb.names import literal
from sqlfuncs.engines.duckdb.quoting import QUOTING
from sqlfuncs.engines.duckdb.signatures import signatures
from sqlfuncs.engines.duckdb.statements import interruptibly, plain_message
from sqlfuncs.errors import BadQueryFile, Cancelled, SqlfuncsError, StillRunning
from sqlfuncs.queries.piecewise import Piecewise

T = TypeVar("T")
_PRIORITY = 400  # before DuckDB's own functions, after keywords


class SqlfuncsCursor(DuckDbCursor):
    """A result that is computed when it is read."""

    def fetchall(self) -> Any:
        """All rows. Raises HarlequinQueryError."""
        return _heard(self.conn.conn, super().fetchall)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row. Raises HarlequinQueryError."""
        return _heard(self.conn.conn, super().fetchone)


class SqlfuncsConnection(DuckDbConnection):
    """A connection with our functions, which stop when a query is cancelled.

    It runs query files, too: parameters are their defaults, or variables such as `param_table`.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection, init_message: str = "") -> None:
        super().__init__(conn, init_message)
        self._pieces = Piecewise(QUOTING, self._variable)

    def _variable(self, name: str) -> str | None:
        found = self.conn.execute(f"SELECT system.main.getvariable({literal(name)})::VARCHAR")
        value: str | None = found.fetchall()[0][0]
        return value

    def execute(self, query: str) -> DuckDbCursor | None:
        """Run a statement. Raises HarlequinQueryError."""
        work.resume()
        try:
            sql = self._pieces.sql(query)
        except BadQueryFile as error:
            raise HarlequinQueryError(str(error), title="This query file cannot be run.") from None
        cursor = _heard(self.conn, partial(super().execute, sql))
        return None if cursor is None else SqlfuncsCursor(self, cursor.relation)

    def cancel(self) -> None:
        """Stop what runs: DuckDB alone would wait for a function to end."""
        work.stop()
        super().cancel()

    def get_completions(self) -> list[HarlequinCompletion]:
        """DuckDB's names, and ours with what they take."""
        own = {each.name: each for each in signatures(self.conn.cursor())}
        others = [
            each
            for each in super().get_completions()
            if each.label not in own and not each.label.startswith("_")
        ]
        return others + [
            HarlequinCompletion(
                label=str(each),
                type_label="fn->T" if each.is_table else "fn",
                value=each.name,
                priority=_PRIORITY,
            )
            for each in own.values()
        ]


class SqlfuncsAdapter(DuckDbAdapter):
    """`harlequin -a sqlfuncs my.duckdb`, `hsql -a sqlfuncs -f query.sql my.duckdb`."""

    ADAPTER_DETAILS = "DuckDB with sqlfuncs: find wrong labels, correct, train, evaluate in SQL."

    def connect(self) -> SqlfuncsConnection:
        """Open the database and register everything. Raises HarlequinConnectionError."""
        opened = super().connect()
        try:
            register(opened.conn)
        except SqlfuncsError as error:
            raise HarlequinConnectionError(
                str(error), title="sqlfuncs could not register its functions."
            ) from None
        use_bare_names(opened.conn)
        # DuckDB draws its bar over the screen, or among the rows that hsql prints.
        opened.conn.execute("SET enable_progress_bar = false")
        return SqlfuncsConnection(opened.conn, opened.init_message)


def _heard(con: duckdb.DuckDBPyConnection, action: Callable[[], T]) -> T:
    """Do something in another thread: in the main one, where hsql is, DuckDB hears no Ctrl-C."""
    _on_ctrl_c(signal.default_int_handler, instead_of=signal.SIG_DFL)
    try:
        return interruptibly(con, action)
    except Cancelled as error:
        _on_ctrl_c(signal.SIG_DFL, instead_of=signal.default_int_handler)
        if isinstance(error, StillRunning):
            _wait_for(error)
        raise HarlequinQueryError(str(error), title="The query was stopped.") from None
    except HarlequinQueryError as error:
        raise _plain(error) from None


def _on_ctrl_c(do: signal.Handlers | Callable[..., Any], instead_of: object) -> None:
    """What Ctrl-C does in hsql, whose main thread this is: once it stops a query.

    Pressed again it ends the process at once: Python's own way of ending takes threads away that
    are inside compiled code, which crashes.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) == instead_of:
        signal.signal(signal.SIGINT, do)


def _wait_for(error: StillRunning) -> None:
    """Until what does not look for Ctrl-C has ended: hsql would end, and take its thread away."""
    try:
        while not error.wait(0.05):
            pass
    finally:
        work.resume()


def _plain(error: HarlequinQueryError) -> HarlequinQueryError:
    """The same, without what DuckDB wraps around a message of ours."""
    return HarlequinQueryError(plain_message(Exception(error.msg)), title=error.title)
