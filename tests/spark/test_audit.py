"""audit of tables that no process is to hold, beside DuckDB's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.errors import BadInput, NoUsableRows, TooFewClasses
from sqlfuncs.learning.models import shares
from tests.spark.sessions import needs_spark
from tests.spark.tables import vectors

pytestmark = needs_spark
ROWS = 1_200


@pytest.fixture
def table() -> pa.Table:
    made = vectors(ROWS, seed=5)
    at = made.schema.get_field_index("x")
    x = made.column("x").to_pylist()
    x[3:6] = [x[2]] * 3  # copies
    x[10] = None
    label = made.column("label").to_pylist()
    label[20] = None
    made = made.set_column(at, "x", pa.array(x, pa.list_(pa.float32())))
    made = made.set_column(2, "label", pa.array(label))
    return made.append_column("reason", pa.array(["kept"] * ROWS))


def _at_home(table: pa.Table) -> dict[str, list[Any]]:
    with sqlfuncs.connect() as con:
        con.register("t", table)
        found: dict[str, list[Any]] = (
            con.sql("FROM audit(t, x, label) ORDER BY id").to_arrow_table().to_pydict()
        )
        return found


def test_all_that_is_known_of_a_row_is_nearly_that_of_duckdb(
    spark: Any, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _at_home(table)
    monkeypatch.setattr(frames, "MOST_ROWS", 100)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 800)
    monkeypatch.setattr(shares, "CLASS_ROWS", 10)
    made = sqlfuncs.spark.audit(spark.createDataFrame(table).repartition(3), "X", "label")
    assert made.columns == [*home]
    there = running.collected(made).sort_by("id").to_pydict()
    assert there["id"] == home["id"]
    assert there["reason"] == ["kept"] * ROWS
    for name in ("not_judged", "is_unlabeled"):
        assert there[name] == home[name], name
    for name in ("is_label_issue", "is_ambiguous", "is_well_labeled", "is_outlier"):
        pairs = list(zip(there[name], home[name], strict=True))
        assert [a is None for a, _ in pairs] == [b is None for _, b in pairs], name
        assert np.mean([a == b for a, b in pairs]) > 0.95, name
    assert there["is_well_labeled"].count(True) > 0.5 * ROWS
    assert len({there["near_duplicate_group"][at] for at in (2, 3, 4, 5)} - {None}) == 1
    scores = np.array([there["outlier_score"], home["outlier_score"]], dtype=float)
    assert (np.isnan(scores[0]) == np.isnan(scores[1])).all()
    assert np.corrcoef(scores[:, ~np.isnan(scores[0])])[0, 1] > 0.9


def test_what_is_wrong_is_said_before_a_job(
    spark: Any, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 100)
    df = spark.createDataFrame(table)
    with pytest.raises(BadInput, match="audit reads all rows of a table at once for annotator"):
        sqlfuncs.spark.audit(df, "x", "label", annotator="reason")
    with pytest.raises(TooFewClasses, match="has the label 'kept'"):
        sqlfuncs.spark.audit(df, "x", "reason")
    unlabeled = df.selectExpr("id", "x", "CAST(NULL AS STRING) AS label")
    with pytest.raises(NoUsableRows, match="no row can be judged: the label is NULL"):
        sqlfuncs.spark.audit(unlabeled, "x", "label")


def test_rows_without_a_label_count_as_rows(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = vectors(900)
    label = [each if at < 300 else None for at, each in enumerate(table["label"].to_pylist())]
    df = spark.createDataFrame(table.set_column(2, "label", pa.array(label)))
    monkeypatch.setattr(frames, "MOST_ROWS", 400)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 400)
    found = running.collected(sqlfuncs.spark.label_issues(df, "x", "label")).sort_by("id")
    suggested = found["suggested_label"].to_pylist()[300:]
    right = np.mean(
        [a == b for a, b in zip(suggested, found["true_label"].to_pylist()[300:], strict=True)]
    )
    assert right > 0.9
