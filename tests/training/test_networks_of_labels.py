"""Networks that learn tags and numbers: tiny ones, trained for real."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sqlfuncs.store import models
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

pytestmark = [needs_local, pytest.mark.slow]


@pytest.fixture
def texts(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `train` and `test`: some words are tags, others add to a number."""
    lines = tiny.rows(800)[0]
    con.execute(
        """
        CREATE TABLE whole AS
        SELECT i AS id, line AS text,
            list_filter(
                ['late', 'my', 'why'], lambda w: list_contains(string_split(line, ' '), w)
            ) AS tags,
            if(regexp_matches(line, 'late|parcel|lost'), 1200, 1000) + i / 1000 AS y
        FROM (SELECT unnest($1) AS line, unnest(range(800)) AS i)
        """,
        [lines],
    )
    con.execute("CREATE TABLE train AS FROM whole WHERE id < 600")
    con.execute("CREATE TABLE test AS FROM whole WHERE id >= 600")
    return con


def _trained(con: duckdb.DuckDBPyConnection, label: str, base: Path, more: str = "") -> float:
    call = f"fine_tune('mine', train, text, {label}, base := '{base}'{more})"
    (row,) = con.execute(f"SELECT status, cv_accuracy FROM {call}").fetchall()
    assert row[0] == "SUCCEEDED"
    return float(row[1])


@pytest.mark.parametrize("kind", ["encoder", "causal"])
def test_tags(texts: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str) -> None:
    base = (tiny.encoder if kind == "encoder" else tiny.causal)(tmp_path / "base")
    foreseen = _trained(texts, "tags", base)
    texts.execute("""
        CREATE TABLE said AS SELECT tags, llm_classify(text, model := 'mine', multi := true) AS said
        FROM test
    """)
    ((accuracy, micro_f1),) = texts.execute(
        "SELECT accuracy, micro_f1 FROM evaluate(said, tags, said)"
    ).fetchall()
    assert micro_f1 > 0.8
    assert foreseen == pytest.approx(accuracy, abs=0.15)
    assert models.find("mine").task == "multilabel"


def test_numbers(texts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)  # of the base's weights
    base = tiny.encoder(tmp_path / "base")
    foreseen = _trained(texts, "y", base)
    texts.execute(
        "CREATE TABLE said AS SELECT y, llm_classify(text, model := 'mine') AS s FROM test"
    )
    ((r2,),) = texts.execute("SELECT r2 FROM evaluate(said, y, s)").fetchall()
    assert r2 > 0.2  # of one that has learned nothing it is 0
    assert foreseen == pytest.approx(r2, abs=0.3)


def test_too_few_rows_to_hold_any_out(texts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    texts.execute("CREATE OR REPLACE TABLE train AS FROM whole WHERE id < 30")
    base = tiny.encoder(tmp_path / "base")
    for label in ("tags", "y"):
        call = f"fine_tune('mine', train, text, {label}, base := '{base}')"
        assert texts.execute(f"SELECT cv_accuracy FROM {call}").fetchall() == [(None,)]
    said = texts.execute("SELECT llm_classify(text, model := 'mine@1', multi := true) FROM test")
    assert None not in [tags for (tags,) in said.fetchall()]


def test_labels_are_not_judged_by_such_a_network(
    texts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _trained(texts, "tags", tiny.encoder(tmp_path / "base"))
    with pytest.raises(duckdb.Error, match="tags are judged by model := 'fast'"):
        texts.execute("FROM label_issues(train, text, tags, model := 'mine')").fetchall()
