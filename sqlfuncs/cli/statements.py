"""Running statements for a person at a terminal: Ctrl-C ends the program within a second."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlfuncs.errors import Cancelled, StillRunning, TimedOut
from sqlfuncs.visible import visible

if TYPE_CHECKING:
    import duckdb

    from sqlfuncs.engines.results import Result, Rows

STOPPED = 130  # exit codes: what shells give for Ctrl-C
TIMED_OUT = 124  # and timeout(1) for its limit


def run(
    con: duckdb.DuckDBPyConnection, sql: str, timeout: float | None = None
) -> Iterator[Result[Rows]]:
    """Run a text of statements and yield each one's result as it ends."""
    from sqlfuncs.engines.duckdb import statements

    try:
        yield from statements.run(con, sql, timeout)
    except StillRunning as error:
        # Closing the connection would wait for the computation that does not hear us.
        leave(error.reason)


def leave(reason: Cancelled) -> None:
    """End the process now, as Ctrl-C asks, without waiting for any thread.

    Every file we keep is complete or not there, and DuckDB's are made for this.
    """
    show_cursor_again = "\r\x1b[2K\x1b[?25h" if sys.stderr.isatty() else ""
    print(f"{show_cursor_again}sqlfuncs: {visible(str(reason))}", file=sys.stderr)
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(TIMED_OUT if isinstance(reason, TimedOut) else STOPPED)
