"""A query over 100,000 texts, killed at 60,000: what its rerun pays for.

    python -m benchmarks.killed

The server is the tests' own, on loopback; the query runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter

from benchmarks.llm import CALL
from benchmarks.pages import circumstances, write
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import KEY

ROWS, KILLED_AT, LATENCY = 100_000, 60_000, 0.02
QUERY = f"SELECT count({CALL}) FROM (SELECT 'text ' || i AS text FROM range({ROWS}) r(i))"
CODE = f"import sqlfuncs; print(sqlfuncs.connect().execute({QUERY!r}).fetchone()[0])"


def main() -> None:
    """Kill one process, run another and compare what was paid for."""
    with (
        tempfile.TemporaryDirectory() as empty,
        subprocess.Popen(
            [sys.executable, "-m", "tests.llm.fault_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as serving,
    ):
        assert serving.stdout is not None and serving.stdin is not None
        server = FaultServer(int(serving.stdout.readline()))
        server.behave(latency=LATENCY)
        mine = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": KEY}
        environment = {**os.environ, **mine, "SQLFUNCS_HOME": empty}
        command = [sys.executable, "-c", CODE]
        first = subprocess.Popen(command, env=environment)
        while server.count < KILLED_AT:
            time.sleep(0.05)
        first.kill()
        first.wait()
        time.sleep(1)
        before = server.count
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        paid = Counter(server.paid)
        serving.stdin.close()
    lines = [
        f"| {ROWS:,} texts, killed (SIGKILL) at {KILLED_AT:,} | |",
        "|---|---|",
        f"| paid for when it was dead | {before:,} |",
        f"| paid for by the rerun | {paid.total() - before:,} |",
        f"| rows that the rerun answers | {int(done.stdout):,} |",
        f"| texts never paid for; twice, because their answers were on the way | "
        f"{ROWS - len(paid):,}; {paid.total() - len(paid):,} |",
    ]
    write("killed", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
