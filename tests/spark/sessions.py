"""Sessions of a real Spark for the tests: classic, or of a Spark Connect server.

One process has one session, for starting a JVM takes longer than most tests. Its workers have the
home that the process had when it began.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import sqlfuncs

IS_THERE = find_spec("pyspark") is not None and find_spec("py4j") is not None
needs_spark = pytest.mark.skipif(not IS_THERE, reason="needs Spark (make test-spark)")
CONNECT = os.environ.get("SQLFUNCS_TEST_SPARK") == "connect"
_PLAIN = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.sql.session.timeZone": "UTC",
    # Tables are tiny: what is compiled for them is not worth it.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
}

_OF_SESSIONS = (
    "spark.sql.shuffle.partitions",
    "spark.sql.session.timeZone",
    "spark.sql.codegen.wholeStage",
    "spark.sql.adaptive.enabled",
)


def session(folder: Path) -> Any:
    """The one session of this process, in which the functions are registered.

    Its warehouse, and the home of its workers where none is set, lie in the folder of who is first.
    """
    if not _made:
        _made.append(_begun(folder))
    return _made[0][0]


def home() -> str:
    """The home of the workers of this process's session."""
    return _made[0][1]


_made: list[tuple[Any, str]] = []


def _begun(folder: Path) -> tuple[Any, str]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SQLFUNCS_HOME"] = os.environ.get("SQLFUNCS_HOME") or str(folder / "home")
    builder = SparkSession.builder
    builder = builder.remote("local[2]") if CONNECT else builder.master("local[2]")
    settings = {**_PLAIN, "spark.sql.warehouse.dir": str(folder / "warehouse")}
    for name, value in settings.items():
        if not CONNECT or name in _OF_SESSIONS:  # of a server's own, a client sets none
            builder = builder.config(name, value)
    made = builder.getOrCreate()
    sqlfuncs.register(made)
    return made, os.environ["SQLFUNCS_HOME"]


def slowly(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, after some work for each of their rows."""
    for batch in batches:
        for value in batch.column(0).to_pylist():
            sum(each * value for each in range(2_000))
        yield batch
