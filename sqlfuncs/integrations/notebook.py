"""The magics `%sqlfuncs` and `%%sqlfuncs`: SQL in the cells of a notebook. Imports IPython."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

import duckdb
import pandas as pd
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

import sqlfuncs
from sqlfuncs import work
from sqlfuncs.engines.duckdb import statements
from sqlfuncs.engines.duckdb.builtins import unshadowed
from sqlfuncs.engines.duckdb.connection import use_bare_names
from sqlfuncs.engines.duckdb.quoting import QUOTING
from sqlfuncs.errors import BadQueryFile, SqlfuncsError, StillRunning
from sqlfuncs.integrations.notebook_progress import NotebookProgress
from sqlfuncs.queries import files
from sqlfuncs.queries.piecewise import Piecewise
from sqlfuncs.queries.render import render

_OPTION = re.compile(r"\s*--(db|query)[ =]+(\"[^\"]*\"|'[^']*'|\S+)|\s*--(read-only)\b")
_ASSIGNED = re.compile(r"\s*([A-Za-z_]\w*)\s*<<")
_USAGE = (
    "%%sqlfuncs [--db FILE or connection] [--query NAME] [name <<] [parameter=value ...], SQL below"
)


@dataclass
class Call:
    """What stands after the magic: options, the name a result is kept under, and the rest."""

    options: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    rest: str = ""

    @classmethod
    def parse(cls, text: str) -> Call:
        """Read a line.

        >>> Call.parse("--query detect found << table=train")
        Call(options={'query': 'detect'}, name='found', rest='table=train')
        """
        call = cls()
        while option := _OPTION.match(text):
            key, value, flag = option.groups()
            call.options[key or flag] = (value or "").strip("'\"")
            text = text[option.end() :]
        if assigned := _ASSIGNED.match(text):
            call.name = assigned[1]
            text = text[assigned.end() :]
        call.rest = text.strip()
        return call


@magics_class
class SqlfuncsMagics(Magics):
    """Cells of SQL on one connection, in memory until `--db` names another."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._con: duckdb.DuckDBPyConnection | None = None
        self._pieces = Piecewise(QUOTING, self._variable)

    @line_cell_magic  # type: ignore[untyped-decorator]
    def sqlfuncs(self, line: str, cell: str | None = None) -> pd.DataFrame | None:
        """Run SQL, each statement once; the value is the last result, a DataFrame."""
        try:
            return self._run(Call.parse(line), cell)
        except SqlfuncsError as error:
            # IPython shows this as one line, without a traceback.
            raise UsageError(str(error)) from None

    def _run(self, call: Call, cell: str | None) -> pd.DataFrame | None:
        if "db" in call.options:
            self._con = self._opened(call.options["db"], "read-only" in call.options)
        sql = self._sql(call, cell)
        if not sql.strip():
            if not call.options:
                raise BadQueryFile(f"there is nothing to run: {_USAGE}")
            return None
        frames = self._frames(sql)
        if call.name is not None:
            if not frames:
                raise BadQueryFile(f"no statement gave rows: {call.name} stays what it was")
            self.shell.user_ns[call.name] = frames[-1]
            return None
        for frame in frames[:-1]:
            display(frame)
        return frames[-1] if frames else None

    def _sql(self, call: Call, cell: str | None) -> str:
        """A query file with its parameters, then what the cell has, else what the line has."""
        body = cell or ""
        if assigned := _ASSIGNED.match(body):
            call.name = assigned[1]
            body = body[assigned.end() :]
        if "query" in call.options:
            query = files.find(call.options["query"])
            file = render(query, query.given(shlex.split(call.rest)), QUOTING)
            file = unshadowed(self._connection(), file) if query.is_shipped else file
            return f"{file};\n{self._pieces.sql(body) if body else ''}"
        if cell is not None and call.rest:
            raise BadQueryFile(f"{call.rest} is not understood: {_USAGE}")
        return self._pieces.sql(body if cell is not None else call.rest)

    def _frames(self, sql: str) -> list[pd.DataFrame]:
        """The results of all statements that give rows."""
        progress = NotebookProgress()
        nothing: pd.DataFrame | None = None
        frames = []
        try:
            with work.listening(progress):
                for result in statements.run_and(
                    self._connection(), sql, lambda con: con.df(), nothing, meanwhile=progress.draw
                ):
                    if result.rows is not None:
                        frames.append(result.rows)
                    elif result.changed is not None:
                        print(f"{result.changed:,} row{'' if result.changed == 1 else 's'}")
        except StillRunning as error:
            _wait_for(error)
            raise error.reason from None
        finally:
            progress.close()
        return frames

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            self._con = sqlfuncs.connect()
        return self._con

    def _opened(self, named: str, read_only: bool) -> duckdb.DuckDBPyConnection:
        """A connection of the notebook's own, or a file."""
        own = self.shell.user_ns.get(named)
        if isinstance(own, duckdb.DuckDBPyConnection):
            sqlfuncs.register(own)
            use_bare_names(own)
            return own
        return sqlfuncs.connect(named, read_only=read_only)

    def _variable(self, name: str) -> str | None:
        found = (
            self._connection()
            .execute("SELECT system.main.getvariable($1)::VARCHAR", [name])
            .fetchall()
        )
        value: str | None = found[0][0]
        return value


def load(ipython: InteractiveShell) -> None:
    """Give a notebook the magics."""
    ipython.register_magics(SqlfuncsMagics)


def _wait_for(error: StillRunning) -> None:
    """Until what does not look for an interrupt has ended: the connection is busy until then."""
    print("stopping")
    try:
        while not error.wait(0.05):
            pass
    finally:
        work.resume()
