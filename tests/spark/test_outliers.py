"""outliers of tables that no process is to hold, beside DuckDB's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.errors import BadOption
from tests.spark.sessions import needs_spark

pytestmark = needs_spark
OURS = ("outlier_score", "is_outlier", "not_judged")


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 20)


def points(rows: int = 1300, dimensions: int = 8) -> pa.Table:
    """Around 20 centres; 30 elsewhere, 400 copies of one, and some that cannot be judged."""
    random = np.random.default_rng(1)
    centres = 4 * random.standard_normal((20, dimensions))
    vectors = centres[random.integers(20, size=rows)] + random.standard_normal((rows, dimensions))
    vectors[:30] = 4 * random.standard_normal((30, dimensions))
    vectors[800:1200] = vectors[1200]
    lists: list[Any] = vectors.tolist()
    lists[50], lists[51], lists[52] = None, [1.0], [0.0] * dimensions
    return pa.table({"id": range(rows), "distance": ["kept"] * rows, "v": pa.array(lists)})


def on_spark(df: Any, **options: Any) -> dict[str, list[Any]]:
    made = sqlfuncs.spark.outliers(df, "V", **options)
    assert made.columns == ["id", "distance", "v", *OURS]
    found = running.collected(made).sort_by("id")
    return {name: found[name].to_pylist() for name in OURS}


def at_home(table: pa.Table) -> dict[str, list[Any]]:
    with sqlfuncs.connect() as con:
        con.register("points", table)
        query = f"SELECT {', '.join(OURS)} FROM outliers(points, v) ORDER BY id"
        found: dict[str, list[Any]] = con.sql(query).to_arrow_table().to_pydict()
        return found


def test_scores_are_nearly_those_of_duckdb(spark: Any) -> None:
    table = points()
    home, found = at_home(table), on_spark(spark.createDataFrame(table))
    assert found["not_judged"] == home["not_judged"]
    known = [at for at, score in enumerate(home["outlier_score"]) if score is not None]
    assert [at for at, score in enumerate(found["outlier_score"]) if score is not None] == known
    mine = np.array([found["outlier_score"][at] for at in known])
    its = np.array([home["outlier_score"][at] for at in known])
    assert np.abs(mine - its).mean() < 0.01
    assert (mine >= 0).all() and (mine <= 1).all()
    flags = [np.array([each["is_outlier"][at] for at in known]) for each in (found, home)]
    assert (flags[0] & flags[1]).sum() > 0.9 * (flags[0] | flags[1]).sum() > 0
    assert found["is_outlier"][50] is None


def test_partitions_change_nothing(spark: Any) -> None:
    df = spark.createDataFrame(points())
    assert on_spark(df.repartition(7)) == on_spark(df.repartition(1))


def test_rows_that_are_all_alike_are_no_outliers(spark: Any) -> None:
    alike = pa.table({"id": range(40), "distance": [""] * 40, "v": [[1.0, 2.0]] * 40})
    found = on_spark(spark.createDataFrame(alike))
    assert found["outlier_score"] == [0] * 40 == at_home(alike)["outlier_score"]


def test_mistakes_are_said_before_anything_is_compared(spark: Any) -> None:
    df = spark.createDataFrame(pa.table({"v": [[1.0, 2.0]] * 30}))
    with pytest.raises(BadOption, match="threshold => 2"):
        sqlfuncs.spark.outliers(df, "v", threshold=2.0)
