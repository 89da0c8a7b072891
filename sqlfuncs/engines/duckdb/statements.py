"""Running SQL text statement by statement, so that Ctrl-C is heard and every row is computed.

DuckDB does not honour Ctrl-C in the main thread while Python functions run, and computes a
SELECT only as far as it is read. So statements run in a thread of their own, to the end.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import duckdb

from sqlfuncs import work
from sqlfuncs.errors import BadInput, Cancelled, StatementFailed, StillRunning

T = TypeVar("T")

GRACE_SECONDS = 0.7
_MISSING_NAME = re.compile(r"Referenced column|Table with name")
_UDF_PREFIX = "Python exception occurred while executing the UDF: "


@dataclass(frozen=True)
class Result:
    """What one statement gave: no columns for one that returns no rows."""

    seconds: float
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)


def run(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Result]:
    """Run a text of statements and yield each one's result as it ends.

    Raises BadInput for a syntax error, before anything has run; StatementFailed; Cancelled.
    """
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(f"nothing was run: {plain_message(error)}") from None
    for number, statement in enumerate(statements, 1):
        begun = time.perf_counter()
        try:
            columns, rows = interruptibly(con, partial(_all_rows, con, statement))
        except duckdb.Error as error:
            message = _which(number, len(statements), plain_message(error))
            missing = _MISSING_NAME.search(message) is not None
            raise StatementFailed(message, missing_name=missing) from None
        yield Result(time.perf_counter() - begun, columns, rows)


def interruptibly(con: duckdb.DuckDBPyConnection, action: Callable[[], T]) -> T:
    """Do something with a connection in another thread; Ctrl-C here stops it there."""
    outcome: list[T] = []
    failure: list[BaseException] = []
    ended = threading.Event()

    def act() -> None:
        try:
            outcome.append(action())
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    threading.Thread(target=act, daemon=True, name="sqlfuncs-statement").start()
    try:
        while not ended.wait(0.05):
            pass
    except KeyboardInterrupt:
        work.stop()
        con.interrupt()
        if not ended.wait(GRACE_SECONDS):
            raise StillRunning from None
        work.resume()
        raise Cancelled from None
    if failure:
        raise failure[0]
    return outcome[0]


def plain_message(error: BaseException) -> str:
    """DuckDB's message, or ours where it wraps one of ours, without the wrapping."""
    message = str(error).partition("\n\nAt:\n")[0]
    if _UDF_PREFIX in message:
        message = message.partition(_UDF_PREFIX)[2].partition(": ")[2]
    return message.removeprefix("Invalid Input Error: ").strip()


def _all_rows(
    con: duckdb.DuckDBPyConnection, statement: duckdb.Statement
) -> tuple[list[str], list[tuple[Any, ...]]]:
    con.execute(statement)
    description = con.description or []
    rows = con.fetchall() if description else []
    columns = [column[0] for column in description]
    if columns in (["Count"], ["Success"]) and not _is_query(statement):
        return [], []
    return columns, rows


def _is_query(statement: duckdb.Statement) -> bool:
    """Whether rows are what the statement is for, not how many it has changed."""
    return statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]


def _which(number: int, count: int, message: str) -> str:
    if count == 1:
        return message
    before = {1: "nothing ran before it", 2: "statement 1 ran"}.get(
        number, f"statements 1 to {number - 1} ran"
    )
    left = count - number
    after = {0: "", 1: f", statement {count} did not run"}.get(
        left, f", statements {number + 1} to {count} did not run"
    )
    return f"statement {number} of {count} failed ({before}{after}): {message}"
