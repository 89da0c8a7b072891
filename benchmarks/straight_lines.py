"""What label_issues costs a row, from ten thousand rows on: processor time and memory.

    python -m benchmarks.straight_lines [ROWS ...]

Embeddings of 384 numbers in three classes, a tenth of the labels wrong, are in a file of DuckDB's;
each size is judged in a process of its own, its peak memory without what an idle process takes.
What compares rows with each other is in `benchmarks.neighbours`: to random vectors nothing is near.
Then a judge is kept of nine tenths of 30,000 rows, and asked about the rest.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlfuncs
from benchmarks.pages import circumstances, write

SIZES = (10_000, 30_000, 100_000, 300_000)
NUMBERS = 384
JUDGED = 30_000
# Gaussian noise by Box and Muller, of hashes; a class moves 24 of the numbers.
ROWS = f"""SELECT i AS id, i % 3 AS true_label,
    if(hash(i + 1) % 10 = 0, hash(i) % 3, i % 3) AS label,
    [(sqrt(-2 * ln((hash(i * {NUMBERS} + d) % 1000003 + 1) / 1000004))
        * cos(6.283185307 * (hash(-i * {NUMBERS} - d - 1) % 1000003) / 1000003)
        + if(d % 16 = i % 3, 0.35, 0))::FLOAT FOR d IN range({NUMBERS})] AS x
FROM range($rows) r(i)"""
FUNCTIONS = {
    "label_issues": "SELECT count(*) FILTER (is_label_issue) FROM label_issues(t, x, label)",
    "review_queue": "SELECT count(*) FROM review_queue(t, x, label, id)",
    "fine_tune": "SELECT status FROM fine_tune('lines', t, x, label)",
}


def child(file: str, function: str) -> int:
    """Run one function on the file's table; print processor seconds and peak memory in bytes."""
    with sqlfuncs.connect(file) as con:
        con.execute("SELECT sum(x[1]) FROM t").fetchall()  # in memory before it counts, as are
        con.execute("WITH few AS (FROM t LIMIT 300) FROM label_issues(few, x, label)")  # libraries
        idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.process_time()
        found = con.execute(FUNCTIONS[function]).fetchall()
        spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([spent, 1024 * (peak - idle), found[0][0]]))
    return 0


def measured(folder: Path, rows: int, function: str) -> tuple[float, float]:
    """Milliseconds of a processor for each row, and peak memory in sizes of the input."""
    file = folder / f"{rows}.duckdb"
    if not file.exists():
        with sqlfuncs.connect(str(file)) as con:
            con.execute(f"CREATE TABLE t AS {ROWS}", {"rows": rows})
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.straight_lines", str(file), function],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SQLFUNCS_HOME": str(folder / "home")},
    )
    spent, memory, _ = json.loads(ran.stdout.splitlines()[-1])
    return 1000 * spent / rows, memory / (4 * NUMBERS * rows)


def judged_alike() -> tuple[float, float]:
    """The share of rows a judge has not seen that it flags as label_issues does, and F1 of both."""
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE t AS {ROWS}", {"rows": JUDGED})
        con.execute("CREATE VIEW learned AS FROM t WHERE id % 10 > 0")
        con.execute("FROM label_issues(learned, x, label, judge := 'lines')")
        con.execute("CREATE TABLE i AS FROM label_issues(t, x, label)")
        row = con.execute("""SELECT avg((i.is_label_issue = j.is_label_issue)::INT),
                2 * count(*) FILTER (j.is_label_issue AND i.label != i.true_label) / (
                    count(*) FILTER (j.is_label_issue) + count(*) FILTER (i.label != i.true_label)
                )
            FROM i JOIN (SELECT id, judge_labels(x, label, judge := 'lines') AS j
                         FROM t WHERE id % 10 = 0) USING (id)""").fetchone()
    assert row is not None
    return row


def main(sizes: list[int]) -> int:
    """Print the table."""
    lines = [
        "| ms of a processor a row; memory in sizes of the input | "
        + " | ".join(f"{rows:,} rows" for rows in sizes)
        + " |",
        "|---|" + "---|" * len(sizes),
    ]
    with tempfile.TemporaryDirectory() as name:
        for function in FUNCTIONS:
            cells = [measured(Path(name), rows, function) for rows in sizes]
            print(function, cells, flush=True)
            lines.append(
                f"| `{function}` | " + " | ".join(f"{ms:.3f}; {of:.1f}" for ms, of in cells) + " |"
            )
        os.environ["SQLFUNCS_HOME"] = str(Path(name) / "judged")
        alike, f1 = judged_alike()
    lines += [
        "",
        f"Of {JUDGED // 10:,} rows that a judge has not seen, it flags {alike:.3f} as "
        f"`label_issues` on all rows does (F1 {f1:.3f}).",
        "",
        circumstances(),
    ]
    write("straight_lines", "\n".join(lines))
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    if given and given[0].endswith(".duckdb"):
        sys.exit(child(*given))
    sys.exit(main([int(each) for each in given] or [*SIZES]))
