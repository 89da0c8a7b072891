"""auto_corrections on Spark, beside DuckDB's: all rows read, and of many those that matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import frames, proposals, running
from sqlfuncs.errors import BadInput

ROWS, CLASSES, NOISE, REVIEWED = 6_000, 3, 0.2, 200
NAMES = tuple("abc")


@pytest.fixture(scope="module")
def home() -> Iterator[duckdb.DuckDBPyConnection]:
    with sqlfuncs.connect() as con:
        yield con


@pytest.fixture(scope="module")
def made() -> tuple[pa.Table, pa.Table]:
    """A result of label_issues, and what people said of its first flagged rows, drawn at random."""
    random = np.random.default_rng(0)
    true = random.integers(0, CLASSES, ROWS)
    wrong = random.random(ROWS) < NOISE
    given = np.where(wrong, (true + random.integers(1, CLASSES, ROWS)) % CLASSES, true)
    scores = random.normal(size=(ROWS, CLASSES))
    scores[np.arange(ROWS), true] += 2.5
    probs = np.exp(1.5 * scores)
    probs /= probs.sum(axis=1, keepdims=True)
    probs = probs * (1 - NOISE) + (1 - probs) * NOISE / (CLASSES - 1)
    best = probs.argmax(axis=1)
    issues = pa.table(
        {
            "id": np.arange(ROWS),
            "label": [NAMES[code] for code in given],
            "is_label_issue": best != given,
            "suggested_label": [NAMES[code] for code in best],
            "suggested_confidence": probs.max(axis=1),
            "class_probs": pa.array(
                [list(zip(NAMES, row, strict=True)) for row in probs.tolist()],
                pa.map_(pa.string(), pa.float64()),
            ),
            "not_judged": pa.nulls(ROWS, pa.string()),
        }
    )
    flagged = sorted(np.flatnonzero(best != given).tolist(), key=_drawn)[:REVIEWED]
    log = pa.table(
        {
            "key": flagged,
            "action": ["relabel" if wrong[row] else "keep" for row in flagged],
            "old_label": [NAMES[given[row]] for row in flagged],
            "new_label": [NAMES[true[row]] if wrong[row] else None for row in flagged],
            "decided_by": ["ann"] * len(flagged),
            "decided_at": [datetime(2026, 1, 1)] * len(flagged),
        }
    )
    return issues, log


def _drawn(key: int) -> bytes:
    return hashlib.md5(f"review {key}".encode()).digest()


def at_home(con: Any, made: tuple[pa.Table, pa.Table], options: str) -> list[dict[str, Any]]:
    con.register("issues", made[0])
    con.register("decided", made[1])
    found = con.sql(f"FROM auto_corrections(issues, id, label{options})").to_arrow_table()
    return proposed(found)


def proposed(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.drop_columns("decided_at").to_pylist()
    return rows


OPTIONS: dict[str, dict[str, Any]] = {
    "": {},
    ", log := 'decided', precision := 0.8": {"precision": 0.8},
    ", log := 'decided', action := 'exclude', min_confidence := 0.5": {
        "action": "exclude",
        "min_confidence": 0.5,
    },
}


@pytest.mark.parametrize("options", OPTIONS)
def test_the_same_where_all_rows_are_read(
    spark: Any, home: Any, made: tuple[pa.Table, pa.Table], options: str
) -> None:
    given = OPTIONS[options] | ({"log": made[1]} if options else {})
    found = sqlfuncs.spark.auto_corrections(spark.createDataFrame(made[0]), "id", "label", **given)
    expected = at_home(home, made, options)
    assert sorted(map(str, proposed(found.toArrow()))) == sorted(map(str, expected))
    assert expected


@pytest.mark.parametrize("options", OPTIONS)
def test_nearly_the_same_from_a_sample(
    spark: Any,
    home: Any,
    made: tuple[pa.Table, pa.Table],
    options: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", ROWS - 1)
    monkeypatch.setattr(proposals, "LEARNED", ROWS // 2)
    given = OPTIONS[options] | ({"log": made[1]} if options else {})
    df = spark.createDataFrame(made[0])
    found = proposed(sqlfuncs.spark.auto_corrections(df, "ID", "Label", **given).toArrow())
    expected = at_home(home, made, options)
    assert list(found[0]) == list(expected[0])
    keys, others = ({row["key"] for row in rows} for rows in (found, expected))
    assert len(keys & others) / len(keys | others) > 0.8
    if options:
        assert not keys & set(made[1]["key"].to_pylist())  # what people decided is theirs
        assert "rows that people reviewed, drawn at random" in found[0]["reason"]
    said = capsys.readouterr().err
    assert f"of {ROWS:,} rows, drawn at random" in said
    assert "no row was judged" not in said


def test_all_the_candidates_and_the_reviewed_are_read(
    spark: Any, made: tuple[pa.Table, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few are drawn: what is released rests on them."""
    seen = []
    monkeypatch.setattr(frames, "MOST_ROWS", 10)
    monkeypatch.setattr(proposals, "LEARNED", 1_000)
    collected = running.collected

    def remembered(df: Any) -> pa.Table:
        seen.append(collected(df))
        return seen[-1]

    monkeypatch.setattr(running, "collected", remembered)
    issues = made[0]
    unflagged = issues.filter(pa.compute.invert(issues["is_label_issue"]))["id"][:5].to_pylist()
    others = pa.table(
        {
            "key": unflagged,
            "action": ["needs_review"] * 5,
            "old_label": [issues["label"][key].as_py() for key in unflagged],
            "decided_at": [datetime(2026, 1, 1)] * 5,
        }
    )
    log = pa.concat_tables([made[1], others], promote_options="default")
    sqlfuncs.spark.auto_corrections(spark.createDataFrame(issues), "id", "label", log=log)
    (read,) = (table for table in seen if "drawn" in table.column_names)
    flagged = issues.filter(issues["is_label_issue"])["id"].to_pylist()
    assert {*flagged, *unflagged} <= {*read["id"].to_pylist()}
    drawn = read.filter(read["drawn"])
    assert 850 < len(drawn) < 1_150
    share = sum(drawn["is_label_issue"].to_pylist()) / len(drawn)
    assert abs(share - len(flagged) / ROWS) < 0.05  # in proportion


def test_mistakes(
    spark: Any, made: tuple[pa.Table, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    df = spark.createDataFrame(made[0].slice(0, 100))
    with pytest.raises(BadInput, match="no column 'suggested_label'"):
        sqlfuncs.spark.auto_corrections(df.drop("suggested_label"), "id", "label")
    with pytest.raises(BadInput, match="min_confidence"):
        sqlfuncs.spark.auto_corrections(df, "id", "label", min_confidence=90)
    monkeypatch.setattr(frames, "MOST_ROWS", 10)
    monkeypatch.setattr(proposals, "MOST_FLAGGED", 3)
    with pytest.raises(BadInput, match=r"rows may be corrected.*min_confidence => 0.9"):
        sqlfuncs.spark.auto_corrections(df, "id", "label")
    log = made[1].slice(0, 1).set_column(0, "key", pa.array([10**6]))
    monkeypatch.setattr(proposals, "MOST_FLAGGED", 100)
    with pytest.raises(BadInput, match="keys that are not in the table: 1000000"):
        sqlfuncs.spark.auto_corrections(df, "id", "label", log=log)
