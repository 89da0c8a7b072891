"""The program `sqlfuncs`: in a process of its own, or, in a tenth of the time, in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest import mock

from sqlfuncs import work
from sqlfuncs.cli.program import run_program

PROGRAM = [sys.executable, "-m", "sqlfuncs.cli"]
Ran = subprocess.CompletedProcess[str]


def called(*arguments: str | Path, env: Mapping[str, str] | None = None, piped: str = "") -> Ran:
    """Run a command line in this process; what ends in a traceback there is raised here.

    Not for what is stopped, by Ctrl-C or a limit: that ends the process.
    """
    given = [str(each) for each in arguments]
    # Without a terminal, and having said nothing yet, as in a process of its own.
    source = TextIOWrapper(BytesIO(piped.encode()), "utf-8")
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        mock.patch.object(sys, "stdin", source),
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.dict(os.environ, {**(env or {})}),
        mock.patch.object(work, "_said", set()),
    ):
        code = run_program(given)
    return Ran(given, code, _written(out), _written(err))


def spawned(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    piped: str = "",
    cwd: Path | None = None,
) -> Ran:
    """Run a command line in a process of its own, as a shell does."""
    ran = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        input=piped, capture_output=True, encoding="utf-8", env={**os.environ, **(env or {})},
        timeout=300, cwd=cwd,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr
    return ran


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    held = stream.buffer
    assert isinstance(held, BytesIO)
    return held.getvalue().decode("utf-8")
