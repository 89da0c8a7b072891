"""`label_issues` on a million maps beside cleanlab on the same numbers, time and memory.

Each measurement runs in a process of its own (`python -m benchmarks.million_maps WAY FILE`): the
seconds, and how far resident memory rose above where it was. Linux only: it reads /proc.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

Arrays = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
CLASSES = 10
# One label in twenty is wrong; the model is sure of some rows and not of others.
TABLE = f"""
CREATE TABLE judged AS
WITH drawn AS (
    SELECT i, hash(i) % {CLASSES} AS truth,
        if(hash(i + 5) % 20 = 0, hash(i + 9) % {CLASSES}, hash(i) % {CLASSES}) AS given
    FROM range(1000000) r(i)
), weighed AS (
    SELECT i, given, [
        1 + hash(i * {CLASSES} + k) % 1000 + if(k = truth, hash(i + 3) % 4000, 0)
        FOR k IN range({CLASSES})
    ] AS weights FROM drawn
)
SELECT i AS id, 'class ' || given AS label,
    MAP(
        ['class ' || k FOR k IN range({CLASSES})], [w / list_sum(weights) FOR w IN weights]
    ) AS probs
FROM weighed
"""
WAYS = {
    "memory": "the numbers in memory as arrays",
    "arrow": "reading the table through Arrow",
    "frame": "reading the table by `.df()`",
}
# What is measured of ours: cleanlab gives which rows are flagged and all scores, as arrays.
STATEMENTS = {
    "flags": "SELECT id, label_quality FROM label_issues(judged, probs, label) "
    "WHERE is_label_issue",
    "table": "CREATE TABLE result AS FROM label_issues(judged, probs, label)",
}
RUNS = 3


def ours(con: duckdb.DuckDBPyConnection, statement: str) -> Callable[[], object]:
    """The call that is measured."""
    import sqlfuncs
    from sqlfuncs.engines.duckdb.connection import use_bare_names

    sqlfuncs.register(con)
    use_bare_names(con)
    con.execute("CREATE TEMP TABLE few AS FROM judged LIMIT 5000")
    con.execute("FROM label_issues(few, probs, label)").fetchall()
    return lambda: con.execute(statement).to_arrow_table()


def by_arrow(con: duckdb.DuckDBPyConnection) -> Arrays:
    """The arrays by the shortest way: every map has the same keys in the same order."""
    table = con.sql("SELECT label, map_values(probs) AS probs FROM judged").to_arrow_table()
    labels = table["label"].combine_chunks().dictionary_encode()
    names, places = np.unique(labels.dictionary.to_pylist(), return_inverse=True)
    values = table["probs"].combine_chunks().flatten().to_numpy()
    return places[labels.indices.to_numpy()], values.reshape(-1, len(names))


def by_frame(con: duckdb.DuckDBPyConnection) -> Arrays:
    """The arrays as one writes them down first."""
    frame = con.sql("SELECT label, probs FROM judged").df()
    names = sorted(frame.label.unique())
    places = {name: place for place, name in enumerate(names)}
    probs = np.array([[row[name] for name in names] for row in frame.probs])
    return frame.label.map(places).to_numpy(), probs


def reference(way: str, con: duckdb.DuckDBPyConnection) -> Callable[[], object]:
    """The same with cleanlab, its imports and pools already warm."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    few = np.random.default_rng(0).dirichlet(np.ones(CLASSES), 5000)
    find_label_issues(few.argmax(axis=1), few)
    con.sql("SELECT 1 AS one").df()
    read = by_frame if way == "frame" else by_arrow
    held = read(con) if way == "memory" else None

    def judge() -> object:
        codes, probs = held or read(con)
        return find_label_issues(codes, probs), get_label_quality_scores(codes, probs)

    return judge


def resident(which: str) -> float:
    """MiB of memory of this process: `VmRSS` now, `VmHWM` at most since it was cleared."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) / 1024
    raise LookupError(which)


def measure(way: str, file: str) -> None:
    """Run one way and print its seconds and extra memory."""
    with duckdb.connect(file) as con:
        con.execute("SET enable_progress_bar = false")
        run = ours(con, STATEMENTS[way]) if way in STATEMENTS else reference(way, con)
        Path("/proc/self/clear_refs").write_text("5")
        before, begun = resident("VmRSS"), time.perf_counter()
        kept = run()
        seconds = time.perf_counter() - begun
        print(json.dumps([seconds, resident("VmHWM") - before]))
        del kept


def in_a_process(way: str, file: Path) -> tuple[float, float]:
    """Seconds and MiB of one way, on a copy of the table, in a new process."""
    copy = file.with_name("copy.duckdb")
    copy.write_bytes(file.read_bytes())
    command = [sys.executable, "-m", "benchmarks.million_maps", way, str(copy)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, extra = json.loads(ran.stdout.splitlines()[-1])
    return seconds, extra


def table() -> str:
    """The measurement as a Markdown table: ours divided by each reading of the reference."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "judged.duckdb"
        with duckdb.connect(str(file)) as con:
            con.execute("SET enable_progress_bar = false")
            con.execute(TABLE)
        # In turn, so that what else the machine does falls on all of them.
        rounds = [
            {way: in_a_process(way, file) for way in (*STATEMENTS, *WAYS)} for _ in range(RUNS)
        ]
    lines = [
        "| `label_issues` on a million maps of ten classes against cleanlab's `find_label_issues` "
        "and scores of | the flagged rows: time, median (range) | extra memory "
        "| all rows into a table: time | extra memory |",
        "|---|---|---|---|---|",
    ]
    for way, name in WAYS.items():
        cells = []
        for own in STATEMENTS:
            times = [one[own][0] / one[way][0] for one in rounds]
            extra = statistics.median(one[own][1] / one[way][1] for one in rounds)
            cells += [
                f"{statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f})",
                f"{extra:.2f}",
            ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    most = {own: statistics.median(one[own][1] for one in rounds) for own in STATEMENTS}
    lines.append(
        f"\nExtra memory of `label_issues`, above the state before: {most['flags']:.0f} MiB, "
        f"into a table {most['table']:.0f} MiB."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    measure(*sys.argv[1:])
