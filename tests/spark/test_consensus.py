"""consensus and annotator_quality of votes that no process is to hold, beside DuckDB's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import frames, running, votes
from sqlfuncs.errors import BadInput, BadOption, NoUsableRows
from tests.spark.sessions import needs_spark

pytestmark = needs_spark
ITEMS, CLASSES = 400, ("cat", "dog", "owl")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 20)
    monkeypatch.setattr(votes, "_VOTES_AT_ONCE", 400)


def table(label: str = "text") -> pa.Table:
    """Votes of seven people on each of four items of ten; one votes at random, one seldom."""
    rng = np.random.default_rng(7)
    rows: dict[str, list[Any]] = {"vote": [], "Item": [], "who": [], "label": []}
    skill = [0.95, 0.9, 0.85, 0.8, 0.75, 0.34, 0.9]
    for item in range(ITEMS):
        truth = int(rng.integers(3))
        for who in range(7):
            if rng.random() < (0.02 if who == 6 else 0.5):
                right = rng.random() < skill[who]
                given = truth if right else int((truth + rng.integers(1, 3)) % 3)
                rows["Item"].append(item)
                rows["who"].append(f"p{who}")
                rows["label"].append(CLASSES[given] if label == "text" else given)
    rows["Item"] += [3, None, 9_999, 9_998]  # once more; no item; no annotator; no label
    rows["who"] += [rows["who"][rows["Item"].index(3)], "p1", None, "p2"]
    rows["label"] += [rows["label"][rows["Item"].index(3)], *rows["label"][:2], None]
    rows["vote"] = [*range(len(rows["Item"]))]
    return pa.table(rows)


def _at_home(function: str, rows: pa.Table, options: str) -> list[dict[str, Any]]:
    with sqlfuncs.connect() as con:
        con.register("t", rows)
        found = con.sql(f"FROM {function}(t, Item, who, label{options})").to_arrow_table()
    made: list[dict[str, Any]] = found.to_pylist()
    return made


def _alike(there: list[dict[str, Any]], home: list[dict[str, Any]], within: float) -> None:
    assert len(there) == len(home)
    for one, other in zip(there, home, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            if isinstance(value, float):
                assert one[name] == pytest.approx(value, abs=within), name
            else:
                assert one[name] == value, (name, one, other)


@pytest.mark.parametrize("label", ["text", "number"])
@pytest.mark.parametrize("method", ["majority", "dawid_skene"])
def test_they_are_those_of_duckdb(spark: Any, method: str, label: str) -> None:
    rows = table(label)
    df = spark.createDataFrame(rows).repartition(5)
    within = 1e-9 if method == "majority" else 2e-3  # where EM stops
    option = f", method := '{method}'"
    there = running.collected(sqlfuncs.spark.consensus(df, "item", "who", "label", method=method))
    home = _at_home("consensus", rows, option)
    assert there.column_names == [*home[0]]
    _alike(
        there.sort_by("item").to_pylist(), sorted(home, key=lambda row: int(row["item"])), within
    )
    quality = sqlfuncs.spark.annotator_quality(df, "item", "who", "label", method=method)
    _alike(
        running.collected(quality).to_pylist(), _at_home("annotator_quality", rows, option), within
    )


def test_a_sample_of_items_is_where_it_begins(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table()
    monkeypatch.setattr(votes, "MOST_LEARNED", rows.num_rows // 2)
    df = spark.createDataFrame(rows)
    there = running.collected(sqlfuncs.spark.consensus(df, "Item", "who", "label"))
    home = {row["item"]: row for row in _at_home("consensus", rows, "")}
    found = there.to_pylist()
    same = [row["consensus_label"] == home[row["item"]]["consensus_label"] for row in found]
    far = [
        abs(row["consensus_quality"] - home[row["item"]]["consensus_quality"])
        for row in found
        if row["consensus_quality"] is not None
    ]
    assert np.mean(same) > 0.98
    assert np.mean(far) < 0.02


def test_one_vote_each_is_a_majority(spark: Any) -> None:
    rows = pa.table({"Item": range(30), "who": ["a", "b"] * 15, "label": ["x", "x", "y"] * 10})
    there = running.collected(
        sqlfuncs.spark.consensus(spark.createDataFrame(rows), "Item", "who", "label")
    )
    _alike(there.sort_by("item").to_pylist(), _at_home("consensus", rows, ""), 1e-9)


def test_mistakes(spark: Any) -> None:
    df = spark.createDataFrame(table())
    with pytest.raises(BadInput, match="x is read with all rows of a table at once"):
        sqlfuncs.spark.consensus(df, "Item", "who", "label", x="label")
    with pytest.raises(BadOption, match="'majority'"):
        sqlfuncs.spark.consensus(df, "Item", "who", "label", method="crowdlab")
    with pytest.raises(BadInput, match="an annotator gave one item different labels"):
        sqlfuncs.spark.consensus(df, "Item", "who", "vote")
    with pytest.raises(NoUsableRows, match="no item has a label"):
        none = df.selectExpr("Item", "who", "CAST(NULL AS STRING) AS label")
        sqlfuncs.spark.annotator_quality(none, "Item", "who", "label")
