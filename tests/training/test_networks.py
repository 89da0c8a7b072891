"""Real bases, trained for real."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sqlfuncs.store import models
from tests.conftest import ROOT, needs_local, needs_smollm2

SCORE = """
WITH said AS (SELECT label, llm_classify(text, model := 'mine') AS said FROM test)
SELECT accuracy FROM evaluate(said, label, said)
"""


@pytest.fixture
def split(sample: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Some of the sample, with its true labels, and what to test on."""
    sample.execute(f"CREATE TABLE test AS FROM '{ROOT}/data/support_requests_test.csv'")
    sample.execute("""
        CREATE TABLE train AS SELECT text, true_label AS label FROM requests
        WHERE lower(text) NOT IN (SELECT lower(text) FROM test) LIMIT 400
    """)
    return sample


@needs_local
@pytest.mark.slow
def test_minilm_end_to_end(split: duckdb.DuckDBPyConnection, home: Path) -> None:
    (row,) = split.execute("""
        SELECT status, cv_accuracy, preflight.seconds
        FROM fine_tune('mine', train, text, label, base := 'minilm')
    """).fetchall()
    assert row[0] == "SUCCEEDED"
    assert 0.6 < row[1] <= 1
    ((accuracy,),) = split.execute(SCORE).fetchall()
    assert accuracy > 0.75
    # Its words' vectors, half of the model, stay as they were and are not stored again.
    assert models.find("mine").bytes < 30_000_000
    # An order of magnitude: what else the machine does while it is measured is not foreseen.
    assert 0.1 < row[2] / models.find("mine").seconds < 10


@needs_smollm2
@pytest.mark.slow
def test_smollm2_by_adapters(split: duckdb.DuckDBPyConnection) -> None:
    split.execute("CREATE TABLE few AS FROM train LIMIT 60")
    split.execute("FROM fine_tune('mine', few, text, label, base := 'smollm2')")
    ((accuracy,),) = split.execute(SCORE.replace("FROM test", "FROM test LIMIT 60")).fetchall()
    assert accuracy > 0.4
    assert models.find("mine").bytes < 20_000_000
