"""Networks that learn tags, numbers and labels of words: tiny ones, trained for real."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sqlfuncs.learning.tasks import trained
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
    base = (tiny.encoder if kind == "encoder" else tiny.causal)(tmp_path / "base", seed=0)
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
    base = tiny.encoder(tmp_path / "base", seed=0)
    foreseen = _trained(texts, "y", base)
    texts.execute(
        "CREATE TABLE said AS SELECT y, llm_classify(text, model := 'mine') AS s FROM test"
    )
    ((r2,),) = texts.execute("SELECT r2 FROM evaluate(said, y, s)").fetchall()
    assert r2 > 0.2  # of one that has learned nothing it is 0
    assert foreseen == pytest.approx(r2, abs=0.3)


def test_too_few_rows_to_hold_any_out(texts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    texts.execute("CREATE OR REPLACE TABLE train AS FROM whole WHERE id < 30")
    base = tiny.encoder(tmp_path / "base", seed=0)
    for label in ("tags", "y"):
        call = f"fine_tune('mine', train, text, {label}, base := '{base}')"
        assert texts.execute(f"SELECT cv_accuracy FROM {call}").fetchall() == [(None,)]
    said = texts.execute("SELECT llm_classify(text, model := 'mine@1', multi := true) FROM test")
    assert None not in [tags for (tags,) in said.fetchall()]


def test_labels_are_not_judged_by_such_a_network(
    texts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _trained(texts, "tags", tiny.encoder(tmp_path / "base", seed=0))
    with pytest.raises(duckdb.Error, match="tags are judged by model := 'fast'"):
        texts.execute("FROM label_issues(train, text, tags, model := 'mine')").fetchall()


@pytest.fixture
def sentences(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `train` and `test` of words, of which one tells another's label."""
    con.execute(
        """
        CREATE TABLE whole AS
        SELECT i AS id, string_split(line, ' ') AS words,
            list_transform(words, lambda w: CASE
                WHEN w IN ('late', 'parcel', 'lost') THEN 'B-LOSS'
                WHEN w IN ('bill', 'money', 'refund') THEN 'B-BILL' ELSE 'O' END) AS labels
        FROM (SELECT unnest($1) AS line, unnest(range(1500)) AS i)
    """,
        [tiny.rows(1500)[0]],
    )
    con.execute("CREATE TABLE train AS FROM whole WHERE id < 1200")
    con.execute("CREATE TABLE test AS FROM whole WHERE id >= 1200")
    return con


def test_words(sentences: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    base = tiny.encoder(tmp_path / "base", seed=0)
    call = f"fine_tune('mine', train, words, labels, base := '{base}')"
    ((status, foreseen),) = sentences.execute(f"SELECT status, cv_accuracy FROM {call}").fetchall()
    assert status == "SUCCEEDED" and models.find("mine").task == "token_classification"
    said = "SELECT labels, llm_classify(words, model := 'mine') AS said FROM test"
    sentences.execute(f"CREATE TABLE said AS {said}")
    ((f1,),) = sentences.execute(
        "SELECT f1 FROM evaluate(said, labels, said, task := 'token_classification')"
    ).fetchall()
    assert f1 > 0.8 and foreseen == pytest.approx(f1, abs=0.15)
    expected = sentences.execute(said).fetchall()
    trained._loaded._models.clear()
    # What is kept is bf16: few words are so near to two labels that it tells.
    again = sentences.execute(said).fetchall()
    assert sum(a == b for a, b in zip(expected, again, strict=True)) >= 0.99 * len(again)


def test_each_word_of_a_long_row_has_a_label(
    sentences: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Of rows that the network reads in pieces: to train on, and to be asked about."""
    sentences.execute("""
        CREATE OR REPLACE TABLE train AS
        SELECT flatten(list(words)) AS words, flatten(list(labels)) AS labels
        FROM train GROUP BY id // 100
        UNION ALL FROM (SELECT words, labels FROM train)
    """)
    base = tiny.encoder(tmp_path / "base", seed=0)
    sentences.execute(f"FROM fine_tune('mine', train, words, labels, base := '{base}')").fetchall()
    found = sentences.execute("""
        SELECT len(words), len(llm_classify(words, model := 'mine')),
            len(llm_class_probs(words, model := 'mine'))
        FROM ((FROM train LIMIT 20) UNION ALL SELECT ['', ' ', NULL, repeat('x', 500)], NULL
            UNION ALL SELECT list_resize(['late'], 10000, 'the'), NULL)
    """).fetchall()
    assert max(found)[0] == 10_000
    assert all(words == labels == probs for words, labels, probs in found)


def test_what_reads_from_left_to_right_labels_no_words(
    sentences: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    base = tiny.causal(tmp_path / "base", seed=0)
    with pytest.raises(duckdb.Error, match="Labels of words may have base := 'fast' or an enc"):
        sentences.execute(f"FROM fine_tune('mine', train, words, labels, base := '{base}')")
    assert not models.records()


def test_words_are_not_judged_by_such_a_network(
    sentences: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    base = tiny.encoder(tmp_path / "base", seed=0)
    sentences.execute("CREATE OR REPLACE TABLE train AS FROM train LIMIT 60")
    sentences.execute(f"FROM fine_tune('mine', train, words, labels, base := '{base}')").fetchall()
    with pytest.raises(duckdb.Error, match="labels of words are judged by model := 'fast'"):
        sentences.execute("FROM label_issues(train, words, labels, model := 'mine')").fetchall()
