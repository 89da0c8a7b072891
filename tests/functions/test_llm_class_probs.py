from __future__ import annotations

import duckdb
import pytest

from tests.conftest import needs_smollm2

TEXTS = "(VALUES (1, 'it is b'), (2, 'a'), (3, NULL), (4, ' ')) AS v(id, text)"


def test_a_model_without_probabilities_is_sure(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        f"SELECT llm_class_probs(text, ['a', 'b'], model := 'fake:') FROM {TEXTS} ORDER BY id"
    ).fetchall()
    assert rows == [({"a": 0.0, "b": 1.0},), ({"a": 1.0, "b": 0.0},), (None,), (None,)]


def test_a_trained_model(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('support', requests, text, label)").fetchall()
    rows = sample.execute("""
        SELECT llm_class_probs(text, model := 'support'), llm_classify(text, model := 'support')
        FROM requests LIMIT 200
    """).fetchall()
    for probs, label in rows:
        assert set(probs) == {"account", "billing", "delivery", "product"}
        assert sum(probs.values()) == pytest.approx(1)
        assert max(probs, key=probs.get) == label
    some = sample.execute("""
        SELECT llm_class_probs(text, ['billing', 'account'], model := 'support')
        FROM requests LIMIT 9
    """).fetchall()
    for (probs,) in some:
        assert list(probs) == ["billing", "account"]
        assert sum(probs.values()) == pytest.approx(1)


def test_each_label_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    call = "llm_class_probs(text, ['it', 'a', 'b'], model := 'fake:', multi := true)"
    rows = con.execute(f"SELECT {call} FROM {TEXTS} ORDER BY id").fetchall()
    assert rows == [
        ({"it": 1.0, "a": 0.0, "b": 1.0},),
        ({"it": 0.0, "a": 1.0, "b": 0.0},),
        (None,),
        (None,),
    ]


def test_wrong_tags_are_found_without_training(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 2 = 0, 'b c', 'a') || '!' || i AS text,
            CASE WHEN i = 9 THEN ['a', 'b'] WHEN i % 2 = 0 THEN ['b', 'c'] ELSE ['a'] END AS tags
        FROM range(200) r(i)
    """)
    probs = "llm_class_probs(text, ['a', 'b', 'c'], model := 'fake:', multi := true)"
    found = con.execute(f"""
        SELECT id, missing_tags, wrong_tags, suggested_label
        FROM label_issues(t, {probs}, tags) WHERE is_label_issue
    """).fetchall()
    assert found == [(9, [], ["b"], ["a"])]


def test_it_needs_a_model(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="llm_class_probs needs a model"):
        con.execute("SELECT llm_class_probs('x', ['a', 'b'])").fetchall()


@needs_smollm2
def test_a_language_model_audits_labels_without_training(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE reviews (id INTEGER, text VARCHAR, label VARCHAR);
        INSERT INTO reviews VALUES (1, 'Wonderful, I love it, thank you!', 'good'),
            (2, 'Terrible. It broke at once, I hate it.', 'bad'),
            (3, 'The worst thing I ever bought.', 'good'), (4, 'Great, works perfectly.', 'good'),
            (5, 'Awful, do not buy this rubbish.', 'bad'), (6, 'So happy with this!', 'bad')
    """)
    rows = con.execute("""
        FROM label_issues(reviews, llm_class_probs(text, ['good', 'bad'],
            instructions := 'Is the review good or bad?', model := 'local:smollm2'), label)
        ORDER BY label_quality LIMIT 2
    """).fetchall()
    assert {row[0] for row in rows} == {3, 6}
