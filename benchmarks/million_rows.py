"""What a million rows cost: scores, corrections, evaluation, and label errors beside cleanlab."""

from __future__ import annotations

import statistics
import sys
import time

import duckdb

import sqlfuncs
from benchmarks import million_maps
from benchmarks.pages import circumstances, write

PROBABILITIES = """
CREATE TABLE judged AS
SELECT i AS id, 'class ' || (i % 10) AS label,
    MAP(['class ' || k FOR k IN range(10)], [((i * 7 + k) % 10) / 45.0 FOR k IN range(10)]) AS probs
FROM range(1000000) r(i)
"""
DECISIONS = """
CREATE TABLE log AS
SELECT id * 10 AS key, 'relabel' AS action, 'class ' || ((id * 10) % 10) AS old_label,
    'class 9' AS new_label, 'somebody' AS decided_by, '' AS reason,
    now() AT TIME ZONE 'UTC' AS decided_at
FROM range(100000) r(id)
"""
PREDICTIONS = """
CREATE TABLE predicted AS
SELECT 'class ' || (i % 10) AS label, 'class ' || (if(hash(i) % 5 = 0, i // 10, i) % 10) AS said
FROM range(10000000) r(i)
"""
RUNS = 7


def seconds(con: duckdb.DuckDBPyConnection, statement: str) -> float:
    """The seconds one statement takes."""
    begun = time.perf_counter()
    con.execute(statement).fetchall()
    return time.perf_counter() - begun


def ratios(con: duckdb.DuckDBPyConnection, statement: str, bare: str) -> list[float]:
    """The ratio of two statements, run in turn, after a warm-up of each."""
    seconds(con, statement), seconds(con, bare)
    return [seconds(con, statement) / seconds(con, bare) for _ in range(RUNS)]


def main() -> int:
    """Print the table; fail if a bound is broken."""
    with sqlfuncs.connect() as con:
        con.execute(PROBABILITIES)
        con.execute(DECISIONS)
        bare = "SELECT sum(probs[label]) FROM judged"
        lines = ["| a million rows | against | times as long, median (range) |", "|---|---|---|"]
        broken = False
        for method, bound in (
            ("self_confidence", 3.0),
            ("normalized_margin", None),
            ("confidence_weighted_entropy", None),
        ):
            call = f"SELECT sum(label_quality(label, probs, method := '{method}')) FROM judged"
            measured = ratios(con, call, bare)
            median = statistics.median(measured)
            broken |= bound is not None and median > bound
            lines.append(
                f"| `label_quality`, `{method}` | `probs[label]` "
                f"| {median:.2f} ({min(measured):.2f} to {max(measured):.2f}) |"
            )
        apply = "CREATE OR REPLACE TABLE o AS FROM apply_corrections(judged, log, id, label)"
        measured = ratios(con, apply, "CREATE OR REPLACE TABLE o AS FROM judged")
        lines.append(
            "| `apply_corrections`, 100,000 decisions | copying the table "
            f"| {statistics.median(measured):.2f} ({min(measured):.2f} to {max(measured):.2f}) |"
        )
        con.execute(PREDICTIONS)
        measured = ratios(
            con,
            "FROM evaluate(predicted, label, said)",
            "SELECT label, said, count(*) FROM predicted GROUP BY ALL",
        )
        lines.append(
            "| `evaluate`, ten million rows | `count(*)` of each pair "
            f"| {statistics.median(measured):.2f} ({min(measured):.2f} to {max(measured):.2f}) |"
        )
        plan = con.execute(f"EXPLAIN {apply.partition(' AS ')[2]}").fetchall()[0][1]
        python = [name for name in ("_sf_label_issues(",) if name in plan]
        lines.append(f"\nPython functions in the plan of `apply_corrections`: {python or 'none'}.")
    write("million", "\n".join([*lines, "", million_maps.table(), "", circumstances()]))
    return 1 if broken or python else 0


if __name__ == "__main__":
    sys.exit(main())
