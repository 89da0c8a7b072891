from __future__ import annotations

import duckdb
import pytest


def test_a_dropped_model_is_gone(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('m', requests, text, label)").fetchall()
    sample.execute("SELECT llm_classify('a', model := 'm')").fetchall()
    sample.execute("FROM fine_tune('m', requests, text, true_label)").fetchall()
    dropped = sample.execute("SELECT model, version FROM drop_model('m')").fetchall()
    assert dropped == [("m", 1), ("m", 2)]
    assert sample.execute("FROM models()").fetchall() == []
    with pytest.raises(duckdb.InvalidInputException, match="No model has been trained yet"):
        sample.execute("SELECT llm_classify('a', model := 'm')").fetchall()


def test_what_cannot_be_dropped(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('m', requests, text, label)").fetchall()
    for name, message in (("'n'", "There are: m"), ("'m@1'", "all its versions"), ("NULL", "name")):
        with pytest.raises(duckdb.InvalidInputException, match=message):
            sample.execute(f"FROM drop_model({name})").fetchall()
    assert sample.execute("SELECT count(*) FROM models()").fetchall() == [(1,)]
