"""`sqlfuncs run FILE`: render a query file, run it, print what it gives."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from sqlfuncs import work
from sqlfuncs.cli import show, statements
from sqlfuncs.errors import BadQueryFile, StatementFailed
from sqlfuncs.queries import files
from sqlfuncs.queries.header import QueryFile
from sqlfuncs.queries.render import Quoting, render


@click.command("run")
@click.argument("file")
@click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--db", default=":memory:", help="The DuckDB file; without it, one in memory.")
@click.option("--format", "form", type=click.Choice(show.FORMATS), default="table")
@click.option("--show", "only_show", is_flag=True, help="Print the SQL, run nothing.")
@click.option("--read-only", is_flag=True, help="Open the file without the right to change it.")
def command(
    file: str, given: Sequence[str], db: str, form: str, only_show: bool, read_only: bool
) -> None:
    """Run a query file, or a shipped query by its name (see: sqlfuncs queries)."""
    query = files.find(file)
    sql = rendered(query, _pairs(query, given))
    if only_show:
        print(sql)
        return
    import sqlfuncs

    if db != ":memory:" and Path(db).parent.is_dir() and not Path(db).exists() and not read_only:
        work.say(f"{db} does not exist yet; it is made")
    with sqlfuncs.connect(db, read_only=read_only) as con:
        try:
            for result in statements.run(con, sql):
                if result.columns:
                    show.result(result.columns, result.rows, form)
                rows = f"{len(result.rows)} rows" if result.columns else "done"
                print(f"sqlfuncs: {query.name}: {rows} in {result.seconds:.1f} s", file=sys.stderr)
        except StatementFailed as error:
            hints = _hints(query, db) if error.missing_name else []
            if hints:
                raise BadQueryFile("\n".join([str(error), *hints])) from None
            raise


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
    from sqlfuncs.engines.duckdb import names

    quoting = Quoting(
        table=lambda name: names.qualified(names.split_qualified(name)),
        column=names.identifier,
        literal=names.literal,
    )
    return render(query, given, quoting)


def _pairs(query: QueryFile, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{pair!r} is no parameter: write name=value; {query.accepts()}")
        pairs[name] = value
    return pairs
