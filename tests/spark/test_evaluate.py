"""evaluate and the like: Spark counts, and what is said of the counts is DuckDB's."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs.engines.spark import counting, frames
from sqlfuncs.errors import BadInput, NoUsableRows

TABLE = pa.table(
    {
        "actual": ["a", "b", "a", None, "b", "c", "a"] * 40,
        "said": ["a", "a", None, "b", "b", "c", "b"] * 40,
        "other": ["a", "b", "a", "a", "b", "b", "a"] * 40,
        "reviewed": (["a"] * 7 + ["b"] * 3 + [None] * 270),
    }
)
CALLS = {
    "evaluate": ("actual", "said"),
    "class_report": ("actual", "said"),
    "confusion_matrix": ("actual", "said"),
    "compare_models": ("actual", "said", "other"),
    "evaluate_noisy": ("actual", "said", "reviewed"),
}


def test_all_of_them_are_tried() -> None:
    public = [name for name in counting.names() if not name.startswith("_")]
    assert sorted(CALLS) == sorted(public)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_as_in_duckdb_whatever_the_number_of_rows(
    spark: Any, con: duckdb.DuckDBPyConnection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 10)
    con.register("t", TABLE)
    at_home = con.sql(f"FROM {name}(t, {', '.join(CALLS[name])})").to_arrow_table()
    df = spark.createDataFrame(TABLE)
    found = getattr(sqlfuncs.spark, name)(df, *CALLS[name]).toArrow()
    assert found.schema.names == at_home.schema.names
    assert sorted(map(str, found.to_pylist())) == sorted(map(str, at_home.to_pylist()))


def test_numbers_are_compared_with_text_as_at_home(
    spark: Any, con: duckdb.DuckDBPyConnection
) -> None:
    table = pa.table({"actual": [1.0, 2.0, 3.0], "said": ["1", "2", "4"]})
    con.register("t", table)
    at_home = con.sql("FROM evaluate(t, actual, said)").to_arrow_table().to_pylist()
    found = sqlfuncs.spark.evaluate(spark.createDataFrame(table), "actual", "said").toArrow()
    assert found.to_pylist() == at_home
    assert at_home[0]["correct"] == 2


def test_nothing_to_evaluate(spark: Any) -> None:
    df = spark.createDataFrame(TABLE)
    with pytest.raises(NoUsableRows, match="the table has no rows"):
        sqlfuncs.spark.evaluate(df.where("false"), "actual", "said")
    with pytest.raises(NoUsableRows, match="the true label is NULL in all 40 rows"):
        sqlfuncs.spark.evaluate(df.where("actual IS NULL"), "actual", "said")


def test_too_many_combinations_are_no_classes(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_MOST_COMBINATIONS", 3)
    with pytest.raises(BadInput, match="actual and said have more than 3 different"):
        sqlfuncs.spark.evaluate(spark.createDataFrame(TABLE), "actual", "said")
