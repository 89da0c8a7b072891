from __future__ import annotations

import duckdb
import pytest

from sqlfuncs.learning.encoders import encoders
from tests.conftest import needs_local


@needs_local
def test_a_text_becomes_a_vector_of_length_one(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("""
        SELECT len(embed(t)), round(list_dot_product(embed(t), embed(t)), 4)
        FROM (VALUES ('a cat'), (NULL), (' ')) v(t)
    """)
    assert rows.fetchall() == [(384, 1.0), (None, None), (None, None)]
    near, far = con.execute("""
        SELECT list_dot_product(embed('a cat sleeps'), embed('the kitten is asleep')),
            list_dot_product(embed('a cat sleeps'), embed('interest rates rise'))
    """).fetchall()[0]
    assert near > far + 0.3


@needs_local
def test_more_rows_than_one_batch_of_the_engine(con: duckdb.DuckDBPyConnection) -> None:
    counted = con.execute("""
        SELECT count(*), count(DISTINCT embed(t)) FROM (SELECT 'text ' || (i % 10) AS t
        FROM range(5000) r(i))
    """)
    assert counted.fetchall() == [(5000, 10)]


@needs_local
def test_embeddings_feed_label_issues(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("CREATE TABLE e AS SELECT *, embed(text) AS e FROM requests LIMIT 200")
    judged = sample.execute("SELECT count(label_quality) FROM label_issues(e, e, label)")
    assert judged.fetchall() == [(200,)]


def test_mistakes(con: duckdb.DuckDBPyConnection) -> None:
    message = "It may be .*'minilm'"
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute("SELECT embed('a', model := 'word2vec')").fetchall()
    if encoders.is_available():
        with pytest.raises(duckdb.InvalidInputException, match="text"):
            con.execute("SELECT embed([1.0, 2.0])").fetchall()


@pytest.mark.skipif(encoders.is_available(), reason="the extra `local` is installed")
def test_without_the_extra_the_error_says_what_to_type(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=r"pip install 'sqlfuncs\[local\]'"):
        con.execute("SELECT embed('a')").fetchall()
