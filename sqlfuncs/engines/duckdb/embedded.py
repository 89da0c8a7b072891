"""DuckDB as a library of other engines: a call of a function, with Arrow tables in and one out.

What they distribute comes down to a call on a table that one process holds. Made here, it has the
same bits as at home, and the same checks.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa

from sqlfuncs import errors, work
from sqlfuncs.engines.base import Dialect
from sqlfuncs.engines.duckdb import udf
from sqlfuncs.engines.duckdb.connection import connect, instance, use_bare_names
from sqlfuncs.engines.duckdb.macros import computed
from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.engines.duckdb.statements import plain_message
from sqlfuncs.errors import BadInput, InternalError, SqlfuncsError
from sqlfuncs.functions.spec import CountFunction

ROWS = computed.ROWS
_silence = threading.Lock()  # whoever listened before listens again, whatever threads ask
_OURS = re.compile(r"(?s)executing the UDF: (?P<kind>\w+): (?P<message>.*)")


def rows(query: str, tables: Mapping[str, pa.Table], dialect: Dialect) -> pa.Table:
    """The rows of a query on tables by their names. Messages are in the words of a dialect.

    Raises what the functions raise, and BadInput for what DuckDB refuses.
    """
    with _opened(tables, dialect) as con:
        return _plain(con.sql(query).to_arrow_table())


def schema(query: str, tables: Mapping[str, pa.Table], dialect: Dialect) -> pa.Schema:
    """The columns that the rows of a query have. Nothing is computed. Raises as `rows`."""
    with _silently():
        return rows(f"SELECT * FROM ({query}) LIMIT 0", tables, dialect).schema


def refuse_call(query: str, tables: Mapping[str, pa.Table], dialect: Dialect) -> None:
    """Raise BadInput where a query on such tables, which are empty, is a mistake whatever comes.

    Options are looked at before rows are: that there are none is no mistake then.
    """
    try:
        with _silently():
            rows(query, tables, dialect)
    except errors.NoUsableRows:
        return


def of_counts(
    function: CountFunction,
    counts: pa.Table,
    columns: Sequence[str],
    options: Mapping[str, object],
    dialect: Dialect,
) -> pa.Table:
    """What a function says of different combinations of labels, whose column `ROWS` counts them.

    `columns` are those of the function's inputs, in their order. Raises as `rows`.
    """
    given = [f"{identifier(name)} := {literal(value)}" for name, value in options.items()]
    named = ", ".join([*map(identifier, columns), *given])
    with _opened({"counts": counts}, dialect) as con:
        con.execute(f"CREATE OR REPLACE TEMP MACRO {computed.of_counts(function)}")
        call = f"temp.main.{identifier(function.name)}(counts, {named})"
        return _plain(con.sql(f"FROM {call}").to_arrow_table())


def pivoted(table: pa.Table, clauses: Sequence[tuple[str, bool]], dialect: Dialect) -> pa.Table:
    """PIVOT of a table, by what follows its name: pieces of SQL, each with whether it is a name."""
    written = "".join(identifier(text) if is_name else text for text, is_name in clauses)
    return rows(f"PIVOT pivoted {written}", {"pivoted": table}, dialect)


@contextmanager
def _silently() -> Iterator[None]:
    """Without remarks: where nothing is computed, what is said of the rows is not true."""
    with _silence, work.listening(_Silent()):
        yield


class _Silent(work.Quiet):
    def show(self, message: str) -> None:
        """Nothing."""


@contextmanager
def _opened(
    tables: Mapping[str, pa.Table], dialect: Dialect
) -> Iterator[duckdb.DuckDBPyConnection]:
    con = _database().cursor()  # several threads may ask at once
    try:
        udf.speak(instance(con), dialect)
        use_bare_names(con)
        for name, table in tables.items():
            con.register(name, table)
        yield con
    except duckdb.Error as error:
        raise _as_ours(error) from None
    finally:
        con.close()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """A database in memory for this process: making one takes longer than most calls."""
    return connect(":memory:")


def _plain(table: pa.Table) -> pa.Table:
    """A table without dictionaries, which not every engine reads."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            values = table.column(at).cast(field.type.value_type)
            table = table.set_column(at, field.name, values)
    return table


def _as_ours(error: duckdb.Error) -> SqlfuncsError:
    """An error of DuckDB's as the one of ours that it carries, or else as BadInput."""
    message = plain_message(error)
    found = _OURS.search(str(error).partition("\n\nAt:\n")[0])
    kind = getattr(errors, found["kind"], None) if found else None
    if found and isinstance(kind, type) and issubclass(kind, SqlfuncsError):
        return kind(found["message"].strip())
    if isinstance(error, duckdb.InternalException | duckdb.OutOfMemoryException):
        return InternalError(message)
    return BadInput(message)
