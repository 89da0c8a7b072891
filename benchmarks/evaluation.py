"""What evaluating many rows costs, beside counting its pairs of labels, and beside other code.

    python -m benchmarks.evaluation [--against CHECKOUT] [--rows N]

Each call runs in turn with the count of its groups and, where CHECKOUT is a folder that has another
`sqlfuncs`, with the same call there, in a process of its own. Ratios are medians, of the seconds on
the clock, with their range, and of those of the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 7
TABLES = """
CREATE TABLE few AS
SELECT 'class ' || (i % 10) AS label, 'class ' || (if(hash(i) % 5 = 0, i // 10, i) % 10) AS said,
    'class ' || (if(hash(i + 1) % 7 = 0, i // 10, i) % 10) AS other,
    if(hash(i + 2) % 100 = 0, 'class ' || (i % 10), NULL) AS seen
FROM range({rows}) r(i);
CREATE TABLE many AS
SELECT 'label ' || (hash(i) % 1000) AS label, 'label ' || (hash(i + 7 * (i % 2)) % 1000) AS said,
    'label ' || (hash(i + 7 * (i % 3)) % 1000) AS other
FROM range({rows} // 10) r(i);
CREATE TABLE issues AS
SELECT i AS id, 'a' AS label, hash(i) / 2.0 ** 64 AS label_quality FROM range({rows} // 10) r(i);
CREATE TABLE log AS
SELECT id AS key, if(id % 7 = 0, 'relabel', 'keep') AS action, 'a' AS old_label,
    if(id % 7 = 0, 'b', NULL) AS new_label, 'ann' AS decided_by,
    TIMESTAMP '2026-01-01' AS decided_at
FROM issues WHERE hash(id + 1) % 100 = 0;
"""
# A call, and the count of the groups that it needs.
CALLS = {
    "evaluate": (
        "FROM evaluate(few, label, said)",
        "SELECT label, said, count(*) FROM few GROUP BY ALL",
    ),
    "evaluate, 1,000 classes": (
        "FROM evaluate(many, label, said)",
        "SELECT label, said, count(*) FROM many GROUP BY ALL",
    ),
    "class_report": (
        "FROM class_report(few, label, said)",
        "SELECT label, said, count(*) FROM few GROUP BY ALL",
    ),
    "confusion_matrix": (
        "FROM confusion_matrix(few, label, said)",
        "SELECT label, said, count(*) FROM few GROUP BY ALL",
    ),
    "confusion_matrix, 1,000 classes": (
        "FROM confusion_matrix(many, label, said)",
        "SELECT label, said, count(*) FROM many GROUP BY ALL",
    ),
    "compare_models": (
        "FROM compare_models(few, label, said, other)",
        "SELECT label, said, other, count(*) FROM few GROUP BY ALL",
    ),
    "compare_models, 1,000 classes": (
        "FROM compare_models(many, label, said, other)",
        "SELECT label, said, other, count(*) FROM many GROUP BY ALL",
    ),
    "evaluate_noisy": (
        "FROM evaluate_noisy(few, label, said, seen)",
        "SELECT label, said, seen, count(*) FROM few GROUP BY ALL",
    ),
    "review_curve": (
        "FROM review_curve(issues, log, id, label)",
        "SELECT id, row_number() OVER (ORDER BY label_quality, id::VARCHAR) AS n FROM issues "
        "QUALIFY n > 1000000000",
    ),
}
Seconds = tuple[float, float]  # on the clock, and of the processor


class Other:
    """The same statements run by the code of another folder, or of this one."""

    def __init__(self, folder: Path, rows: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", "--rows", str(rows)],
            env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{_later()}"},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask("SELECT 1")

    def _ask(self, statement: str) -> dict[str, list[float]]:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(statement), file=self._process.stdin, flush=True)
        answer: dict[str, list[float]] = json.loads(self._process.stdout.readline())
        return answer

    def seconds(self, statement: str) -> Seconds:
        """What a statement takes."""
        clock, processor = self._ask(statement)["seconds"]
        return clock, processor

    def close(self) -> None:
        """End the process, in the midst of a statement, too."""
        self._process.kill()
        self._process.wait()


def _later() -> str:
    """What stands on the path after our own folder: a DuckDB of another version, perhaps."""
    return os.pathsep.join(os.environ.get("PYTHONPATH", "").split(os.pathsep)[1:])


def serve(rows: int) -> None:
    """Run each statement that is read, and write down its seconds."""
    import sqlfuncs

    with sqlfuncs.connect() as con:
        con.execute(TABLES.format(rows=rows))
        for line in sys.stdin:
            clock, processor = time.perf_counter(), time.process_time()
            con.execute(json.loads(line)).fetchall()
            taken = time.perf_counter() - clock, time.process_time() - processor
            print(json.dumps({"seconds": taken}), flush=True)


def _ratio(one: list[Seconds], other: list[Seconds]) -> str:
    """The medians of the ratios, on the clock and of the processor, and the range of the first."""
    clock, processor = (
        [a[kind] / b[kind] for a, b in zip(one, other, strict=True)] for kind in (0, 1)
    )
    return (
        f"{statistics.median(clock):.2f} ({min(clock):.2f} to {max(clock):.2f}), "
        f"processor {statistics.median(processor):.2f}"
    )


def main() -> int:
    """Print the table."""
    from benchmarks.pages import circumstances  # which other code need not have

    parser = argparse.ArgumentParser()
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    if given.serve:
        serve(given.rows)
        return 0
    ours = Other(Path(__file__).parent.parent, given.rows)
    others = [Other(given.against.resolve(), given.rows)] if given.against else []
    print("| call | seconds | against the count of its groups | against the other code |")
    print("|---|---|---|---|")
    for name, (call, bare) in CALLS.items():
        if not name.startswith(given.only):
            continue
        each = [(ours, call), (ours, bare), *((other, call) for other in others)]
        runs = [[of.seconds(sql) for of, sql in each] for _ in range(RUNS + 1)][1:]  # but the first
        own, count, *there = (list(column) for column in zip(*runs, strict=True))
        print(
            f"| `{name}` | {statistics.median(s for s, _ in own):.3f} | {_ratio(own, count)} "
            f"| {_ratio(own, there[0]) if there else ''} |",
            flush=True,
        )
    for process in (ours, *others):
        process.close()
    print(f"\n{given.rows:,} rows, a tenth of them with 1,000 classes. {circumstances()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
