"""What labels are that stand alone, without what they are labels of: what `decide` asks."""

from __future__ import annotations

import duckdb
import pytest

from sqlfuncs.errors import BadOption

LABELS = {
    "'a'": "classification",
    "i": "classification",  # as whole numbers may be classes
    "NULL": "classification",
    "(i % 20)::DOUBLE": "classification",
    "(i % 21)::DOUBLE": "regression",  # few rows of each
    "(i / 7)::DECIMAL(9, 2)": "regression",
    "i / 7": "regression",
    "['a', 'b']": "multilabel",
    "[]::VARCHAR[]": "multilabel",
    "if(i = 7, ['a', 'b', 'a'], ['a', 'b'])": "token_classification",
    "['O', 'O']": "token_classification",
}


@pytest.mark.parametrize(("label", "task"), LABELS.items())
def test_labels_that_stand_alone(con: duckdb.DuckDBPyConnection, label: str, task: str) -> None:
    con.execute(f"CREATE TABLE t AS SELECT {label} AS label FROM range(100) r(i)")
    for given, expected in [("auto", task), ("regression", "regression")]:
        found = con.execute(f"FROM sqlfuncs.main._task_of_labels(t, label, task := '{given}')")
        assert found.fetchall() == [(expected,)]


def test_a_task_that_is_not_known(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 1 AS label")
    with pytest.raises(Exception, match="may be 'auto', 'token_classification'") as caught:
        con.execute("FROM sqlfuncs.main._task_of_labels(t, label, task := 'words')")
    assert BadOption.__name__ in str(caught.value)


def test_a_table_without_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t (label VARCHAR[])")
    found = con.execute("FROM sqlfuncs.main._task_of_labels(t, label)").fetchall()
    assert found == [("classification",)]
