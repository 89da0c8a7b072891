"""`llm_classify` beside the floor, beside one call a row, with faults, and from the store.

    python -m benchmarks.llm

The server is the tests' own, on loopback, in a process of its own; the local model is SmolLM2.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

import duckdb
import openai

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write
from sqlfuncs.llm import prompt, run
from sqlfuncs.llm.task import Task
from sqlfuncs.store import weights
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import KEY, right

ROWS, DISTINCT, LATENCY, AT_ONCE = 10_000, 2_000, 0.05, 32
LABELS = ["polite", "neutral", "impolite"]
CALL = f"llm_classify(text, {LABELS}, model := 'openai:m')"
TABLE = f"CREATE TABLE t AS SELECT 'text ' || (i % {DISTINCT}) AS text FROM range({ROWS}) r(i)"
WAYS = [(1, 32), (20, 32), (64, 8)]  # rows a request, and at once; the last is openaivec's own
FAULTS = {"busy": 0.05, "broken": 0.05, "silent": 0.03, "garbage": 0.05, "chatty": 0.02}


def seconds(con: duckdb.DuckDBPyConnection, sql: str) -> float:
    """How long a statement takes."""
    begun = time.perf_counter()
    con.execute(sql).fetchall()
    return time.perf_counter() - begun


def one_call_a_row(server: FaultServer, rows: int = 200) -> float:
    """Seconds for all rows, by the official client in a loop over some of them."""
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY)
    task = Task.read(LABELS)
    client.models.list()
    begun = time.perf_counter()
    for row in range(rows):
        chat = prompt.messages(task, [f"text {row}"], None)
        client.chat.completions.create(model="m", messages=chat)  # type: ignore[arg-type]
    return (time.perf_counter() - begun) / rows * ROWS


def speed(server: FaultServer) -> list[str]:
    """Lines of the table about time."""
    with sqlfuncs.connect() as con:
        con.execute(TABLE)
        server.behave(latency=LATENCY)
        con.execute(f"SELECT {CALL} FROM (SELECT 'first' AS text)").fetchall()
        floor = DISTINCT * LATENCY / AT_ONCE
        cold = seconds(con, f"SELECT count({CALL}) FROM t")
        asked = server.log["requests"]
        warm = min(seconds(con, f"SELECT count({CALL}) FROM t") for _ in range(3))
        again = server.log["requests"] - asked
        by_twenty = CALL.replace(")", ", instructions := 'x', rows_per_request := 20)", 1)
        several = seconds(con, f"SELECT count({by_twenty}) FROM t")
    singly = one_call_a_row(server)
    return [
        f"| seconds against the floor ({floor:.1f} s) | {cold / floor:.2f} |",
        f"| times as fast as one call a row | {singly / cold:.0f} |",
        f"| the same with 20 rows a request | {singly / several:.0f} |",
        f"| all cached: rows a second; requests | {ROWS / warm:,.0f}; {again} |",
    ]


def beside_openaivec(server: FaultServer, port: int) -> list[str]:
    """Lines about the package openaivec, asked on the same server; it has a process of its own."""
    if find_spec("openaivec") is None:
        return ["| openaivec: not measured, it is not installed | |"]
    command = [sys.executable, "-m", "benchmarks.peers", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"| openaivec: not measured, {done.stderr.splitlines()[-1][:200]} | |"]
    theirs = json.loads(done.stdout)
    lines = []
    for (rows, at_once), (seconds_it_took, _) in zip(WAYS, theirs, strict=True):
        os.environ["SQLFUNCS_REQUESTS_AT_ONCE"] = str(at_once)
        run._limiters.clear()
        more = f", instructions := '{rows} by {at_once}', rows_per_request := {rows})"
        with sqlfuncs.connect() as con:
            con.execute(TABLE)
            server.behave(latency=LATENCY)
            ours = seconds(con, f"SELECT count({CALL.replace(')', more, 1)}) FROM t")
        lines.append(
            f"| times as fast as openaivec, {rows} rows a request, {at_once} at once | "
            f"{seconds_it_took / ours:.1f} |"
        )
    del os.environ["SQLFUNCS_REQUESTS_AT_ONCE"]
    run._limiters.clear()
    return lines


def faults(server: FaultServer) -> str:
    """The line about a server that fails."""
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT 'faulty ' || i AS text FROM range({DISTINCT}) r(i)")
        server.behave(latency=0.01, retry_after=0.1, **FAULTS)
        rows = con.execute(f"SELECT text, {CALL.replace('classify', 'classify_result')} FROM t")
        said = rows.fetchall()
    fine = sum(result["label"] == right(text, LABELS) for text, result in said)
    reasons = sum(bool(result["error"]) for _, result in said)
    paid = Counter(server.paid)
    once = sum(count == 1 for count in paid.values())
    wrong = DISTINCT - fine - reasons
    return (
        f"| {sum(FAULTS.values()):.0%} of requests fail: of {DISTINCT:,} rows right; NULL with a "
        f"reason; wrong; answered once | {fine:,}; {reasons}; {wrong}; {once:,} |"
    )


def local(texts: Sequence[str]) -> str:
    """The line about the model in this process, beside a pass for each label."""
    import torch

    from sqlfuncs.llm.local import LocalProvider

    model, task = LocalProvider("smollm2"), Task.read(LABELS)
    model.ask(task, texts[:20])
    begun = time.perf_counter()
    model.ask(task, texts)
    ours = time.perf_counter() - begun
    frame, (own, _) = model._frame(task), model._tokens(texts)
    _, network = model._loaded
    begun = time.perf_counter()
    some = own[:60]
    for text in some:
        for label in frame.labels:
            ids = torch.tensor([frame.before + text + frame.after + label])
            with torch.inference_mode():
                network(input_ids=ids, logits_to_keep=len(label) + 1).logits.log_softmax(-1)
    singly = (time.perf_counter() - begun) / len(some) * len(own)
    return (
        f"| SmolLM2 in the process, {len(LABELS)} labels, {len(texts)} texts: times as fast as a "
        f"pass for each label | {singly / ours:.1f} |"
    )


def main() -> None:
    """Measure everything and write the table."""
    lines = [
        f"| {ROWS:,} rows, {DISTINCT:,} distinct, {LATENCY * 1000:.0f} ms, {AT_ONCE} at once | |",
        "|---|---|",
    ]
    home = os.environ.get("SQLFUNCS_HOME")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.llm.fault_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        port = int(process.stdout.readline())
        server = FaultServer(port)
        with tempfile.TemporaryDirectory() as empty:
            os.environ |= {
                "OPENAI_BASE_URL": f"{server.url}/v1",
                "OPENAI_API_KEY": KEY,
                "SQLFUNCS_TIMEOUT_SECONDS": "1",
                "SQLFUNCS_HOME": empty,
            }
            lines += [*speed(server), *beside_openaivec(server, port), faults(server)]
        process.stdin.close()
    if home:
        os.environ["SQLFUNCS_HOME"] = home
    if weights.local(weights.SMOLLM2) is not None:
        with sqlfuncs.connect() as con:
            rows = con.execute(f"SELECT text FROM ({TABLES['wikipedia'][0]}) LIMIT 500").fetchall()
        lines.append(local([text for (text,) in rows]))
    write("llm", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
