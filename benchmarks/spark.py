"""Spark beside DuckDB on the same machine: the same results, and what a row costs past its memory.

    python -m benchmarks.spark [ROWS ...]
    python -m benchmarks.spark bits        # the table of texts alone

Two executor threads (`local[2]`), one session for each table. Processor time is that of the JVM and
of its Python workers together, without the start of either. Embeddings have 384 numbers, in ten
classes, 15 % of the labels wrong, and lie in Parquet; results are written to Parquet.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import sqlfuncs.spark
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.models import shares

SIZES = (100_000, 400_000, 1_000_000, 1_600_000)
NUMBERS, CLASSES, WRONG = 384, 10, 0.15
APART = 0.14  # of the centres of classes, in standard deviations of each of the numbers
BLOCK = 100_000
COUNTED = 100_000_000
JUDGE = "benchmark"  # learned from the second largest table


def session() -> Any:
    """A classic Spark on this machine."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("OFF")
    sqlfuncs.register(made)
    return made


def embeddings(file: Path, rows: int) -> None:
    """Write a table, a block at a time: id, x, label, true_label."""
    centres = np.random.default_rng(1).normal(size=(CLASSES, NUMBERS))
    writer = None
    for at in range(0, rows, BLOCK):
        rng = np.random.default_rng((2, at))
        count = min(BLOCK, rows - at)
        truth = rng.integers(CLASSES, size=count)
        values = (APART * centres[truth] + rng.normal(size=(count, NUMBERS))).astype(np.float32)
        given = truth.copy()
        wrong = rng.random(count) < WRONG
        given[wrong] = (truth[wrong] + rng.integers(1, CLASSES, size=int(wrong.sum()))) % CLASSES
        offsets = pa.array(np.arange(0, NUMBERS * count + 1, NUMBERS, dtype=np.int32))
        table = pa.table(
            {
                "id": np.arange(at, at + count),
                "x": pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1))),
                "label": [f"class {each}" for each in given],
                "true_label": [f"class {each}" for each in truth],
            }
        )
        writer = writer or pq.ParquetWriter(file, table.schema, compression="lz4")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def descendants() -> list[int]:
    """The processes that this one has started, and theirs."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(stat[1]), []).append(int(folder.name))
    found, waiting = list[int](), [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def processor_seconds() -> float:
    """What the processes of Spark have used, those that have ended among them."""
    ticks = 0
    for process in descendants():
        try:
            stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, stat[11:15]))  # its own, and of children that it has waited for
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Processor seconds, wall seconds, and the peak of a Python worker in bytes, of a block."""
    seen = {"peak": 0.0}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            for process in descendants():
                try:
                    command = Path(f"/proc/{process}/cmdline").read_bytes()
                    status = Path(f"/proc/{process}/status").read_text()
                except OSError:
                    continue
                if b"pyspark" in command and b"java" not in command.split(b"\0")[0]:
                    peak = next((s for s in status.splitlines() if s.startswith("VmHWM")), "0 0")
                    seen["peak"] = max(seen["peak"], 1024.0 * int(peak.split()[1]))

    watcher = threading.Thread(target=look)
    watcher.start()
    begun, spent = time.monotonic(), processor_seconds()
    try:
        yield seen
    finally:
        seen["wall"] = time.monotonic() - begun
        seen["processor"] = processor_seconds() - spent
        over.set()
        watcher.join()


def average_precision(judged: pa.Table) -> float:
    """Of label_quality, against whether the label is wrong."""
    from sklearn.metrics import average_precision_score

    rows = duckdb.execute(
        "SELECT label <> true_label AS wrong, coalesce(label_quality, 1) AS quality FROM judged"
    ).fetchnumpy()
    return float(average_precision_score(rows["wrong"], -np.asarray(rows["quality"])))


def _rows(query: str) -> pa.Table:
    with duckdb.connect() as con:
        return con.execute(query).to_arrow_table()


def texts() -> Iterator[tuple[str, pa.Table]]:
    """Tables of texts whose true labels are known: id, text, label, true_label."""
    root = Path(__file__).parent.parent
    yield "the sample", _rows(f"FROM '{root / 'data' / 'support_requests.csv'}'")
    train, _ = TABLES["wikipedia"]
    yield "wikipedia", _rows(train)


def same_bits(spark: Any) -> list[str]:
    """Lines of a table: Spark against DuckDB below the sample's size, and from half of the rows."""
    lines = [
        "| average precision | in DuckDB | on Spark | rows that differ "
        "| DuckDB from half of the rows | Spark from half of them |",
        "|---|---|---|---|---|---|",
    ]
    for name, table in texts():
        df = spark.createDataFrame(table).repartition(3)
        home, there = _in_duckdb(table), _judged(df)
        differ = sum(
            a != b
            for a, b in zip(
                home.to_pylist(maps_as_pydicts="strict"),
                there.to_pylist(maps_as_pydicts="strict"),
                strict=True,
            )
        )
        before, shares.SAMPLE_ROWS = shares.SAMPLE_ROWS, table.num_rows // 2
        try:
            halves = _in_duckdb(table), _judged(df)
        finally:
            shares.SAMPLE_ROWS = before
        found = [average_precision(each) for each in (home, there, *halves)]
        lines.append(
            f"| {name}, {table.num_rows:,} texts | {found[0]:.3f} | {found[1]:.3f} | {differ} "
            f"| {found[2]:.3f} | {found[3]:.3f} |"
        )
    return lines


def _in_duckdb(table: pa.Table) -> pa.Table:
    with sqlfuncs.connect() as con:
        con.register("t", table)
        return con.sql("FROM label_issues(t, text, label) ORDER BY id").to_arrow_table()


def _judged(df: Any) -> pa.Table:
    return sqlfuncs.spark.label_issues(df, "text", "label").orderBy("id").toArrow()


def _child(*arguments: object) -> dict[str, float]:
    """What a call in a process of its own took."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.spark", *map(str, arguments)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def child(call: str, folder: Path, rows: int) -> int:
    """Judge a table and print what it took."""
    file, into = folder / f"{rows}.parquet", folder / f"{rows}.of_{call}.parquet"
    seen = _at_home(file, into) if call == "duckdb" else _on_spark(call, file, into)
    written = f"{into}/*.parquet" if into.is_dir() else str(into)
    columns = "label, true_label, label_quality"
    seen["precision"] = average_precision(_rows(f"SELECT {columns} FROM '{written}'"))
    print(json.dumps(seen))
    return 0


def _on_spark(call: str, file: Path, into: Path) -> dict[str, float]:
    """`label_issues`, which keeps its judge, or `judge_labels` by that one."""
    spark = session()
    df = spark.read.parquet(str(file))
    sqlfuncs.spark.label_issues(df.limit(2_000), "x", "label").count()  # libraries are loaded
    with watched() as learned:
        if call == "label_issues":
            result = sqlfuncs.spark.label_issues(df, "x", "label", judge=JUDGE)
        else:
            result = sqlfuncs.spark.judge_labels(df, "x", "label", judge=JUDGE)
    with watched() as seen:
        result.drop("x").write.mode("overwrite").parquet(str(into))
    seen["peak"] = max(seen["peak"], learned["peak"])
    return seen | {f"learn_{name}": value for name, value in learned.items()}


def _at_home(file: Path, into: Path) -> dict[str, float]:
    with sqlfuncs.connect() as con:
        begun, spent = time.monotonic(), time.process_time()
        con.execute(f"CREATE VIEW t AS FROM '{file}'")
        con.execute(
            f"COPY (SELECT * EXCLUDE (x) FROM label_issues(t, x, label)) TO '{into}' "
            "(FORMAT parquet)"
        )
        return {"wall": time.monotonic() - begun, "processor": time.process_time() - spent}


def beside_duckdb(folder: Path, rows: int) -> list[str]:
    """Lines of a table: label_issues on Spark and in DuckDB, on the same machine."""
    embeddings(folder / f"{rows}.parquet", rows)
    there, home = _child("label_issues", folder, rows), _child("duckdb", folder, rows)
    lines = [
        f"| `label_issues` of {rows:,} embeddings | on Spark, local[2] | in DuckDB |",
        "|---|---|---|",
        f"| average precision | {there['precision']:.4f} | {home['precision']:.4f} |",
        f"| s of wall: learn, then judge and write | {there['learn_wall']:.0f} + "
        f"{there['wall']:.0f} | {home['wall']:.0f} |",
        f"| s of a processor | {there['learn_processor']:.0f} + {there['processor']:.0f} "
        f"| {home['processor']:.0f} |",
        f"| peak of a Python worker | {there['peak'] / 1e9:.2f} GB | |",
    ]
    print("\n".join(lines), flush=True)
    return lines


def growth(folder: Path, sizes: list[int]) -> list[str]:
    """Lines of a table: what judging costs by a judge that is kept, for each size."""
    lines = [
        "| rows judged | s of a processor | us a row | peak of a Python worker "
        "| average precision |",
        "|---|---|---|---|---|",
    ]
    spent = {}
    for rows in sizes:
        file = folder / f"{rows}.parquet"
        if not file.exists():
            embeddings(file, rows)
        seen = _child("judge_labels", folder, rows)
        spent[rows] = seen["processor"]
        lines.append(
            f"| {rows:,} | {seen['processor']:.1f} | {1e6 * seen['processor'] / rows:.0f} "
            f"| {seen['peak'] / 1e9:.2f} GB | {seen['precision']:.4f} |"
        )
        print(lines[-1], flush=True)
        for each in folder.glob(f"{rows}.*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    return [*lines, "", *model_of(spent)]


def model_of(spent: dict[int, float]) -> list[str]:
    """Whether a line through the two smallest sizes foretells the others."""
    (few, at_few), (more, at_more), *others = sorted(spent.items())
    row = (at_more - at_few) / (more - few)
    constant = at_few - row * few
    return (
        [
            f"Judging takes {constant:.1f} s and {1e6 * row:.0f} us a row by the two smallest; of "
            + ", ".join(
                f"{rows:,} rows it foretells {constant + row * rows:.0f} s ({seconds:.0f} measured)"
                for rows, seconds in others
            )
            + "."
        ]
        if others
        else []
    )


def counts(spark: Any) -> str:
    """A line: evaluate on generated rows, beside a plain GROUP BY."""
    df = spark.range(COUNTED).selectExpr(
        "'class ' || (id % 7) AS actual", "'class ' || (id % 11 % 7) AS predicted"
    )
    calls: dict[str, Callable[[], Any]] = {
        "plain": lambda: df.groupBy("actual", "predicted").count().collect(),
        "ours": lambda: sqlfuncs.spark.evaluate(df, "actual", "predicted").collect(),
    }
    calls["plain"]()
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(3):
        for name, call in calls.items():
            begun = time.monotonic()
            call()
            best[name] = min(best[name], time.monotonic() - begun)
    return (
        f"`evaluate` on {COUNTED:,} generated rows took {best['ours'] / best['plain']:.2f} times "
        "as long as a plain GROUP BY of both columns (the best of three each)."
    )


def main(sizes: list[int]) -> int:
    """Write the tables."""
    with tempfile.TemporaryDirectory() as name:
        os.environ.setdefault("SQLFUNCS_HOME", f"{name}/home")
        beside = beside_duckdb(Path(name), sizes[-2])
        grown = growth(Path(name), sizes)
    spark = session()
    write("spark", "\n".join([*beside, "", *grown, "", counts(spark), "", circumstances()]))
    return bits(spark)


def bits(spark: Any) -> int:
    """Write the table of texts."""
    write("spark_bits", "\n".join(same_bits(spark)))
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    if given == ["bits"]:
        sys.exit(bits(session()))
    if given and not given[0].isdigit():
        sys.exit(child(given[0], Path(given[1]), int(given[2])))
    sys.exit(main([int(each) for each in given] or [*SIZES]))
