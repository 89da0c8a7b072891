"""The commands of the program, and what becomes of their errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from io import StringIO, TextIOWrapper

import click

from sqlfuncs import __version__, work
from sqlfuncs.cli import demo, models, queries, report, review, run, serve, shell, spark
from sqlfuncs.cli.progress import Bars
from sqlfuncs.cli.statements import leave
from sqlfuncs.errors import BadInput, Cancelled, SqlfuncsError, StatementFailed
from sqlfuncs.visible import visible

# What DuckDB says of a file that is not whole.
_DAMAGED = re.compile(
    "Corrupt database file|Could not read enough bytes|database has been invalidated"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Find wrong labels, correct them, train on them and evaluate, in SQL."""


def run_program(arguments: Sequence[str] | None) -> int:
    """Run a command line and return the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    _take_every_character()
    try:
        _refuse_no_text(given)
        with work.listening(Bars()):
            result = cli.main(given, prog_name="sqlfuncs", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        print(_usage(error), file=sys.stderr)
        return error.exit_code
    except Cancelled as error:
        leave(error)
    except (click.Abort, KeyboardInterrupt):
        leave(Cancelled())
    except SqlfuncsError as error:
        print(f"sqlfuncs: {visible(str(error))}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be said to them.
        os._exit(1)
    return 1


def _take_every_character() -> None:
    """What a terminal's encoding lacks is written as it is spelt; input that is no text is told."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="strict")


def _refuse_no_text(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            raise click.UsageError(f"{argument!r} is no text: it has bytes that are not UTF-8")


def _usage(error: click.ClickException) -> str:
    """What click would show, as a terminal may get it."""
    shown = StringIO()
    error.show(shown)
    return visible(shown.getvalue().rstrip("\n"))


def _naming_the_file(run: Callable[..., object]) -> Callable[..., object]:
    """A command in which an error of DuckDB's, as of a damaged file, is one of ours."""

    @wraps(run)
    def command(**given: object) -> object:
        try:
            return run(**given)
        except Exception as error:
            is_of_duckdb = type(error).__module__.startswith(("duckdb", "_duckdb"))
            is_damage = isinstance(error, StatementFailed) and _DAMAGED.search(str(error))
            if not (is_of_duckdb or is_damage):
                raise
            reason = str(error).partition("\n")[0]
            raise BadInput(
                f"{given.get('db') or 'the database'} cannot be read: {reason}"
            ) from None

    return command


for _part in (run, queries, demo, models, serve, shell, review, report, spark):
    _made = _part.command
    if _made.callback is not None:
        _made.callback = _naming_the_file(_made.callback)
    cli.add_command(_made)
