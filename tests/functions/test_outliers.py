from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from cleanlab.outlier import OutOfDistribution
from sklearn.metrics import roc_auc_score

from sqlfuncs.learning.similarity import neighbourhood
from sqlfuncs.learning.similarity.neighbours import EXACT_BELOW
from tests.conftest import needs_local


def _load(con: duckdb.DuckDBPyConnection, values: np.ndarray) -> None:
    frame = pd.DataFrame({"id": range(len(values)), "x": list(values)})
    con.register("frame", frame)
    con.execute("CREATE OR REPLACE TABLE points AS SELECT id, x::FLOAT[] AS x FROM frame")
    con.unregister("frame")


def _blobs(rows: int, far: int) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = 3 * random.standard_normal((6, 20))
    values = centres[random.integers(6, size=rows)] + random.standard_normal((rows, 20))
    values[:far] = 3 * random.standard_normal((far, 20))
    return values


def test_far_vectors_are_found_as_well_as_cleanlab_finds_them(
    con: duckdb.DuckDBPyConnection,
) -> None:
    values = _blobs(600, 12)
    _load(con, values)
    found = con.execute("FROM outliers(points, x)").df()
    far = np.arange(600) < 12
    reference = 1 - OutOfDistribution().fit_score(features=values, verbose=False)
    assert roc_auc_score(far, found["outlier_score"]) >= roc_auc_score(far, reference) - 0.002
    assert far[found["is_outlier"]].mean() >= 0.5  # 2 % of the rows are
    assert found["is_outlier"][far].mean() > 0.8
    assert (found["is_outlier"] == (found["outlier_score"] > 0.5)).all()
    assert ((found["outlier_score"] >= 0) & (found["outlier_score"] <= 1)).all()
    assert (found["outlier_score"] == 0).sum() >= 300


def test_neither_order_nor_threads_change_a_bit(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, _blobs(EXACT_BELOW + 500, 12))
    expected = con.execute("FROM outliers(points, x) ORDER BY id").fetchall()
    con.execute("CREATE TABLE shuffled AS FROM points ORDER BY hash(id)")
    neighbourhood._last = None
    assert con.execute("FROM outliers(shuffled, x) ORDER BY id").fetchall() == expected
    con.execute("SET threads = 1")
    neighbourhood._last = None
    assert con.execute("FROM outliers(shuffled, x) ORDER BY id").fetchall() == expected


@needs_local
def test_foreign_texts_stand_out(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("""
        CREATE TABLE mixed AS SELECT id, text FROM requests LIMIT 400;
        INSERT INTO mixed VALUES
            (-1, 'The mitochondrion is the powerhouse of the cell'),
            (-2, 'Preheat the oven to 180 degrees and whisk three eggs'),
            (-3, 'ญี่ปุ่นเป็นประเทศในเอเชียตะวันออก'),
            (-4, '東京は日本の首都であり、世界最大の都市圏です。')
    """)
    found = sample.execute(
        "SELECT id FROM outliers(mixed, text) ORDER BY outlier_score DESC LIMIT 12"
    ).fetchall()
    assert {-1, -2, -3, -4} <= {row[0] for row in found}


def test_copies_of_an_outlier_do_not_hide_it(con: duckdb.DuckDBPyConnection) -> None:
    values = _blobs(300, 1)
    _load(con, np.concatenate([values, np.repeat(values[:1], 20, axis=0)]))
    found = con.execute("SELECT outlier_score FROM outliers(points, x)").fetchall()
    scores = [score for (score,) in found]
    assert set(scores[300:]) == {scores[0]}
    assert scores[0] > 0.5


def test_rows_that_cannot_be_judged_keep_their_place_and_say_why(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        CREATE TABLE odd AS SELECT i AS id, CASE i
            WHEN 1 THEN NULL WHEN 2 THEN [1, 2] WHEN 3 THEN ['nan'::DOUBLE, 0, 1]
            WHEN 4 THEN [0, 0, 0] WHEN 5 THEN [] WHEN 6 THEN ['inf'::DOUBLE, 1, 1]
            WHEN 7 THEN [1e200, 1, 1] ELSE [1, i, i * i] END::DOUBLE[] AS x
        FROM range(40) r(i)
    """)
    rows = con.execute("FROM outliers(odd, x)").fetchall()
    assert [row[0] for row in rows] == list(range(40))
    assert {row[0]: row[2:] for row in rows if row[-1]} == {
        1: (None, None, "the embedding is NULL"),
        2: (None, None, "the embedding has 2 dimensions, the others have 3"),
        3: (None, None, "the embedding holds NULL, NaN or infinity"),
        4: (None, None, "the embedding is all zeros"),
        5: (None, None, "the embedding is empty"),
        6: (None, None, "the embedding holds NULL, NaN or infinity"),
        7: (None, None, "the embedding holds NULL, NaN or infinity"),
    }
    assert all(row[2] is not None and row[3] is not None for row in rows if not row[-1])


def test_huge_and_tiny_vectors_have_directions(con: duckdb.DuckDBPyConnection) -> None:
    values = _blobs(50, 0)
    _load(con, values * np.where(np.arange(50) % 2, 1e30, 1e-30)[:, None])
    scaled = con.execute("SELECT outlier_score FROM outliers(points, x)").fetchnumpy()
    _load(con, values)
    plain = con.execute("SELECT outlier_score FROM outliers(points, x)").fetchnumpy()
    np.testing.assert_allclose(scaled["outlier_score"], plain["outlier_score"], atol=1e-3)


@pytest.mark.parametrize("text", ["'no news'", "repeat('word ', 400000)"])
def test_rows_that_are_all_alike_are_typical(con: duckdb.DuckDBPyConnection, text: str) -> None:
    con.execute(f"CREATE TABLE same AS SELECT {text} AS text FROM range(5)")
    found = con.execute("SELECT outlier_score, is_outlier FROM outliers(same, text)").fetchall()
    assert found == [(0, False)] * 5


def test_200_000_identical_texts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE same AS SELECT i AS id, 'no news' AS text FROM range(200000) r(i)")
    found = con.execute("SELECT count(*), max(outlier_score) FROM outliers(same, text)").fetchall()
    assert found == [(200_000, 0)]
