"""Functions of a row on DataFrames, by models that travel to the workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs import errors
from sqlfuncs.engines.spark import artifacts, drawn, frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.carried import Carried
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.learning.models import shares
from tests.conftest import needs_local


def _vectors(rows: int = 300, seed: int = 0) -> pa.Table:
    """Embeddings of two classes that are easy to tell apart, and one of which there are few."""
    random = np.random.default_rng(seed)
    labels = np.where(np.arange(rows) % 20 == 0, "rare", np.where(np.arange(rows) % 2, "a", "b"))
    centers = {"a": [3.0, 0, 0], "b": [0, 3.0, 0], "rare": [0, 0, 3.0]}
    x = np.array([centers[label] for label in labels]) + random.normal(size=(rows, 3))
    types = pa.schema([("id", pa.int64()), ("x", pa.list_(pa.float32())), ("label", pa.string())])
    return pa.table([range(rows), x.tolist(), labels.tolist()], schema=types)


def _rows(df: Any) -> list[dict[str, Any]]:
    return sorted(running.collected(df).to_pylist(), key=lambda row: row["id"])


def _home_of_workers(spark: Any) -> str:
    def homes(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"home": [os.environ["SQLFUNCS_HOME"]]})

    (row,) = running.collected(spark.range(1).mapInArrow(homes, "home string")).to_pylist()
    home: str = row["home"]
    return home


def test_a_trained_model_travels_to_workers_that_do_not_have_it(
    spark: Any, con: duckdb.DuckDBPyConnection
) -> None:
    table = _vectors()
    con.register("t", table)
    con.execute("FROM fine_tune('mine', t, x, label)").fetchall()
    df = spark.createDataFrame(table)
    said = sqlfuncs.spark.llm_classify(df, "X", model="mine", into="it.said")
    at_home = con.sql("SELECT *, llm_classify(x, model := 'mine') AS \"it.said\" FROM t")
    assert _rows(said) == at_home.to_arrow_table().to_pylist()
    probs = sqlfuncs.spark.llm_class_probs(df, "x", ["a", "b"], model="mine@1")
    at_home = con.sql(
        "SELECT *, llm_class_probs(x, ['a', 'b'], model := 'mine') AS llm_class_probs FROM t"
    )
    for ours, theirs in zip(_rows(probs), at_home.to_arrow_table().to_pylist(), strict=True):
        assert dict(ours["llm_class_probs"]) == pytest.approx(dict(theirs["llm_class_probs"]))


def test_in_sql_workers_find_a_model_in_their_home(
    spark: Any, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = _vectors()
    monkeypatch.setenv("SQLFUNCS_HOME", _home_of_workers(spark))
    con.register("t", table)
    con.execute("FROM fine_tune('of_workers', t, x, label)").fetchall()
    spark.createDataFrame(table).createOrReplaceTempView("vectors")
    found = spark.sql("SELECT id, llm_classify(x, model => 'of_workers') AS said FROM vectors")
    at_home = con.sql("SELECT id, llm_classify(x, model := 'of_workers') AS said FROM t")
    assert _rows(found) == at_home.to_arrow_table().to_pylist()
    # What is too large to travel in a closure is brought by Spark.
    monkeypatch.setattr(artifacts, "MOST_BYTES", 10)
    df = spark.createDataFrame(table)
    found = sqlfuncs.spark.llm_classify(df, "x", model="of_workers", into="said")
    assert _rows(found.select("id", "said")) == at_home.to_arrow_table().to_pylist()


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        ({"model": "none"}, errors.UnknownModel, "there is no model 'none'"),
        ({"labels": ["a", "zzz"]}, errors.BadOption, "has no class 'zzz'"),
        ({"text": "label"}, errors.BadInput, "trained on embeddings; it cannot read text"),
        ({"text": "id"}, errors.BadInput, "which cannot be read"),
        ({"multi": True}, errors.BadOption, "was trained to give one label"),
        ({"answers": "kept"}, errors.BadOption, "costs nothing"),
    ],
    ids=str,
)
def test_mistakes_are_found_before_any_job(
    spark: Any,
    con: duckdb.DuckDBPyConnection,
    wrong: dict[str, Any],
    kind: type[Exception],
    says: str,
) -> None:
    table = _vectors(60)
    con.register("t", table)
    con.execute("FROM fine_tune('mine', t, x, label)").fetchall()
    given = {"text": "x", "model": "mine", **wrong}
    with pytest.raises(kind) as caught:
        sqlfuncs.spark.llm_classify(spark.createDataFrame(table), **given)
    assert says in str(caught.value)


@needs_local
def test_embeddings(spark: Any, con: duckdb.DuckDBPyConnection) -> None:
    texts = ["one text", None, "another text", " ", "one text"]
    table = pa.table({"id": range(5), "text": pa.array(texts)})
    con.register("t", table)
    at_home = con.sql("SELECT *, embed(text) AS embedding FROM t").to_arrow_table().to_pylist()
    found = _rows(sqlfuncs.spark.embed(spark.createDataFrame(table), "text"))
    assert [row["embedding"] for row in found] == [row["embedding"] for row in at_home]
    with pytest.raises(errors.BadInput, match="embed takes text"):
        sqlfuncs.spark.embed(spark.createDataFrame(table), "id")


def test_lists_of_labels_are_arrays(spark: Any) -> None:
    df = spark.createDataFrame(pa.table({"id": [1, 2, 3], "text": ["a b", "x", None]}))
    options = {"labels": ["a", "b"], "model": "fake:", "multi": True}
    found = Carried("llm_classify", options, 1, "said", pa.string()).beside(df)
    assert dict(found.dtypes)["said"] == "array<string>"
    assert [row["said"] for row in _rows(found)] == [["a", "b"], [], None]


@needs_local
def test_a_worker_needs_no_home_that_it_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFUNCS_HOME", "/dev/null/home")
    batch = pa.RecordBatch.from_pydict({"id": [1, 2], "text": ["one text", None]})
    (found,) = Carried("embed", {"model": "minilm"}, 1, "e", pa.string())(iter([batch]))
    assert found.schema.names == ["id", "text", "e"]
    assert [None if each is None else len(each) for each in found["e"].to_pylist()] == [384, None]


def _call(options: dict[str, Any], **columns: str | None) -> Call:
    named = {"x": "x", "label": "label", "weights": None, "drop": None, **columns}
    return Call(signature("fine_tune"), named, options, ["drawn"])


def test_rows_are_drawn_by_their_content_and_rare_classes_more_densely(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 400)
    monkeypatch.setattr(shares, "CLASS_ROWS", 100)
    table = _vectors(2_000)
    df = spark.createDataFrame(table).withColumnRenamed("label", "the.label")
    sample, call = drawn.drawn(df, _call({}, label="the.label"))
    rows = running.collected(sample)
    labels = rows["the.label"].to_pylist()
    assert labels.count("rare") == 100
    assert 150 < labels.count("a") < 260
    weights = dict(zip(labels, rows[str(call.columns["weights"])].to_pylist(), strict=True))
    assert weights == pytest.approx({"a": 1.0, "b": 1.0, "rare": 0.2})
    again = running.collected(drawn.drawn(df.repartition(3), _call({}, label="the.label"))[0])
    assert sorted(map(str, again.to_pylist())) == sorted(map(str, rows.to_pylist()))
    other = running.collected(drawn.drawn(df, _call({"seed": 1}, label="the.label"))[0])
    assert sorted(map(str, other.to_pylist())) != sorted(map(str, rows.to_pylist()))
    hosted, call = drawn.drawn(df, _call({"base": "openai:m"}, label="the.label"))
    assert call.columns["weights"] is None
    assert hosted.columns == ["x", "the.label"]
    weighted = df.selectExpr("*", "2.0D AS w", "id % 3 = 0 AS gone")
    sample, call = drawn.drawn(weighted, _call({}, label="the.label", weights="w", drop="gone"))
    assert call.columns["weights"] == "w"
    rows = running.collected(sample)
    assert set(rows["gone"].to_pylist()) == {False}
    assert max(rows["w"].to_pylist()) == 2.0


def test_a_model_is_trained_on_a_sample_of_a_large_table(
    spark: Any,
    con: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    heard: list[str],
) -> None:
    table = _vectors(2_000)
    df = spark.createDataFrame(table)
    whole = _one(sqlfuncs.spark.fine_tune("whole", df, "x", "label"))
    assert (whole["rows"], heard) == (2_000, [])
    monkeypatch.setattr(frames, "MOST_ROWS", 1_000)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 400)
    monkeypatch.setattr(shares, "CLASS_ROWS", 100)
    made = _one(sqlfuncs.spark.fine_tune("drawn", df, "x", "label"))
    assert 400 < made["rows"] < 560
    assert (
        "fine_tune learns from about 480 rows, drawn by a hash of their content: 2,000"
        in "".join(heard)
    )
    con.register("t", table)
    sql = "SELECT avg((llm_classify(x, model := '{}') = label)::INT) FROM t"
    ((ours,),) = con.execute(sql.format("drawn")).fetchall()
    ((theirs,),) = con.execute(sql.format("whole")).fetchall()
    assert ours > theirs - 0.02
    # The same rows are drawn again, and the same rows give the same version.
    assert _one(sqlfuncs.spark.fine_tune("drawn", df, "x", "label"))["version"] == 1


def _one(df: Any) -> dict[str, Any]:
    (row,) = running.collected(df).to_pylist()
    found: dict[str, Any] = row
    return found
