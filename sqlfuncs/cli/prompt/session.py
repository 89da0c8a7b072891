"""What is typed at the prompt, run on one connection. Prints on stdout, errors on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlfuncs import work
from sqlfuncs.cli import show
from sqlfuncs.cli.prompt import dots
from sqlfuncs.cli.statements import leave
from sqlfuncs.errors import SqlfuncsError, StillRunning
from sqlfuncs.visible import visible

if TYPE_CHECKING:
    import duckdb


class Session:
    """A connection, how results are shown, and the parameters of the query file at hand."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        from sqlfuncs.engines.duckdb.quoting import QUOTING
        from sqlfuncs.queries.piecewise import Piecewise

        self.con = con
        self.form = "table"
        self.timer = False
        self.over = False
        self._pieces = Piecewise(QUOTING, self.variable)

    def variable(self, name: str) -> str | None:
        """The value of a variable of the session, as text."""
        found = self.con.execute("SELECT system.main.getvariable($1)::VARCHAR", [name]).fetchall()
        value: str | None = found[0][0]
        return value

    def run(self, text: str) -> None:
        """Run a dot command or SQL. Raises SqlfuncsError."""
        if text.lstrip().startswith("."):
            dots.run(self, text.strip())
        elif text.strip():
            self.sql(self._pieces.sql(text))

    def sql(self, sql: str) -> None:
        """Run statements and show what each gives. Raises SqlfuncsError."""
        from sqlfuncs.engines.duckdb import statements

        begun = time.perf_counter()
        try:
            for result in statements.run(self.con, sql):
                if result.columns:
                    show.result(result.columns, result.rows, self.form)
                elif result.changed is not None:
                    say(f"{result.changed:,} row{'' if result.changed == 1 else 's'}")
        except StillRunning as error:
            _wait_for(error)
            raise error.reason from None
        finally:
            if self.timer:
                say(f"{time.perf_counter() - begun:.3f} s")

    def run_all(self, lines: Iterable[str]) -> None:
        """Run lines one after the other, each as soon as it ends a statement."""
        for text in entries(lines):
            self.run(text)
            if self.over:
                return

    def try_to_run(self, text: str) -> None:
        """Run what a person typed; an error is said, and all goes on."""
        try:
            self.run(text)
        except SqlfuncsError as error:
            say(str(error))


def entries(lines: Iterable[str]) -> Iterator[str]:
    """Lines gathered to whole statements, and dot commands, a line each."""
    from sqlfuncs.engines.duckdb.statements import is_comment, is_complete

    gathered = ""
    for line in lines:
        if is_comment(gathered) and line.lstrip().startswith("."):
            yield line
            continue
        gathered += line
        if is_complete(gathered):
            yield gathered
            gathered = ""
    if gathered.strip():
        yield gathered


def say(message: str) -> None:
    """A line on stderr, beside what stdout has."""
    sys.stdout.flush()
    print(visible(message), file=sys.stderr)


def _wait_for(error: StillRunning) -> None:
    """Until a computation that does not look for Ctrl-C has ended; a second one ends us."""
    say("stopping; Ctrl-C once more ends the program")
    try:
        while not error.wait(0.05):
            pass
    except KeyboardInterrupt:
        leave(error.reason)
    finally:
        work.resume()
