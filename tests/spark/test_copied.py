"""Copies vote in tables that no process is to hold, as they do in DuckDB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import copied, frames, running
from sqlfuncs.learning.models import shares
from tests.spark.sessions import needs_spark
from tests.spark.tables import by_id, vectors

pytestmark = needs_spark


def _table() -> pa.Table:
    """Five rows of each content; labels that one of them has, and none."""
    made = vectors(240, seed=11, wrong=0.25, apart=1.2)
    rng = np.random.default_rng(2)
    rows = np.repeat(np.arange(240), 5)
    table = made.take(pa.array(rows)).set_column(0, "id", pa.array(range(1200)))
    truth = table["true_label"].to_pylist()
    label = [
        str(rng.choice(["apple", "berry", "cherry"])) if rng.random() < 0.25 else each
        for each in truth
    ]
    label[0], label[7] = None, "only here"
    x = table["x"].to_pylist()
    x[3] = None
    table = table.set_column(1, "x", pa.array(x, pa.list_(pa.float32())))
    return table.set_column(2, "label", pa.array(label, pa.string()))


@pytest.mark.parametrize("judge", [None, "copied"])
def test_they_vote(spark: Any, monkeypatch: pytest.MonkeyPatch, judge: str | None) -> None:
    table = _table()
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 800)
    monkeypatch.setattr(shares, "CLASS_ROWS", 10)
    with sqlfuncs.connect() as con:
        con.register("t", table)
        home = by_id(con.sql("FROM label_issues(t, x, label)").to_arrow_table())
    df = spark.createDataFrame(table)
    options = {"judge": judge} if judge else {}
    made = sqlfuncs.spark.label_issues(df.repartition(4), "x", "label", **options)
    assert made.columns == [*home[0]]
    there = by_id(running.collected(made))
    assert [row["not_judged"] for row in there] == [row["not_judged"] for row in home]
    same = [a["is_label_issue"] == b["is_label_issue"] for a, b in zip(there, home, strict=True)]
    assert np.mean(same) > 0.97
    right = [row["is_label_issue"] == (row["label"] != row["true_label"]) for row in there]
    assert np.mean(right[8:]) > 0.95  # no model knows that much: see apart
    assert there[0]["suggested_label"] == there[0]["true_label"]
    if judge:  # what is kept judges each row by itself
        alone = by_id(running.collected(sqlfuncs.spark.judge_labels(df, "x", "label", judge=judge)))
        agree = [row["is_label_issue"] == (row["label"] != row["true_label"]) for row in alone]
        assert np.mean(agree[8:]) < np.mean(right[8:])


def test_audit_knows_labels_as_copies_have_made_them(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = _table()
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 800)
    monkeypatch.setattr(shares, "CLASS_ROWS", 10)
    with sqlfuncs.connect() as con:
        con.register("t", table)
        home = by_id(con.sql("FROM audit(t, x, label)").to_arrow_table())
    monkeypatch.setattr(frames, "MOST_ROWS", 100)
    there = by_id(
        running.collected(sqlfuncs.spark.audit(spark.createDataFrame(table), "x", "label"))
    )
    same = [a["is_well_labeled"] == b["is_well_labeled"] for a, b in zip(there, home, strict=True)]
    assert np.mean(same) > 0.9  # the means are a sample's; those without copies agree in .84


def test_rows_of_a_content_are_counted(spark: Any) -> None:
    rows = [(1, "a", 1), (2, "a", 1), (3, "a", 2), (4, "b", 1), (5, "c", None), (6, "c", 2)]
    df = spark.createDataFrame(
        [*rows, (7, "d", None), (8, "d", None), (9, None, 1)], "copies int, x string, Content int"
    )
    made = copied.counted(df, "x", "Content", "of it")
    assert made.columns == [*df.columns, "of it"]
    found = {row["copies"]: row["of it"] for row in made.collect()}
    assert found == {
        **{key: {1: 2, 2: 1} for key in (1, 2, 3)},
        4: None,
        **{key: {2: 1} for key in (5, 6)},
        **dict.fromkeys((7, 8, 9), None),
    }
