from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from sqlfuncs.learning.similarity import neighbourhood
from sqlfuncs.learning.similarity.neighbours import nearest
from tests.conftest import needs_local


def test_exact_copies_share_a_group_and_score_1(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("""
        CREATE TABLE twice AS SELECT id, text FROM requests LIMIT 300;
        INSERT INTO twice SELECT id + 10000, text FROM requests WHERE id <= 40
    """)
    rows = sample.execute("""
        WITH found AS (FROM near_duplicates(twice, text))
        SELECT text, count(DISTINCT near_duplicate_group), count(near_duplicate_group) = count(*),
            min(near_duplicate_score), count(*) > 1
        FROM found GROUP BY text
    """).fetchall()
    assert sum(several for *_, several in rows) >= 40
    for _, groups, grouped, lowest, several in rows:
        assert not several or (groups, grouped, lowest) == (1, True, 1)
        assert several or lowest < 1


@needs_local
def test_texts_that_differ_little_are_found(con: duckdb.DuckDBPyConnection) -> None:
    texts = {
        1: "My parcel number 4711 has not arrived yet, where is it?",
        2: "I forgot my password and cannot log in any more.",
        3: "MY PARCEL NUMBER 4711 HAS NOT ARRIVED YET, WHERE IS IT?",
        4: "my parcel number 4711 has not  arrived yet - where is it ??",
        5: "東京は日本の首都です",
        6: "i forgot my password and cannot log in any more !!",
        7: "The colour of the lamp is not what the picture shows.",
        8: "東京は日本の首都です。",
        9: "กรุงเทพเป็นเมืองหลวงของไทย",
    }
    con.register("frame", pd.DataFrame({"id": texts.keys(), "text": texts.values()}))
    rows = con.execute(
        "SELECT id, near_duplicate_group, near_duplicate_score FROM near_duplicates(frame, text)"
    ).fetchall()
    groups = {row[0]: row[1] for row in rows}
    assert groups[1] == groups[3] == groups[4] == 1
    assert groups[2] == groups[6] == 2
    assert groups[5] == groups[8] == 3
    assert groups[7] is groups[9] is None
    assert all(score < 1 for _, _, score in rows)


def _planted() -> np.ndarray:
    random = np.random.default_rng(0)
    values = random.standard_normal((5000, 48))
    values[4900:] = values[:100] + 0.02 * random.standard_normal((100, 48))
    return values


def _load(con: duckdb.DuckDBPyConnection, values: np.ndarray) -> None:
    frame = pd.DataFrame({"id": range(len(values)), "x": list(values)})
    con.register("frame", frame)
    con.execute("CREATE OR REPLACE TABLE points AS SELECT id, x::FLOAT[48] AS x FROM frame")
    con.unregister("frame")


def test_planted_pairs_of_vectors_are_found_in_any_order(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, _planted())
    call = "SELECT list(id ORDER BY id) FROM near_duplicates({}, x) WHERE near_duplicate_group > 0 "
    expected = [([i, i + 4900],) for i in range(100)]
    order = "GROUP BY near_duplicate_group ORDER BY near_duplicate_group"
    assert con.execute(call.format("points") + order).fetchall() == expected
    con.execute("CREATE TABLE shuffled AS FROM points ORDER BY hash(id)")
    neighbourhood._last = None
    found = con.execute(call.format("shuffled") + order).fetchall()
    assert sorted(found) == expected


def test_two_calls_on_the_same_rows_search_once(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(con, _planted()[:200])
    searches = []

    def counted(*arguments: object) -> object:
        searches.append(arguments)
        return nearest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(neighbourhood, "nearest", counted)
    con.execute("FROM outliers(points, x)").fetchall()
    con.execute("FROM near_duplicates(points, x)").fetchall()
    assert len(searches) == 1
    con.execute("FROM near_duplicates(points, x, k := 3)").fetchall()
    con.execute("DELETE FROM points WHERE id = 0")
    con.execute("FROM near_duplicates(points, x, k := 3)").fetchall()
    assert len(searches) == 3


def test_chains_make_one_group(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE arc AS SELECT i AS id, [cos(i / 5), sin(i / 5)]::FLOAT[] AS x
        FROM range(8) r(i)
    """)
    groups = con.execute(
        "SELECT list(near_duplicate_group) FROM near_duplicates(arc, x, threshold := 0.98)"
    ).fetchall()
    assert groups == [([1] * 8,)]


def test_200_000_identical_texts_and_a_long_one(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE same AS SELECT 'no news' AS text FROM range(200000);
        INSERT INTO same SELECT repeat('a long story ', 160000)
    """)
    found = con.execute("""
        SELECT near_duplicate_group, min(near_duplicate_score) = 1, count(*)
        FROM near_duplicates(same, text) GROUP BY ALL ORDER BY ALL
    """).fetchall()
    assert found == [(1, True, 200_000), (None, False, 1)]
