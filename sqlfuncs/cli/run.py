"""`sqlfuncs run FILE`: render a query file, run it, print what it gives."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlfuncs import work
from sqlfuncs.cli import show, statements
from sqlfuncs.errors import BadQueryFile, DatabaseInUse, StatementFailed
from sqlfuncs.queries import files
from sqlfuncs.queries.header import QueryFile
from sqlfuncs.queries.render import render

if TYPE_CHECKING:
    import duckdb

    from sqlfuncs.engines.duckdb.statements import Result, Rows

SECONDS = click.FloatRange(min=0)
_LOOK_SECONDS = 0.2  # between two tries to open a file that another process has open


@click.command("run")
@click.argument("file")
@click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--db", default=":memory:", help="The DuckDB file; without it, one in memory.")
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
    sql = rendered(query, pairs)
    if remote:
        from sqlfuncs.engines.duckdb import client
        from sqlfuncs.engines.duckdb import statements as engine

        sql = "\n".join(f"{client.remote(each)};" for each in engine.texts(sql))
    if only_show or remote:
        print(sql)
        return
    if db != ":memory:" and Path(db).parent.is_dir() and not Path(db).exists() and not read_only:
        work.say(f"{db} does not exist yet; it is made")
    with opened(db, read_only=read_only, wait=wait) as con:
        try:
            for result in statements.run(con, sql, timeout):
                if result.columns:
                    show.result(result.columns, result.rows, form)
                print(f"sqlfuncs: {query.name} {_summary(result)}", file=sys.stderr)
        except StatementFailed as error:
            hints = _hints(query, db) if error.missing_name else []
            if hints:
                raise BadQueryFile("\n".join([str(error), *hints])) from None
            raise


def opened(db: str, *, read_only: bool, wait: float) -> duckdb.DuckDBPyConnection:
    """A connection, once nobody else has the file. Raises DatabaseInUse."""
    import sqlfuncs

    until = time.monotonic() + wait
    while True:
        try:
            return sqlfuncs.connect(db, read_only=read_only)
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


def _hints(query: QueryFile, db: str) -> list[str]:
    """What may be behind a name that does not exist."""
    hints = []
    if query.parameters:
        hints.append(f"{query.name} takes names as parameters; {query.accepts()}")
    if db == ":memory:":
        hints.append("This was a new database in memory. Name the file of yours: --db mine.duckdb")
    return hints


def rendered(query: QueryFile, given: Mapping[str, str]) -> str:
    """The SQL of a query file with DuckDB's quoting."""
    from sqlfuncs.engines.duckdb.quoting import QUOTING

    return render(query, given, QUOTING)
