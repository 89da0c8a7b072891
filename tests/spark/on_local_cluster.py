"""Judging on two executors, one of which is killed meanwhile: a script, in a process of its own.

python tests/spark/on_local_cluster.py FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.learning.models import shares
from tests.spark.tables import by_id, vectors

ROWS, PARTS = 12_000, 60


def session(folder: Path) -> Any:
    """Two executors of a core and a gigabyte each, in processes of their own."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.log.level": "OFF",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
        "spark.executorEnv.SQLFUNCS_HOME": os.environ["SQLFUNCS_HOME"],
    }.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    sqlfuncs.register(made)
    return made


def executors() -> list[int]:
    """The processes of this session's executors."""
    mark, found = os.environ["SQLFUNCS_HOME"].encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"CoarseGrainedExecutorBackend" in command and (
                mark in (process / "environ").read_bytes()
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def main(folder: Path) -> None:
    """Judge a table twice, once with a kill -9 of an executor after the first tasks."""
    spark = session(folder)
    shares.SAMPLE_ROWS = 1_000
    df = spark.createDataFrame(vectors(ROWS)).repartition(PARTS)
    judged = sqlfuncs.spark.label_issues(df, "x", "label")
    quiet = by_id(judged.toArrow())
    there = executors()
    seen: dict[str, int] = {"executors": len(there)}

    def kill() -> None:
        while not (done := len(list((folder / "out").rglob("part-*.parquet")))):
            time.sleep(0.01)
        os.kill(there[0], signal.SIGKILL)
        seen["done_before"] = done

    killer = threading.Thread(target=kill)
    killer.start()
    judged.write.parquet(str(folder / "out"))
    killer.join()
    rows = by_id(pq.read_table(folder / "out"))
    seen |= {"rows": len(rows), "same": int(rows == quiet), "left": int(there[0] in executors())}
    spark.stop()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
