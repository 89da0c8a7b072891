from __future__ import annotations

import duckdb
import pytest


def test_one_that_has_not_begun_is_cancelled_at_once(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('later', requests, text, label, wait := false)").fetchall()
    cancelled = sample.execute("""
        SELECT model, status, version
        FROM cancel_job((SELECT job_id FROM jobs() WHERE model = 'later'))
    """).fetchall()
    assert cancelled == [("later", "CANCELLED", None)]
    assert sample.execute("SELECT count(*) FROM models()").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("cancel_job('ft-0')", "there is no job 'ft-0'. No job has been started yet"),
        ("cancel_job(7)", "takes the id of a job, not 7. FROM jobs.. lists them"),
        ("cancel_job(NULL)", "takes the id of a job, not None"),
    ],
)
def test_mistakes(con: duckdb.DuckDBPyConnection, call: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"FROM {call}").fetchall()


def test_one_that_has_ended_is_not_cancelled(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('done', requests, text, label)").fetchall()
    with pytest.raises(duckdb.Error, match="has ended already: it is SUCCEEDED"):
        sample.execute("FROM cancel_job((SELECT job_id FROM jobs()))").fetchall()
