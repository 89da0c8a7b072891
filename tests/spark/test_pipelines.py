"""The job and the pipeline of docs/spark, on plain Spark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.spark.sessions import CONNECT
from tests.waiting import patient

DOCS = ROOT / "docs" / "spark"
_ROWS = """
    SELECT i AS id, if(i % 2 = 0, 'where is my parcel, number ', 'the invoice is wrong, number ')
            || (i % 11) AS text, if((i % 2 = 0) <> (i % 12 = 5), 'delivery', 'billing') AS label
    FROM range(120) r(i)
"""


@pytest.mark.slow
def test_the_pipeline(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    import pyspark

    rows = con.sql(_ROWS).to_arrow_table()
    con.execute("CREATE TABLE t AS FROM rows")
    judged = con.sql("FROM label_issues(t, text, label, judge := 'requests')").fetchall()
    assert len(judged) == 120
    pq.write_table(rows, tmp_path / "arrived.parquet")
    for name in ("pipeline.py", "pipeline.sql"):
        (tmp_path / name).write_text((DOCS / name).read_text())
    spec = (DOCS / "spark-pipeline.yml").read_text()
    spec = spec.replace("/data/arrived", str(tmp_path / "arrived.parquet"))
    (tmp_path / "spark-pipeline.yml").write_text(
        spec.replace("s3://my-bucket/labels-pipeline", (tmp_path / "storage").as_uri())
    )
    home = Path(pyspark.__file__).parent
    ran = subprocess.run(
        [str(home / "bin" / "spark-pipelines"), "run", "--spec", "spark-pipeline.yml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "SPARK_HOME": str(home),
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(home.parent)]),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=patient(120),
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    flagged = pq.read_table(tmp_path / "spark-warehouse" / "flagged").to_pylist()
    there = con.sql("SELECT id FROM label_issues(t, text, label) WHERE is_label_issue")
    assert sorted(row["id"] for row in flagged) == sorted(id for (id,) in there.fetchall())
    counts = pq.read_table(tmp_path / "spark-warehouse" / "flagged_by_label").to_pylist()
    assert sum(row["arrived"] for row in counts) == 120


@pytest.mark.skipif(CONNECT, reason="the job opens a session of its own")
def test_the_job(spark: Any, con: duckdb.DuckDBPyConnection) -> None:
    rows = "SELECT id, label, [id % 2, id % 3 / 9]::FLOAT[] AS x FROM ({_ROWS})"
    con.execute(f"CREATE TABLE asked AS {rows.format(_ROWS=_ROWS)}")
    made = spark.createDataFrame(con.sql("FROM asked").to_arrow_table())
    made.write.mode("overwrite").saveAsTable("asked")
    job: dict[str, Any] = {"__name__": "job"}
    exec(compile((DOCS / "job.py").read_text(), "job.py", "exec"), job)
    job["main"](["--table", "asked", "--text", "x", "--label", "label", "--key", "id"])
    job["main"](["--table", "asked", "--text", "x", "--label", "label", "--key", "id"])
    con.execute("CREATE TABLE issues AS FROM label_issues(asked, x, label)")
    con.execute("CREATE TABLE log AS FROM auto_corrections(issues, id, label)")
    there = con.sql("FROM apply_corrections(asked, log, id, label) ORDER BY id").fetchall()
    here = spark.sql("SELECT * FROM asked_corrected ORDER BY id").collect()
    assert [tuple(row)[:2] for row in here] == [row[:2] for row in there]
    for name in ("asked", "asked_issues", "asked_decisions", "asked_corrected"):
        spark.sql(f"DROP TABLE {name}")
