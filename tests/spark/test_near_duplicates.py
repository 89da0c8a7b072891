"""near_duplicates of tables that no process is to hold, beside DuckDB's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import checkpoints, frames, linked, running
from sqlfuncs.errors import BadInput, BadOption, NoUsableRows
from tests.spark.sessions import needs_spark

pytestmark = needs_spark
OURS = ("near_duplicate_group", "near_duplicate_score", "not_judged")


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 20)


def of_length_one(values: Any) -> Any:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def embeddings(rows: int = 900, dimensions: int = 24) -> pa.Table:
    """Random ones; 100 have a near duplicate, 30 are copies of one, some cannot be judged."""
    random = np.random.default_rng(3)
    vectors = of_length_one(random.standard_normal((rows, dimensions)))
    one, across = vectors[:100], random.standard_normal((100, dimensions))
    across = of_length_one(across - (across * one).sum(axis=1, keepdims=True) * one)
    cosine = random.uniform(0.955, 0.99, 100)[:, None]
    vectors[500:600] = cosine * one + np.sqrt(1 - cosine**2) * across
    vectors[700:730] = vectors[730]
    vectors[731] = 2 * vectors[730]
    lists: list[Any] = vectors.tolist()
    lists[800], lists[801], lists[802] = None, [], [1.0]
    lists[803], lists[804] = [0.0] * dimensions, [float("nan")] * dimensions
    return pa.table(
        {
            "Key": pa.array(range(rows), pa.int64()),
            "content": ["kept"] * rows,
            "we`ird.name": pa.array([{"a": each} for each in range(rows)]),
            "Vector": pa.array(lists, pa.list_(pa.float32())),
        }
    )


def at_home(table: pa.Table, x: str) -> dict[str, list[Any]]:
    with sqlfuncs.connect() as con:
        con.register("points", table)
        query = f'SELECT "Key", {", ".join(OURS)} FROM near_duplicates(points, {x}) ORDER BY 1'
        found: dict[str, list[Any]] = con.sql(query).to_arrow_table().to_pydict()
        return found


def on_spark(df: Any, x: str, **options: Any) -> dict[str, list[Any]]:
    found = running.collected(sqlfuncs.spark.near_duplicates(df, x, **options)).sort_by("Key")
    return {name: found[name].to_pylist() for name in ("Key", *OURS)}


def groups(found: dict[str, list[Any]]) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for key, group in zip(found["Key"], found["near_duplicate_group"], strict=True):
        if group is not None:
            members.setdefault(group, []).append(key)
    return sorted(members.values())


def assert_alike(found: dict[str, list[Any]], home: dict[str, list[Any]]) -> None:
    """But for the numbers of groups, and for scores of rows that are not alike enough.

    Vectors of many dimensions are sent in half precision, which has eleven bits.
    """
    off = 2**-11
    assert groups(found) == groups(home)
    assert sorted(set(filter(None, found["near_duplicate_group"]))) == [
        at + 1 for at in range(len(groups(home)))
    ]
    assert found["not_judged"] == home["not_judged"]
    for mine, its in zip(found["near_duplicate_score"], home["near_duplicate_score"], strict=True):
        assert (mine is None) == (its is None)
        if its is not None and its >= 0.95:
            assert mine == pytest.approx(its, abs=off)
            assert (mine == 1) == (its == 1)
        elif its is not None:
            assert mine <= its + off


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_embeddings_are_grouped_as_in_duckdb(spark: Any, ansi: str) -> None:
    table = embeddings()
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        df = spark.createDataFrame(table)
        made = sqlfuncs.spark.near_duplicates(df, "vector")
        assert made.columns == [*table.column_names, *OURS]
        whole = running.collected(made).sort_by("Key")
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)
    assert whole["content"].to_pylist() == ["kept"] * len(table)
    assert whole["we`ird.name"].to_pylist() == table["we`ird.name"].to_pylist()
    found = {name: whole[name].to_pylist() for name in ("Key", *OURS)}
    assert_alike(found, at_home(table, '"Vector"'))


def test_partitions_and_precision_change_nothing(spark: Any) -> None:
    table = embeddings(900, 8)
    doubles = table.set_column(3, "Vector", table["Vector"].cast(pa.list_(pa.float64())))
    df, other = spark.createDataFrame(table), spark.createDataFrame(doubles)
    one = on_spark(df.repartition(1), "Vector")
    assert on_spark(other.repartition(7), "Vector") == one


def test_links_are_joined_where_the_driver_does_not_hold_them(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = [(bytes([at]), bytes([at + 1])) for at in (3, 1, 2, 0, 8, 6, 7, 20)]
    links = spark.createDataFrame(chain, "point binary, other binary")
    here = running.collected(linked.roots(links, can_write=True))
    monkeypatch.setattr(linked, "MOST_LINKS", 2)
    joined = running.collected(linked.roots(links, can_write=True))
    assert joined.sort_by("point").to_pylist() == here.sort_by("point").to_pylist()
    with pytest.raises(BadInput, match="more than 2 pairs of rows are that alike"):
        linked.roots(links, can_write=False)


def test_nothing_is_written_down_where_it_cannot_be(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checkpoints.can_write(spark)
    table = embeddings(900, 8)
    df = spark.createDataFrame(table)
    kept = on_spark(df, "Vector")
    monkeypatch.setattr(checkpoints, "can_write", lambda session: False)
    assert on_spark(df, "Vector") == kept


def test_texts_are_grouped_as_in_duckdb(spark: Any) -> None:
    texts: list[str | None] = [
        f"My parcel {at} has not come to {town}." for at in range(6) for town in "ABCDEF"
    ]
    texts += ["The app is slow", "the APP is slow!", "The app is slow", " ", None, "🎈", "?!"]
    table = pa.table({"Key": range(len(texts)), "text": pa.array(texts, pa.string())})
    home = at_home(table, "text")
    found = on_spark(spark.createDataFrame(table).repartition(3), "TEXT")
    assert_alike(found, home)
    assert found["near_duplicate_score"][36:39] == [1, 0.9999, 1]


def test_mistakes_are_said_before_anything_is_compared(spark: Any) -> None:
    df = spark.createDataFrame(pa.table({"Vector": [[1.0, 2.0]] * 30}))
    with pytest.raises(BadOption, match="k => 0"):
        sqlfuncs.spark.near_duplicates(df, "Vector", k=0)
    with pytest.raises(BadInput, match="which rows are alike"):
        sqlfuncs.spark.near_duplicates(df.selectExpr("map('a', 0.5D, 'b', 0.5D) AS x"), "x")
    with pytest.raises(NoUsableRows, match=r"no row can be judged: the text is NULL \(30 rows\)"):
        sqlfuncs.spark.near_duplicates(df.selectExpr("CAST(NULL AS STRING) AS x"), "x")
    nothing = df.selectExpr("CAST(array() AS ARRAY<FLOAT>) AS x")
    with pytest.raises(NoUsableRows, match=r"the embedding is empty \(30 rows\)"):
        sqlfuncs.spark.near_duplicates(nothing, "x")
