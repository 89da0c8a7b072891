"""What label_issues costs a row, from ten thousand rows on: processor time and memory.

    python -m benchmarks.straight_lines [ROWS ...]

Embeddings of 384 numbers, a tenth of the labels wrong, are in a file of DuckDB's; in three classes
or, on fewer rows, in 77 and 1,000: of so many each row costs more, but no more the more there are.
Each size is judged in a process of its own, its peak memory without what an idle process takes.
What compares rows is given rows of 12 latent dimensions: to random vectors nothing is near.
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
MANY = {77: 100_000, 1_000: 30_000}  # classes, and up to how many rows of so many
NUMBERS = 384
JUDGED = 30_000
LATENT = 12  # dimensions of what is compared: in as many as there are numbers nothing is near
# Gaussian noise by Box and Muller, of hashes.
NOISE = """(sqrt(-2 * ln((hash({0}) % 1000003 + 1) / 1000004))
    * cos(6.283185307 * (hash(-1 - {0}) % 1000003) / 1000003))"""
# A class moves a sixteenth of the numbers.
ROWS = f"""SELECT i AS id, i % $classes AS true_label,
    if(hash(i + 1) % 10 = 0, hash(i) % $classes, i % $classes) AS label,
    [({NOISE.format(f"(i * {NUMBERS} + d)")} + CASE $classes
            WHEN 3 THEN if(d % 16 = i % 3, 0.35, 0)
            ELSE if(hash(i % $classes * {NUMBERS} + d) % 17 = 0, 1.2, 0) END
    )::FLOAT FOR d IN range({NUMBERS})] AS x
FROM range($rows) r(i)"""
NEAR = f"""WITH points AS (
    SELECT i, [{NOISE.format(f"(i * {LATENT} + j)")} FOR j IN range({LATENT})] AS z
    FROM range($rows) r(i)
)
SELECT i AS id, i % 2 AS label, [(
    list_sum([z[j] * if(hash(j * {NUMBERS} + d) % 7 < 4, 1, -1) FOR j IN range(1, {LATENT + 1})])
    + 0.3 * {NOISE.format(f"(i * {NUMBERS} + d)")})::FLOAT FOR d IN range({NUMBERS})] AS x
FROM points"""
FUNCTIONS = {
    "label_issues": "SELECT count(*) FILTER (is_label_issue) FROM label_issues(t, x, label)",
    "review_queue": "SELECT count(*) FROM review_queue(t, x, label, id)",
    "fine_tune": "SELECT status FROM fine_tune('lines', t, x, label)",
}
SMALL = """WITH few AS (SELECT x, id % 2 AS label FROM t LIMIT 300)
FROM label_issues(few, x, label)"""
COMPARING = {
    "near_duplicates": "SELECT count(*) FROM near_duplicates(t, x)",
    "outliers": "SELECT count(*) FROM outliers(t, x)",
}


def child(file: str, function: str) -> int:
    """Run one function on the file's table; print processor seconds and peak memory in bytes."""
    with sqlfuncs.connect(file) as con:
        con.execute("SELECT sum(x[1]) FROM t").fetchall()  # in memory before it counts, as are
        con.execute(SMALL)  # libraries
        idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.process_time()
        found = con.execute((FUNCTIONS | COMPARING)[function]).fetchall()
        spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([spent, 1024 * (peak - idle), found[0][0]]))
    return 0


def make(file: str, rows: str, classes: str) -> int:
    """Write the table of a file: of so many classes, or of rows to compare where that is 0."""
    given = {"rows": int(rows)} | ({"classes": int(classes)} if int(classes) else {})
    with sqlfuncs.connect(file) as con:
        con.execute(f"CREATE TABLE t AS {ROWS if int(classes) else NEAR}", given)
    return 0


def measured(folder: Path, rows: int, function: str, classes: int) -> tuple[float, float]:
    """Milliseconds of a processor for each row, and peak memory in sizes of the input.

    What made the file has ended: a process begins with its parent's peak.
    """
    file = folder / f"{rows}.{classes}.duckdb"
    if not file.exists():
        _run(folder, str(file), "make", str(rows), str(classes))
    spent, memory, _ = json.loads(_run(folder, str(file), function).splitlines()[-1])
    return 1000 * spent / rows, memory / (4 * NUMBERS * rows)


def _run(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.straight_lines", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SQLFUNCS_HOME": str(folder / "home")},
    )
    return ran.stdout


def judged_alike() -> tuple[float, float]:
    """The share of rows a judge has not seen that it flags as label_issues does, and F1 of both."""
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE t AS {ROWS}", {"rows": JUDGED, "classes": 3})
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
        asked = [(function, 3, sizes) for function in FUNCTIONS]
        for classes, most in MANY.items():
            asked.append(("label_issues", classes, [rows for rows in sizes if rows <= most]))
        asked += [(function, 0, sizes) for function in COMPARING]
        for function, classes, fewer in asked:
            cells = [measured(Path(name), rows, function, classes) for rows in fewer]
            print(function, classes, cells, flush=True)
            shown = [f"{ms:.3f}; {of:.1f}" for ms, of in cells] + ["-"] * (len(sizes) - len(fewer))
            what = f", {classes:,} classes" if classes in MANY else ""
            lines.append(f"| `{function}`{what} | {' | '.join(shown)} |")
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
        file, function, *more = given
        sys.exit(make(file, *more) if function == "make" else child(file, function))
    sys.exit(main([int(each) for each in given] or [*SIZES]))
