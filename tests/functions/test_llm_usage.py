from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from sqlfuncs.llm import usage


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    with usage.afresh():
        yield


def test_nothing_was_asked(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("FROM llm_usage()").fetchall() == []


def test_what_was_asked_and_what_was_kept(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'text ' || (i % 10) AS text FROM range(50) r(i)")
    for _ in range(2):
        con.execute("SELECT llm_classify(text, ['a', 'b'], model := 'fake:') FROM t").fetchall()
    rows = con.execute("FROM llm_usage() SELECT * EXCLUDE (seconds)").fetchall()
    #       model  rows cached asked requests retries errors estimated in out cost
    assert rows == [("fake:", 100, 90, 10, 10, 0, 0, 0, 0, 10, 0.0)]


def test_a_trained_model_costs_nothing_and_is_not_counted(
    sample: duckdb.DuckDBPyConnection,
) -> None:
    sample.execute("FROM fine_tune('support', requests, text, label)").fetchall()
    sample.execute("SELECT llm_classify(text, model := 'support') FROM requests").fetchall()
    assert sample.execute("FROM llm_usage()").fetchall() == []
