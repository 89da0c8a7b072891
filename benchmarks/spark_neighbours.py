"""Near duplicates and outliers on Spark, beside DuckDB.

    pip install 'sqlfuncs[spark]'
    python -m benchmarks.spark_neighbours [ROWS]

Random embeddings (seed 0) of 384 dimensions, a million by default, with planted pairs whose
cosines are .95 to .99; and clustered ones for outliers. Spark is local[2] with 2 GB for its JVM.
What it gives is written to Parquet. DuckDB's figures are of up to 20,000 rows.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.stats import spearmanr

import sqlfuncs
import sqlfuncs.spark
from benchmarks.neighbours import clustered
from benchmarks.pages import write
from sqlfuncs.engines.spark import frames

Vectors = npt.NDArray[np.float32]
DIMENSIONS = 384
_BLOCK = 50_000  # rows
_AT_HOME = 20_000  # rows that DuckDB gets: random ones are its worst case
_PLANTED = 50  # one pair for so many rows
_OUTLIERS = 50_000  # rows
_PAGE = os.sysconf("SC_PAGE_SIZE") / 1e9


def main() -> None:
    """Measure, print and write the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory() as name:
        folder = Path(name)
        session = _session(folder)
        write("spark_neighbours", "\n\n".join([_near(session, folder, rows), _far(session)]))


def _near(session: Any, folder: Path, rows: int) -> str:
    few = min(rows, _AT_HOME)
    few_pairs, pairs = _plant(folder / "few", few), _plant(folder / "all", rows)
    with sqlfuncs.connect() as con, _measured() as home:
        con.execute(f"CREATE VIEW few AS FROM '{folder}/few/*.parquet'")
        query = (
            "SELECT id, near_duplicate_group FROM near_duplicates(few, x) "
            "WHERE near_duplicate_group IS NOT NULL"
        )
        found = con.execute(query).to_arrow_table()
    theirs = _found(found, few_pairs)
    frames.MOST_ROWS = min(frames.MOST_ROWS, rows - 1)
    df = session.read.parquet(str(folder / "all"))
    with _measured() as spark:
        made = sqlfuncs.spark.near_duplicates(df, "x")
        made.drop("x").write.parquet(str(folder / "made"))
    whole = pq.read_table(folder / "made")
    assert whole.num_rows == rows
    ours = _found(whole.filter(pc.field("near_duplicate_group").is_valid()), pairs)
    return "\n".join(
        [
            f"| planted pairs, {DIMENSIONS} dimensions | DuckDB, {few:,} rows "
            f"| Spark, {rows:,} rows |",
            "|---|---|---|",
            f"| recall of pairs | {theirs[0]:.4f} | {ours[0]:.4f} |",
            f"| precision of pairs | {theirs[1]:.4f} | {ours[1]:.4f} |",
            f"| seconds | {home.seconds:.0f} | {spark.seconds:.0f} |",
            f"| processor seconds | {home.cores:.0f} | {spark.cores:.0f} |",
            f"| peak memory of a Python worker | | {spark.worker:.2f} GB |",
            f"| ... of the JVM | | {spark.jvm:.2f} GB |",
        ]
    )


def _far(session: Any) -> str:
    random = np.random.default_rng(0)
    vectors = clustered(random, _OUTLIERS, DIMENSIONS)
    foreign = random.permutation(_OUTLIERS)[: _OUTLIERS // 100]
    vectors[foreign] = random.standard_normal((len(foreign), DIMENSIONS)) * vectors.std(axis=0)
    table = _table(np.arange(_OUTLIERS), vectors)
    with sqlfuncs.connect() as con, _measured() as home:
        con.register("points", table)
        query = "SELECT outlier_score AS s, is_outlier AS o FROM outliers(points, x) ORDER BY id"
        theirs: dict[str, Any] = con.execute(query).fetchnumpy()
    frames.MOST_ROWS = _OUTLIERS - 1
    df = session.createDataFrame(table)
    with _measured() as spark:
        found = sqlfuncs.spark.outliers(df, "x").drop("x").toArrow().sort_by("id")
    score = found["outlier_score"].to_numpy()
    mine = np.asarray(found["is_outlier"].to_pylist())
    both, either = (mine & theirs["o"]).sum(), (mine | theirs["o"]).sum()
    return "\n".join(
        [
            f"| outliers of {_OUTLIERS:,} rows, Spark beside DuckDB | |",
            "|---|---|",
            f"| rank correlation of scores | {spearmanr(score, theirs['s'])[0]:.4f} |",
            f"| mean difference of scores | {np.abs(score - theirs['s']).mean():.4f} |",
            f"| outliers of both, of either | {both:,} of {either:,} |",
            f"| planted ones found, Spark and DuckDB | {mine[foreign].mean():.3f}, "
            f"{theirs['o'][foreign].mean():.3f} |",
            f"| seconds, Spark and DuckDB | {spark.seconds:.0f}, {home.seconds:.0f} |",
            f"| processor seconds, Spark and DuckDB | {spark.cores:.0f}, {home.cores:.0f} |",
        ]
    )


def _plant(folder: Path, rows: int) -> int:
    """Write random rows; those at 2i and 2i + 1 are a pair, for the first pairs: how many."""
    folder.mkdir()
    random = np.random.default_rng(0)
    pairs = rows // _PLANTED
    for at in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - at)
        vectors = _of_length_one(random.standard_normal((count, DIMENSIONS), dtype=np.float32))
        last = min(count, max(0, 2 * pairs - at)) // 2 * 2
        one, other = vectors[:last:2], vectors[1:last:2]
        cosine = random.uniform(0.95, 0.99, (len(one), 1)).astype(np.float32)
        across = _of_length_one(other - (other * one).sum(axis=1, keepdims=True) * one)
        vectors[1:last:2] = cosine * one + np.sqrt(1 - cosine**2) * across
        pq.write_table(_table(np.arange(at, at + count), vectors), folder / f"{at}.parquet")
    return pairs


def _of_length_one(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _table(ids: npt.NDArray[np.int64], vectors: Vectors) -> pa.Table:
    offsets = pa.array(np.arange(len(vectors) + 1) * vectors.shape[1], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))
    return pa.table({"id": ids, "x": lists})


def _found(grouped: pa.Table, pairs: int) -> tuple[float, float]:
    """Recall and precision of pairs of rows that share a group."""
    members: dict[int, list[int]] = {}
    ids, groups = (grouped[name].to_pylist() for name in ("id", "near_duplicate_group"))
    for row, group in zip(ids, groups, strict=True):
        members.setdefault(group, []).append(row)
    right = sum(
        one % 2 == 0 and one + 1 in rows and one < 2 * pairs
        for rows in map(set, members.values())
        for one in rows
    )
    said = sum(len(rows) * (len(rows) - 1) // 2 for rows in members.values())
    return right / pairs, right / max(said, 1)


@dataclass
class Cost:
    """Seconds, processor seconds and the most memory, GB, of the processes below this one."""

    seconds: float = 0
    cores: float = 0
    worker: float = 0
    jvm: float = 0
    done: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look at their memory until it is done."""
        while not self.done.wait(0.3):
            for command, memory, _ in _below():
                if command == "java":
                    self.jvm = max(self.jvm, memory)
                else:
                    self.worker = max(self.worker, memory)


@contextmanager
def _measured() -> Iterator[Cost]:
    cost = Cost()
    watching = threading.Thread(target=cost.watch)
    watching.start()
    begun, cores = time.perf_counter(), _cores()
    try:
        yield cost
    finally:
        cost.seconds, cost.cores = time.perf_counter() - begun, _cores() - cores
        cost.done.set()
        watching.join()


def _cores() -> float:
    return sum(cores for _, _, cores in _below()) + time.process_time()


def _below() -> list[tuple[str, float, float]]:
    """Command, memory in GB and processor seconds of each process that descends from this one."""
    known: dict[int, tuple[int, str, float, float]] = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = each.read_text().rpartition(")")
        except OSError:
            continue
        numbers = rest.split()
        cores = sum(map(int, numbers[11:15])) / ticks
        number, _, command = head.partition(" (")
        known[int(number)] = (int(numbers[1]), command, int(numbers[21]) * _PAGE, cores)
    ours = {os.getpid()}
    while more := {n for n, (parent, *_) in known.items() if parent in ours} - ours:
        ours |= more
    return [known[each][1:] for each in ours - {os.getpid()} if each in known]


def _session(folder: Path) -> Any:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "2g")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder / "local"),
    }.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


if __name__ == "__main__":
    main()
