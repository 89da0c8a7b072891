"""The command line, thin: it reads arguments, calls the rest, and prints.

Results go to stdout; titles, progress, remarks and errors to stderr.
Exit codes: 0 done, 1 something failed, 2 the command was mistyped, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """The program `sqlfuncs`. Everything is imported inside, where Ctrl-C is heard."""
    try:
        from sqlfuncs.cli.program import run_program

        sys.exit(run_program(arguments))
    except KeyboardInterrupt:
        print("\nsqlfuncs: stopped; nothing half done was kept", file=sys.stderr, flush=True)
        os._exit(130)
