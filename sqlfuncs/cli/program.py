"""The commands of the program, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from sqlfuncs import __version__, work
from sqlfuncs.cli import demo, models, queries, report, review, run, serve, shell
from sqlfuncs.cli.progress import Bars
from sqlfuncs.cli.statements import leave
from sqlfuncs.errors import Cancelled, SqlfuncsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Find wrong labels, correct them, train on them and evaluate, in SQL."""


cli.add_command(run.command)
cli.add_command(queries.command)
cli.add_command(demo.command)
cli.add_command(models.command)
cli.add_command(serve.command)
cli.add_command(shell.command)
cli.add_command(review.command)
cli.add_command(report.command)


def run_program(arguments: Sequence[str] | None) -> int:
    """Run a command line and return the exit code."""
    try:
        with work.listening(Bars()):
            result = cli.main(arguments, prog_name="sqlfuncs", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Cancelled as error:
        leave(error)
    except (click.Abort, KeyboardInterrupt):
        leave(Cancelled())
    except SqlfuncsError as error:
        print(f"sqlfuncs: {error}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be said to them.
        os._exit(1)
    return 1
