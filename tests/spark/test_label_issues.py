"""label_issues on Spark: DuckDB's bits on small tables, and large ones by a sample."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs.engines.spark import artifacts, frames
from sqlfuncs.errors import (
    BadInput,
    BadOption,
    ColumnClash,
    NoUsableRows,
    TooFewClasses,
    UnknownModel,
)
from sqlfuncs.learning.models import shares
from tests.spark.tables import by_id, vectors


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return vectors(900)


@pytest.fixture
def at_home(con: duckdb.DuckDBPyConnection, table: pa.Table) -> list[dict[str, object]]:
    con.register("t", table)
    return by_id(con.sql("FROM label_issues(t, x, label)").to_arrow_table())


def _average_precision(rows: list[dict[str, object]]) -> float:
    from sklearn.metrics import average_precision_score

    wrong = [row["label"] != row["true_label"] for row in rows]
    return float(average_precision_score(wrong, [-float(row["label_quality"]) for row in rows]))  # type: ignore[arg-type]


def test_a_table_below_the_sample_has_the_bits_of_duckdb(
    spark: Any, table: pa.Table, at_home: list[dict[str, object]]
) -> None:
    df = spark.createDataFrame(table).repartition(3)
    assert by_id(sqlfuncs.spark.label_issues(df, "X", "Label").toArrow()) == at_home


def test_a_function_of_sql_has_the_bits_of_duckdb(
    spark: Any, table: pa.Table, at_home: list[dict[str, object]]
) -> None:
    spark.createDataFrame(table).createOrReplaceTempView("of_vectors")
    got = spark.sql("SELECT * FROM label_issues(TABLE(of_vectors), x => 'x', label => 'label')")
    assert by_id(got.toArrow()) == at_home


def test_a_sample_of_half_the_rows_finds_as_much(
    spark: Any,
    table: pa.Table,
    at_home: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 450)
    monkeypatch.setattr(shares, "CLASS_ROWS", 10)
    df = spark.createDataFrame(table)
    found = by_id(sqlfuncs.spark.label_issues(df, "x", "label").toArrow())
    assert [row["id"] for row in found] == list(range(900))
    assert _average_precision(found) > _average_precision(at_home) - 0.05
    same = [a["is_label_issue"] == b["is_label_issue"] for a, b in zip(found, at_home, strict=True)]
    assert np.mean(same) > 0.95
    again = by_id(sqlfuncs.spark.label_issues(df.repartition(5), "x", "label").toArrow())
    assert again == found  # neither order nor partitions matter


def test_what_is_too_heavy_for_a_closure_is_brought_by_spark(
    spark: Any, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 450)
    df = spark.createDataFrame(table)
    light = by_id(sqlfuncs.spark.label_issues(df, "x", "label").toArrow())
    monkeypatch.setattr(artifacts, "MOST_BYTES", 1_000)
    assert by_id(sqlfuncs.spark.label_issues(df, "x", "label").toArrow()) == light


def test_a_bad_row_keeps_its_place_and_says_why(
    spark: Any, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 450)
    x, label = table["x"].to_pylist(), table["label"].to_pylist()
    x[0], x[1], x[2], x[3], label[4] = None, [], [float("nan")] * 16, [1.0, 2.0], None
    bad = pa.table({"id": table["id"], "x": pa.array(x, table["x"].type), "label": label})
    found = by_id(sqlfuncs.spark.label_issues(spark.createDataFrame(bad), "x", "label").toArrow())
    assert [row["not_judged"] for row in found[:6]] == [
        "the embedding is NULL",
        "the embedding is empty",
        "the embedding holds NULL, NaN or infinity",
        "the embedding has 2 dimensions, the others have 16",
        "the label is NULL",
        None,
    ]
    assert found[4]["suggested_label"] in ("apple", "berry", "cherry")
    assert len(found) == 900


@pytest.mark.parametrize("of", [pa.int64(), pa.bool_(), pa.date32()])
def test_labels_come_back_in_their_own_type(
    spark: Any, of: pa.DataType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 200)
    table = vectors(400, apart=4.0)
    is_first = pa.array([name == "apple" for name in table["label"].to_pylist()])
    of_type: dict[pa.DataType, list[int]] = {
        pa.int64(): [10, 9],
        pa.bool_(): [True, False],
        pa.date32(): [0, 366],
    }
    labels = of_type[of]
    column = pa.array([labels[not first.as_py()] for first in is_first]).cast(
        of if of != pa.date32() else pa.int32()
    )
    typed = table.set_column(2, "label", column.cast(of))
    found = sqlfuncs.spark.label_issues(spark.createDataFrame(typed), "x", "label").toArrow()
    assert found.schema.field("suggested_label").type == of
    assert found.schema.field("predicted_label").type == of
    predicted = found["predicted_label"].to_pylist()
    assert set(predicted) == set(column.cast(of).to_pylist())


def test_a_judge_is_kept_and_judges_rows_that_come_later(spark: Any, table: pa.Table) -> None:
    df = spark.createDataFrame(table)
    kept = by_id(sqlfuncs.spark.label_issues(df, "x", "label", judge="fruit").toArrow())
    later = by_id(sqlfuncs.spark.judge_labels(df, "x", "label", judge="fruit").toArrow())
    same = [a["is_label_issue"] == b["is_label_issue"] for a, b in zip(kept, later, strict=True)]
    assert np.mean(same) > 0.98
    with pytest.raises(UnknownModel, match="no judge 'furit'"):
        sqlfuncs.spark.judge_labels(df, "x", "label", judge="furit")


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        (("y", "label"), {}, BadInput, "no column 'y'. It has id, x, label, true_label"),
        (("x",), {}, BadInput, "label is missing"),
        (("x", "label"), {"cutt": 1}, BadOption, "no option cutt. It has: votes"),
        (("x", "label"), {"cut": "best"}, BadOption, "cut => 'best' is not known"),
        (("x", "label"), {"seed": "a"}, BadOption, "seed => 'a' has to be a whole number"),
        (("x", "label", "id"), {}, BadInput, "4 arguments were given"),
        ((1, "label"), {}, BadInput, "1 is no column"),
    ],
)
def test_a_mistake_is_told_before_any_job(
    spark: Any,
    table: pa.Table,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    kind: type[Exception],
    message: str,
) -> None:
    fails_if_run = spark.createDataFrame(table).where("assert_true(id < 0) IS NULL")
    with pytest.raises(kind, match=message):
        sqlfuncs.spark.label_issues(fails_if_run, *arguments, **options)


def test_a_table_of_pandas_and_columns_that_differ_in_case(spark: Any, table: pa.Table) -> None:
    with pytest.raises(BadInput, match=r"not DataFrame \(pandas\). spark.createDataFrame"):
        sqlfuncs.spark.label_issues(table.to_pandas(), "x", "label")
    df = spark.createDataFrame(table).selectExpr("*", "1 AS Label")
    with pytest.raises(BadInput, match="the columns label and Label, which Spark does not tell"):
        sqlfuncs.spark.label_issues(df, "x", "label")


def test_labels_of_one_class_are_told_at_once(spark: Any, table: pa.Table) -> None:
    one = spark.createDataFrame(table).selectExpr("id", "x", "'a' AS label")
    with pytest.raises(TooFewClasses, match="has the label 'a': it takes two") as said:
        sqlfuncs.spark.label_issues(one, "x", "label")
    assert "bare" not in str(said.value)
    none = one.selectExpr("id", "x", "CAST(NULL AS INT) AS label")
    with pytest.raises(NoUsableRows, match="no row can be judged: the label is NULL"):
        sqlfuncs.spark.label_issues(none, "x", "label")


def test_a_column_of_the_result_that_is_there_already(spark: Any, table: pa.Table) -> None:
    df = spark.createDataFrame(table).withColumnRenamed("true_label", "Label_Quality")
    with pytest.raises(ColumnClash, match=r"has the column `Label_Quality`.*EXCEPT"):
        sqlfuncs.spark.label_issues(df, "x", "label")


def test_a_table_without_rows(spark: Any, table: pa.Table) -> None:
    df = spark.createDataFrame(table).where("id < 0")
    with pytest.raises(BadInput, match="the table has no rows"):
        sqlfuncs.spark.label_issues(df, "x", "label")


def test_label_health_of_a_large_table_counts_all_its_rows(
    spark: Any, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = vectors(3_000, seed=1)
    con.register("t", table)
    at_home = by_id(con.sql("FROM label_health(t, x, label)").to_arrow_table(), "label")
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 1_500)
    monkeypatch.setattr(frames, "MOST_ROWS", 1_600)
    df = spark.createDataFrame(table)
    found = by_id(sqlfuncs.spark.label_health(df, "x", "label").toArrow(), "label")
    for one, other in zip(at_home, found, strict=True):
        assert (one["label"], one["rows"]) == (other["label"], other["rows"])
        for name in ("flagged", "wrongly_elsewhere"):
            assert other[name] == pytest.approx(one[name], rel=0.35)
        assert other["error_rate"] == pytest.approx(one["error_rate"], abs=0.05)
