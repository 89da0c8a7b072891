"""The package `openaivec`, which also asks from DuckDB, on the server that `llm` measures with.

    python -m benchmarks.peers PORT    prints seconds and requests for each way, as JSON

It counts tokens with a vocabulary that `tiktoken` downloads, or finds in TIKTOKEN_CACHE_DIR.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Literal

import duckdb
from pydantic import BaseModel

from benchmarks.llm import LABELS, LATENCY, TABLE, WAYS
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import right


class Said(BaseModel):
    """What it asks for."""

    label: Literal["polite", "neutral", "impolite"]


def measured(server: FaultServer, rows_a_request: int, at_once: int) -> tuple[float, int]:
    """Seconds for all rows, and how many requests that took."""
    package = importlib.import_module("openaivec.duckdb_ext")
    with duckdb.connect() as con:
        package.responses_udf(
            con,
            "classify",
            instructions="Label the text",
            response_format=Said,
            model_name="m",
            batch_size=rows_a_request,
            max_concurrency=at_once,
        )
        con.execute(TABLE)
        con.execute("SELECT classify('first')").fetchall()
        server.behave(latency=LATENCY)
        begun = time.perf_counter()
        rows = con.execute("SELECT text, classify(text).label FROM t").fetchall()
        seconds = time.perf_counter() - begun
    assert all(label == right(text, LABELS) for text, label in rows)
    return seconds, server.log["requests"]


def main() -> None:
    """Measure each way."""
    server = FaultServer(int(sys.argv[1]))
    print(json.dumps([measured(server, *way) for way in WAYS]))


if __name__ == "__main__":
    main()
