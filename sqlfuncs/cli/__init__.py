"""The command line, thin: it reads arguments, calls the rest, and prints.

Results go to stdout; titles, progress, remarks and errors to stderr.
Exit codes: 0 done, 1 something failed, 2 the command was mistyped, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType


def main(arguments: Sequence[str] | None = None) -> None:
    """The program `sqlfuncs`. Everything is imported inside, where Ctrl-C is caught."""
    pressed = _noting_ctrl_c()
    try:
        from sqlfuncs.cli.program import run_program

        sys.exit(run_program(arguments))
    except KeyboardInterrupt:
        _stopped()
    except Exception:
        # An extension module that is interrupted while it loads calls that an ImportError.
        if not pressed:
            raise
        _stopped()


def _noting_ctrl_c() -> list[bool]:
    """A list that is empty until Ctrl-C is pressed, which stays a KeyboardInterrupt.

    But while DuckDB is loaded the process ends at once: an exception there would crash it.
    """
    pressed: list[bool] = []

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(True)
        if _is_loading("duckdb"):
            _stopped()
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, on_interrupt)
    return pressed


def _is_loading(package: str) -> bool:
    spec = getattr(sys.modules.get(package), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _stopped() -> None:
    print("\nsqlfuncs: stopped; nothing half done was kept", file=sys.stderr, flush=True)
    os._exit(130)
