from __future__ import annotations

import duckdb
import pytest


def _remark(heard: list[str], start: str) -> str:
    (remark,) = [remark for remark in heard if remark.startswith(start)]
    return remark


def test_a_label_that_is_nearly_a_key(con: duckdb.DuckDBPyConnection, heard: list[str]) -> None:
    con.execute("""CREATE TABLE t AS SELECT 'the number ' || i AS text,
        if(i < 20, ['same', 'other'][i % 2 + 1], 'alone ' || i) AS label FROM range(60) r(i)""")
    con.execute("FROM label_issues(t, text, label)").fetchall()
    remark = _remark(heard, "40 of 60 rows are not judged: no row of other content has this label")
    assert remark.endswith("The label has 42 different values: is it the right column?")


def test_a_few_rows_without_a_label_are_not_worth_a_word(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute("""CREATE TABLE t AS SELECT [i % 7, i % 2 + i * 37 % 100 / 40] AS v,
        CASE WHEN i > 3 THEN if(i % 2 = 0, 'even', 'odd') END AS label FROM range(60) r(i)""")
    con.execute("FROM label_issues(t, v, label)").fetchall()
    assert heard == []


def test_labels_that_differ_only_in_case_or_blanks(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute("""CREATE TABLE t AS SELECT [i % 7, i % 2] AS v,
        ['Bug', 'refund', 'bug '][i % 3 + 1] AS label FROM range(40) r(i)""")
    con.execute("FROM label_issues(t, v, label)").fetchall()
    assert "'Bug' and 'bug '" in _remark(heard, "some labels differ only in case or blanks")


def test_a_label_that_stands_in_x(con: duckdb.DuckDBPyConnection, heard: list[str]) -> None:
    con.execute("""CREATE TABLE t AS SELECT i % 11 AS n, if(i % 3 = 0, 'a', 'b') AS label
        FROM range(200) r(i)""")
    con.execute("FROM label_issues(t, {n: n, label: label}, label)").fetchall()
    assert _remark(heard, "the model predicts every label").endswith("does x contain the label?")


def test_probabilities_that_are_not_out_of_sample(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute("""CREATE TABLE t AS SELECT MAP {'a': 1.0 - i % 2, 'b': i % 2 * 1.0} AS probs,
        if(i % 2 = 0, 'a', 'b') AS label FROM range(100) r(i)""")
    con.execute("FROM label_issues(t, probs, label)").fetchall()
    assert "are they out of sample" in _remark(heard, "the probabilities agree with every label")


@pytest.mark.parametrize("odd", ["'/x/3.wav '", "'no path'", "'/x/missing.png'"])
def test_texts_that_are_mostly_paths(
    con: duckdb.DuckDBPyConnection, heard: list[str], odd: str
) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT if(i = 3, {odd}, '/x/' || i || '.jpg') AS p, "
        "['a', 'b'][i % 2 + 1] AS y FROM range(60) r(i)"
    )
    if odd == "'/x/missing.png'":
        with pytest.raises(duckdb.Error, match="not one of these files exists"):
            con.execute("FROM label_issues(t, p, y)").fetchall()
        return
    con.execute("FROM label_issues(t, p, y)").fetchall()
    assert "'/x/0.jpg'" in _remark(heard, "x is read as text, though most end like the paths")


def test_labels_that_are_compared_and_differ_in_case(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT ['red', 'blue'][i % 2 + 1] AS y, "
        "if(i < 4, upper(y), y) AS p FROM range(60) r(i)"
    )
    con.execute("FROM evaluate(t, y, p)").fetchall()
    assert "'RED' and 'red'" in _remark(heard, "some labels differ only in case or blanks")
