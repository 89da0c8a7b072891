"""Lists of text that may be labels of words, where nothing tells: never taken for tags."""

from __future__ import annotations

import duckdb
import pytest

BESIDE = {
    "evaluate": "evaluate(t, {0}, {0}{1})",
    "class_report": "class_report(t, {0}, {0}{1})",
    "confusion_matrix": "confusion_matrix(t, {0}, {0}{1})",
    "compare_models": "compare_models(t, {0}, {0}, {0}{1})",
    "evaluate_noisy": "evaluate_noisy(t, {0}, {0}, {0}{1})",
    "consensus": "consensus(t, item, who, {0}{1})",
    "annotator_quality": "annotator_quality(t, item, who, {0}{1})",
}
ALONE = {
    "label_issues": "label_issues(t, v, {0}{1})",
    "label_health": "label_health(t, v, {0}{1})",
    "audit": "audit(t, v, {0}{1})",
    "review_queue": "review_queue(t, v, {0}, id{1})",
    "fine_tune": "fine_tune('m', t, v, {0}{1})",
}


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """20 items that two people labelled alike: of words, with types alone, and tags."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 20 AS item, 'who ' || (i // 20) AS who, [i % 2, i % 3]::FLOAT[] AS v,
            CASE i % 2 WHEN 0 THEN ['O', 'B-PER', 'I-PER', 'O'] ELSE ['B-LOC', 'O'] END AS iob,
            CASE i % 2 WHEN 0 THEN ['NOUN', 'VERB', 'NOUN'] ELSE ['VERB'] END AS types,
            CASE i % 2 WHEN 0 THEN ['B-PER', 'I-PER'] ELSE ['B-PER'] END AS once,
            CASE i % 2 WHEN 0 THEN ['a', 'b'] ELSE ['b'] END AS tags,
            CASE i % 2 WHEN 0 THEN ['a', 'a'] ELSE ['O', 'b'] END AS twice
        FROM range(40) r(i)
    """)
    return con


def _said(con: duckdb.DuckDBPyConnection, call: str) -> str:
    try:
        con.execute(f"FROM {call}").fetchall()
    except duckdb.Error as error:
        return str(error)
    return ""


@pytest.mark.parametrize("label", ["iob", "types", "once"])
@pytest.mark.parametrize("function", BESIDE)
def test_beside_others_they_are_asked_for(
    t: duckdb.DuckDBPyConnection, function: str, label: str
) -> None:
    said = _said(t, BESIDE[function].format(label, ""))
    assert "look like labels of words" in said and "all equally long" in said
    assert "task := 'token_classification'" in said and "task := 'multilabel'" in said
    assert not _said(t, BESIDE[function].format(label, ", task := 'multilabel'"))
    of_words = _said(t, BESIDE[function].format(label, ", task := 'token_classification'"))
    assert "look like" not in of_words


@pytest.mark.parametrize("function", BESIDE)
def test_tags_are_not(t: duckdb.DuckDBPyConnection, function: str) -> None:
    assert not _said(t, BESIDE[function].format("tags", ""))


def test_lists_of_other_lengths_beside_each_other_are_tags(t: duckdb.DuckDBPyConnection) -> None:
    assert not _said(t, "evaluate(t, twice, tags)")
    t.execute("UPDATE t SET twice = ['a'] WHERE id = 7")
    assert not _said(t, "consensus(t, item, who, twice)")


@pytest.mark.parametrize("function", ALONE)
def test_alone_they_are_where_both_signs_agree(t: duckdb.DuckDBPyConnection, function: str) -> None:
    """Beside what is no list of words, a text perhaps, x says that they are tags."""
    assert "look like labels of words" in _said(t, ALONE[function].format("iob", ""))
    assert not _said(t, ALONE[function].format("types", ""))


def test_a_result_is_of_what_was_judged(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("CREATE TABLE issues AS FROM label_issues(t, v, iob, task := 'multilabel')")
    assert not _said(t, "model_strength(issues, iob)")
    assert not _said(t, "auto_corrections(issues, id, iob)")
