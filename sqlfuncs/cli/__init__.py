"""The command line, thin: it reads arguments, calls the rest, and prints.

Results go to stdout; titles, progress, remarks and errors to stderr.
Exit codes: 0 done, 1 something failed, 2 the command was mistyped, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from sqlfuncs import __version__, work
from sqlfuncs.cli import demo, models, queries, run
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


def main(arguments: Sequence[str] | None = None) -> None:
    """The program `sqlfuncs`."""
    try:
        with work.listening(Bars()):
            cli.main(arguments, prog_name="sqlfuncs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (Cancelled, click.Abort, KeyboardInterrupt):
        leave()
    except SqlfuncsError as error:
        print(f"sqlfuncs: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be said to them.
        os._exit(1)
