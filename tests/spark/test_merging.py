"""merge_corrections: on a Delta table of Sail's; on Spark, what can be seen without one."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs.engines.spark import merging
from sqlfuncs.errors import BadInput

LOG = pa.table(
    {
        "key": ["0", "1", "2"],
        "action": ["relabel", "exclude", "keep"],
        "old_label": ["a", "b", "a"],
        "new_label": ["b", None, None],
        "decided_at": [datetime(2026, 1, 1)] * 3,
    }
)


@pytest.fixture
def parquet(spark: Any) -> str:
    spark.sql("DROP TABLE IF EXISTS merged")
    spark.sql("CREATE TABLE merged USING parquet AS SELECT id, 'a' AS label FROM range(3)")
    return "merged"


def test_a_format_without_merge_says_what_to_do(spark: Any, parquet: str) -> None:
    log = LOG.slice(0, 1)
    with pytest.raises(BadInput) as refused:
        sqlfuncs.spark.merge_corrections(parquet, log, "id", "label")
    assert "cannot be changed in place" in str(refused.value)
    assert "apply_corrections('merged', log, 'id', 'label').write.saveAsTable" in str(refused.value)
    assert not [each for each in spark.catalog.listTables() if each.name.startswith("_sf_")]
    assert spark.table(parquet).where("label = 'a'").count() == 3


def test_what_is_stale_is_refused_first(parquet: str) -> None:
    with pytest.raises(BadInput, match="old_label is no longer the label: 1"):
        sqlfuncs.spark.merge_corrections(parquet, LOG, "id", "label")


def test_a_log_that_changes_nothing_merges_nothing(parquet: str) -> None:
    (row,) = sqlfuncs.spark.merge_corrections(parquet, LOG.slice(2), "id", "label").collect()
    assert row.asDict() == {
        "relabelled": 0,
        "excluded": 0,
        "left_alone": 0,
        "version_before": None,
    }


def test_a_table_is_given_by_its_name(spark: Any, parquet: str) -> None:
    with pytest.raises(BadInput, match="given by its name"):
        sqlfuncs.spark.merge_corrections(spark.table(parquet), LOG, "id", "label")


@pytest.mark.parametrize("is_floating", [False, True])
def test_spark_understands_the_statement(spark: Any, parquet: str, is_floating: bool) -> None:
    """All but the format: the plan is analysed, types and names included."""
    spark.sql(
        "SELECT 1L AS key, 'a' AS old_label, 'b' AS new_label, 'relabel' AS action"
    ).createOrReplaceTempView("given")
    text = merging.statement(parquet, "given", "id", "label", is_floating=is_floating)
    with pytest.raises(Exception, match="MERGE INTO") as refused:
        spark.sql(text).collect()
    assert "PARSE" not in str(refused.value)
    with pytest.raises(Exception, match="UNRESOLVED_COLUMN"):
        spark.sql(text.replace("`label`", "`nosuch`")).collect()


# A folder that has Sail and the pyspark that it takes: see the Makefile.
SAIL = os.environ.get("SQLFUNCS_TEST_SAIL", "")


@pytest.mark.skipif(not SAIL, reason="needs Sail, which has Delta tables (make test-spark)")
def test_on_sail_with_a_delta_table(tmp_path: Path) -> None:
    script = Path(__file__).with_name("on_sail.py")
    found = os.pathsep.join([SAIL, str(Path(sqlfuncs.__file__).parent.parent)])
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": found},
    )
    assert ran.returncode == 0, ran.stderr
    assert "left 2 rows as they are" in ran.stderr
