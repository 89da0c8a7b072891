"""How fast a server is asked that turns some requests away, against one that turns away none.

    python -m benchmarks.limits

The server is the tests' own, on loopback, in a process of its own. It takes 0.4 s for a request,
and 32 run at once.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import sqlfuncs
from sqlfuncs.llm import asking, providers, run, usage
from tests.llm.conftest import FaultServer, serving

ROWS, LATENCY = 1000, 0.4
WAYS: dict[str, Mapping[str, Any]] = {
    "none": {},
    "5 % 429, Retry-After: 0": {"busy": 0.05, "asks": {"retry-after": "0"}},
    "5 % 429 without a header": {"busy": 0.05, "asks": {}},
    "5 % 503, Retry-After: 0": {"broken": 0.05},
    "bears 8 at once, Retry-After: 0": {"bears": 8, "asks": {"retry-after": "0"}},
    "bears 8 at once, no header": {"bears": 8, "asks": {}},
    "bears 8 at once, 0.2 s": {"bears": 8, "asks": {"retry-after-ms": "200"}},
    "bears 20 at once, Retry-After: 0": {"bears": 20, "asks": {"retry-after": "0"}},
}


def rate(server: FaultServer, ways: Mapping[str, Any], rows: int = ROWS) -> float:
    """Answers a second."""
    server.behave(latency=LATENCY, **ways)
    providers.provider.cache_clear()
    run._limiters.clear()
    with usage.afresh(), sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT 'text ' || i AS text FROM range({rows}) r(i)")
        task = f"instructions := '{time.monotonic()}'"
        call = f"llm_classify(text, ['a', 'b'], model := 'openai:m', {task})"
        asking.forget_failures()
        begun = time.perf_counter()
        ((found,),) = con.execute(f"SELECT count({call}) FROM t").fetchall()
        taken = time.perf_counter() - begun
    assert found == rows, found
    return rows / taken


def main() -> None:
    """Print the table."""
    with serving() as server, tempfile.TemporaryDirectory() as home:
        os.environ |= server.environment
        os.environ["SQLFUNCS_HOME"] = home
        rate(server, {}, 200)  # what is imported is imported
        whole = max(rate(server, {}) for _ in range(2))
        print(f"{'turned away':34} {'a second':>9} {'of none':>8} {'requests':>9} {'429':>6}")
        for name, ways in WAYS.items():
            found = rate(server, ways)
            log = server.log
            away = log["requests"] - ROWS
            print(
                f"{name:34} {found:9,.0f} {found / whole:8.2f} {log['requests']:9} {away:6}",
                flush=True,
            )


if __name__ == "__main__":
    main()
