"""`sqlfuncs run FILE`: render a query file, run it, print what it gives."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlfuncs import work
from sqlfuncs.cli import on_spark, show, statements
from sqlfuncs.errors import BadInput, BadQueryFile, DatabaseInUse, SqlfuncsError, StatementFailed
from sqlfuncs.queries import files
from sqlfuncs.queries.header import QueryFile
from sqlfuncs.queries.render import render
from sqlfuncs.review.decisions import check_log
from sqlfuncs.visible import visible

if TYPE_CHECKING:
    import duckdb

    from sqlfuncs.engines.results import Result, Rows

SECONDS = click.FloatRange(min=0)
_LOOK_SECONDS = 0.2  # between two tries to open a file that another process has open
_ATTACHING = (
    "{0} is no schema here and no database that is attached. One is attached in a shell: "
    'sqlfuncs shell {1} -c "ATTACH \'...\' AS {0}" -c ".read {2} ..."'
)


@click.command("run")
@click.argument("file")
@click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--db", default=":memory:", help="The DuckDB file; without it, one in memory.")
@click.option("--spark", metavar="URL", help="A Spark instead: sc://HOST:PORT, or local[2].")
@click.option("--format", "form", type=click.Choice(show.FORMATS), default="table")
@click.option("--show", "only_show", is_flag=True, help="Print the SQL, run nothing.")
@click.option("--remote", is_flag=True, help="Print it for a shell on sqlfuncs serve to .read.")
@click.option("--read-only", is_flag=True, help="Open the file without the right to change it.")
@click.option("--timeout", type=SECONDS, help="Stop after so many seconds (exit code 124).")
@click.option(
    "--wait", type=SECONDS, default=0.0, help="For so long, if another process has the file open."
)
def command(
    file: str,
    given: Sequence[str],
    db: str,
    spark: str | None,
    form: str,
    only_show: bool,
    remote: bool,
    read_only: bool,
    timeout: float | None,
    wait: float,
) -> None:
    """Run a query file, or a shipped query by its name (see: sqlfuncs queries)."""
    query = files.find(file)
    try:
        pairs = query.given(given)
    except BadQueryFile as error:
        raise click.UsageError(str(error)) from None
    if spark is not None and (db != ":memory:" or remote or read_only or wait):
        raise click.UsageError("--spark goes with none of --db, --remote, --read-only and --wait")
    sql = rendered(query, pairs) if spark is None else on_spark.rendered(query, pairs)
    if remote:
        from sqlfuncs.engines.duckdb import client
        from sqlfuncs.engines.duckdb import statements as engine

        sql = "\n".join(f"{client.remote(each)};" for each in engine.texts(sql))
    if only_show or remote:
        show.written(sql)
        return
    if spark is not None:
        for result in on_spark.run(spark, query, sql, timeout):
            _show(query, result, form)
        return
    is_new = not (db == ":memory:" or read_only or Path(db).exists()) and Path(db).parent.is_dir()
    if is_new:
        work.say(f"{db} does not exist yet; it is made")
    with opened(db, read_only=read_only, wait=wait) as con:
        try:
            for result in statements.run(con, ready(con, query, sql), timeout):
                _show(query, result, form)
        except StatementFailed as error:
            failure = _explained(con, query, pairs, error, db)
            if is_new and _is_empty(con):
                con.close()
                for file in (db, f"{db}.wal"):
                    Path(file).unlink(missing_ok=True)
            raise failure from None


def _show(query: QueryFile, result: Result[Rows], form: str) -> None:
    """Print what a statement gave, and what it did."""
    if result.columns:
        show.result(result.columns, result.rows, form)
    summary = f"sqlfuncs: {query.name} {_summary(result)}"
    print(visible(summary), file=sys.stderr)


def ready(con: duckdb.DuckDBPyConnection, query: QueryFile, sql: str) -> str:
    """What a query file was rendered to, as it runs: ours call nothing that is the user's."""
    from sqlfuncs.engines.duckdb.builtins import unshadowed

    return unshadowed(con, sql) if query.is_shipped else sql


def opened(db: str, *, read_only: bool = False, wait: float = 0.0) -> duckdb.DuckDBPyConnection:
    """A connection, once nobody else has the file. Raises DatabaseInUse."""
    import sqlfuncs

    until = time.monotonic() + wait
    while True:
        try:
            con = sqlfuncs.connect(db, read_only=read_only)
            # A table that is missing is no variable of this program.
            con.execute("SET GLOBAL python_enable_replacements = false")
            return con
        except DatabaseInUse as error:
            if time.monotonic() > until:
                raise
            work.say_once(f"waiting: {error}")
            time.sleep(_LOOK_SECONDS)


def _summary(result: Result[Rows]) -> str:
    """What a statement did, for the log."""
    rows = len(result.rows) if result.columns else result.changed
    did = "done" if rows is None else "1 row" if rows == 1 else f"{rows:,} rows"
    return f"{result.number}/{result.count}: {did} in {result.seconds:.1f} s"


def _explained(
    con: duckdb.DuckDBPyConnection,
    query: QueryFile,
    given: Mapping[str, str],
    error: StatementFailed,
    db: str,
) -> SqlfuncsError:
    """What is behind an error that has to do with names, or the error itself."""
    hints = []
    for parameter in query.parameters:
        table = given.get(parameter.name, parameter.default)
        if parameter.type != "table" or not table:
            continue
        place = _missing_place(con, table)
        if place is not None:
            return StatementFailed(f"{error}\n{_ATTACHING.format(place, db, query.name)}")
        columns = _columns(con, table)
        if columns is not None and parameter.name == "log":
            try:
                check_log(table, columns)
            except BadInput as no_log:
                return no_log
        if columns is None and f"Table with name {table} does not exist" in str(error):
            hints.append(f"{query.name} reads a table that is not there: {parameter.describe()}")
    if query.is_shipped and "not utf-8 encoded" in str(error):
        hints.append(f"{query.name} takes the encoding: encoding=latin-1, or encoding=utf-16")
        return StatementFailed("\n".join([str(error), *hints]))
    if not error.missing_name:
        return error
    if query.parameters and not hints:
        hints.append(f"{query.name} takes names as parameters; {query.accepts()}")
    if db == ":memory:":
        hints.append("This was a new database in memory. Name the file of yours: --db mine.duckdb")
    return BadQueryFile("\n".join([str(error), *hints])) if hints else error


def _is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    from sqlfuncs.engines.duckdb import catalog

    return catalog.is_empty(con)


def _missing_place(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    from sqlfuncs.engines.duckdb import catalog

    return catalog.missing_place(con, table)


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> Mapping[str, str] | None:
    from sqlfuncs.engines.duckdb import catalog

    try:
        return catalog.columns(con, table)
    except BadInput:
        return None


def rendered(query: QueryFile, given: Mapping[str, str]) -> str:
    """The SQL of a query file with DuckDB's quoting."""
    from sqlfuncs.engines.duckdb.quoting import QUOTING

    return render(query, given, QUOTING)
