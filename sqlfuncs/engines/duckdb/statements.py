"""Running SQL text statement by statement, so that Ctrl-C is heard and every row is computed.

DuckDB does not honour Ctrl-C in the main thread while Python functions run, and computes a
SELECT only as far as it is read. So statements run in a thread of their own, to the end.
"""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType
from typing import TypeVar

import duckdb

from sqlfuncs.engines import interrupting
from sqlfuncs.engines.interrupting import Deadline
from sqlfuncs.engines.results import Result, Rows, short_floats, which
from sqlfuncs.errors import BadInput, StatementFailed
from sqlfuncs.wording import Option

T = TypeVar("T")

# DuckDB takes a table that is missing for a variable of the frame that runs the statement: there is
# none here but these two, and no name of a module.
_run_it = FunctionType(
    (lambda _sf_con, _sf_statement: _sf_con.execute(_sf_statement)).__code__,
    {"__builtins__": builtins},  # which the functions that are called from here need
)
_MISSING_NAME = re.compile(r"Referenced column|Table with name")
_UDF_PREFIX = "Python exception occurred while executing the UDF: "
# What DuckDB 2 and 1 say where an option that decides a type varies; so does llm_classify's macro.
_VARYING = re.compile('"struct_extract" must be a constant|Key name for struct_extract needs')


def run(
    con: duckdb.DuckDBPyConnection, sql: str, timeout: float | None = None
) -> Iterator[Result[Rows]]:
    """Run a text of statements and yield each one's rows as it ends; see `run_and`."""
    nothing: Rows = []
    yield from run_and(con, sql, _rows, nothing, timeout=timeout)


def _rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """The rows that a statement gave. A FLOAT is as it is written: 0.1, and not all of a DOUBLE."""
    types = [str(column[1]) for column in con.description or []]
    rows = con.fetchall()
    single = [at for at, kind in enumerate(types) if "FLOAT" in kind and "DOUBLE" not in kind]
    if not single:
        return rows
    return [
        tuple(short_floats(value) if at in single else value for at, value in enumerate(row))
        for row in rows
    ]


def run_and(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    fetch: Callable[[duckdb.DuckDBPyConnection], T],
    nothing: T,
    *,
    timeout: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Result[T]]:
    """Run a text of statements and yield what `fetch` takes of each; `nothing` where it has none.

    `meanwhile` is called now and then in this thread while a statement runs. Raises BadInput for a
    syntax error, before anything has run; StatementFailed; Cancelled; TimedOut if all of them
    together take longer than `timeout` seconds.
    """
    ends = None if timeout is None else Deadline(timeout)
    statements = _extracted(con, sql)
    for number, statement in enumerate(statements, 1):
        begun = time.perf_counter()
        try:
            action = partial(_executed, con, statement, fetch, nothing)
            columns, changed, rows = interruptibly(con, action, ends, meanwhile)
        except duckdb.Error as error:
            message = which(number, len(statements), plain_message(error))
            missing = _MISSING_NAME.search(message) is not None
            raise StatementFailed(message, missing_name=missing) from None
        seconds = time.perf_counter() - begun
        yield Result(number, len(statements), seconds, rows, columns, changed)


def is_complete(text: str) -> bool:
    """Whether a text ends with a semicolon that ends a statement, not one in a string or comment.

    >>> is_complete("SELECT 1; -- one"), is_complete("SELECT ';"), is_complete("SELECT 1")
    (True, False, False)
    """
    said = _without_comments(text)
    return bool(said) and text.encode()[said[-1] :].startswith(b";")


def is_comment(text: str) -> bool:
    """Whether a text holds no statement.

    >>> is_comment("-- nothing"), is_comment(" "), is_comment("/* a */ b")
    (True, True, False)
    """
    return not _without_comments(text)


def _without_comments(text: str) -> list[int]:
    """Where the words of a text begin, in bytes."""
    return [at for at, kind in duckdb.tokenize(text) if kind != duckdb.token_type.comment]


def texts(sql: str) -> list[str]:
    """The statements of a text, each by itself. Raises BadInput for a syntax error.

    >>> texts("SELECT ';'; SELECT 2;")
    ["SELECT ';'", 'SELECT 2']
    """
    with duckdb.connect() as con:
        return [each.query.strip().removesuffix(";") for each in _extracted(con, sql)]


def _extracted(con: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    try:
        return con.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(f"nothing was run: {plain_message(error)}") from None


def interruptibly(
    con: duckdb.DuckDBPyConnection,
    action: Callable[[], T],
    ends: Deadline | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> T:
    """Do something with a connection in another thread; see `engines.interrupting`."""
    return interrupting.interruptibly(con.interrupt, action, ends, meanwhile)


def plain_message(error: BaseException) -> str:
    """DuckDB's message, or ours where it wraps one of ours, without the wrapping."""
    message = str(error).partition("\n\nAt:\n")[0]
    if _UDF_PREFIX in message:
        message = message.partition(_UDF_PREFIX)[2].partition(": ")[2]
    if _VARYING.search(message):
        message = (
            f"{message.strip()}. Where llm_classify is asked, {Option('multi', ...)} decides of "
            "what type its result is, and so has to be the same for every row: true, false or a "
            "variable, getvariable('name')."
        )
    return message.removeprefix("Invalid Input Error: ").strip()


def _executed(
    con: duckdb.DuckDBPyConnection,
    statement: duckdb.Statement,
    fetch: Callable[[duckdb.DuckDBPyConnection], T],
    nothing: T,
) -> tuple[list[str], int | None, T]:
    """Columns, how many rows were changed, and what `fetch` took: it is read once only."""
    _run_it(con, statement)
    columns = [column[0] for column in con.description or []]
    if columns in (["Count"], ["Success"]) and not _is_query(statement):
        rows = con.fetchall()
        return [], int(rows[0][0]) if columns == ["Count"] and rows else None, nothing
    return columns, None, fetch(con) if columns else nothing


def _is_query(statement: duckdb.Statement) -> bool:
    """Whether rows are what the statement is for, not how many it has changed."""
    return statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
