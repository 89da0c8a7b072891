"""What connecting takes with our macros kept compiled, and without.

    python -m benchmarks.connecting

Each in a process of its own: the first connection, with the import, and the mean of ten more.
Processor time, as the machine is busy.
"""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.pages import circumstances, write

RUNS = 5
_CODE = """
import sys, time
def spent(): return time.process_time()
begun = spent()
import sqlfuncs
from sqlfuncs.engines.duckdb.macros import compiled
if sys.argv[1] == "no":
    compiled.file_for = lambda texts: None
sqlfuncs.connect().close()
first = spent() - begun
for _ in range(10):
    sqlfuncs.connect().close()
print(first, (spent() - begun - first) / 10)
"""


def seconds(is_kept: bool) -> tuple[float, float]:
    """The least of the first connections, and of the mean of the others."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    runs = []
    for _ in range(RUNS):
        ran = subprocess.run(
            [sys.executable, "-c", _CODE, "yes" if is_kept else "no"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append(tuple(map(float, ran.stdout.split())))
    firsts, others = zip(*runs, strict=True)
    return min(firsts), min(others)


def main() -> None:
    """A line for each way."""
    seconds(True)  # the file is written
    lines = ["| seconds of a processor | the first of a process | each other |", "|---|---|---|"]
    for name, is_kept in (("macros made anew", False), ("macros kept compiled", True)):
        first, other = seconds(is_kept)
        lines.append(f"| {name} | {first:.2f} | {other:.3f} |")
    write("connecting", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
