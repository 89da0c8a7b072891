"""`sqlfuncs shell FILE`: an SQL shell with all functions, the best one that is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlfuncs import work
from sqlfuncs.cli.run import opened
from sqlfuncs.cli.serving import served
from sqlfuncs.errors import BadInput, BadOption

if TYPE_CHECKING:
    import duckdb

SHELLS = ("duckdb", "harlequin", "prompt")
_VERSION = re.compile(r"v(\d+\.\d+\.\d+)")


@click.command("shell")
@click.argument("db", default=":memory:")
@click.option("--with", "chosen", type=click.Choice(SHELLS), help="That one and no other.")
@click.option("-c", "--command", "given", multiple=True, help="Run this and end; may be repeated.")
@click.option("--read-only", is_flag=True, help="Open the file without the right to change it.")
def command(db: str, chosen: str | None, given: Sequence[str], read_only: bool) -> int:
    """Open an SQL shell in which every function works.

    DuckDB's own where it and its extension quack are installed, else Harlequin, else a prompt of
    our own. That one also runs what comes by a pipe: sqlfuncs shell my.duckdb < file.sql
    """
    if given or not sys.stdin.isatty():
        if chosen not in (None, "prompt"):
            raise click.UsageError(f"{chosen} needs a terminal; statements run with the prompt")
        _run(db, read_only, _lines(given) if given else sys.stdin)
        return 0
    program = duckdb_program() if chosen in (None, "duckdb") else None
    if program is not None:
        ended = _duckdb(db, read_only, program, needed=chosen == "duckdb")
        if ended is not None:
            return ended
    elif chosen == "duckdb":
        raise BadOption("DuckDB's shell is not installed. Type: pip install duckdb-cli")
    if chosen in (None, "harlequin"):
        harlequin = _beside_python("harlequin") or shutil.which("harlequin")
        if harlequin is not None:
            more = ["--read-only"] if read_only else []
            return subprocess.call([harlequin, "-a", "sqlfuncs", *more, db])
        if chosen == "harlequin":
            raise BadOption("Harlequin is not installed. Type: pip install 'sqlfuncs[harlequin]'")
    if chosen is None:
        work.say(
            "this is our own prompt. DuckDB's shell opens here once duckdb and its extension quack "
            "are installed; Harlequin with: pip install 'sqlfuncs[harlequin]'"
        )
    _converse(db, read_only)
    return 0


def _lines(given: Sequence[str]) -> Iterator[str]:
    """What was given by options, each to its end."""
    for text in given:
        is_over = text.lstrip().startswith(".") or text.rstrip().endswith(";")
        yield from f"{text}{'' if is_over else ';'}\n".splitlines(keepends=True)


def _run(db: str, read_only: bool, lines: Iterable[str]) -> None:
    """Statements that come by a pipe or an option, until the first that fails."""
    from sqlfuncs.cli.prompt.session import Session

    with opened(db, read_only=read_only) as con:
        try:
            Session(con).run_all(lines)
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise BadInput(
                f"what comes by the pipe is not UTF-8 (byte {byte:#04x}). Save it as UTF-8."
            ) from None


def _converse(db: str, read_only: bool) -> None:
    from sqlfuncs.cli.prompt.terminal import converse

    with opened(db, read_only=read_only) as con:
        converse(con, db)


def duckdb_program() -> tuple[Path, str] | None:
    """DuckDB's shell and its version, as 1.5.5: of the environment, else of the machine.

    The program itself, not a script that starts it: Ctrl-C would end the script.
    """
    spec = importlib.util.find_spec("duckdb_cli")
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [shutil.which("duckdb", path=os.pathsep.join(folders))] if folders else []
    for program in (*found, shutil.which("duckdb")):
        if program is None:
            continue
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        version = _VERSION.search(output.stdout)
        if version is not None:
            return Path(program), version[1]
    return None


def _duckdb(db: str, read_only: bool, program: tuple[Path, str], *, needed: bool) -> int | None:
    """DuckDB's shell on a database that this process serves; None where that cannot be."""
    from sqlfuncs.engines.duckdb import quack

    path, version = program
    if version.partition(".")[0] != quack.VERSION.partition(".")[0]:
        message = f"{path} is DuckDB {version}, and the functions live in {quack.VERSION}"
        if needed:
            raise BadOption(f"{message}: install the same version of both")
        work.say(message)
        return None
    con = opened(db, read_only=read_only)
    if not needed and not quack.can_serve(con):
        con.close()
        return None
    return _served_shell(con, path, version)


def _served_shell(con: duckdb.DuckDBPyConnection, program: Path, version: str) -> int:
    with served(con, host="localhost", port=0) as it:
        script = it.script(version, alone=True)
        # Ctrl-C is for the statement that runs here, which hears of it by `work`; the shell
        # gets it, too, as it is of the same terminal.
        signal.signal(signal.SIGINT, lambda *_: None)
        shell = subprocess.Popen([program, "-init", script])
        for name in ("SIGTERM", "SIGHUP"):  # its window was closed; Windows has no SIGHUP
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: shell.terminate())
        ended = shell.wait()
    sys.stdout.flush()
    os._exit(ended)  # a statement whose shell is gone has nobody to answer


def _beside_python(name: str) -> str | None:
    """A program of this environment, which need not be activated."""
    return shutil.which(name, path=str(Path(sys.executable).parent))
