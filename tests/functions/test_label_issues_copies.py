from __future__ import annotations

import duckdb
import pytest

_COUNTS = """
SELECT count(*) FILTER (label <> truth), count(*) FILTER (is_label_issue),
    count(*) FILTER (is_label_issue AND label <> truth), max(label_quality) FILTER (is_label_issue)
FROM label_issues(t, {}, label)
"""
WORDS = ["refund my order", "where is it", "cannot log in", "too small", "wrong bill", "hello"]


def _values(con: duckdb.DuckDBPyConnection, different: int, rows: int = 480) -> None:
    """A field of some values, of three classes, of which every 23rd label is the next class."""
    con.execute(f"""CREATE TABLE t AS SELECT i AS id, 'v' || (i * 7919) % {different} AS v,
        hash((i * 7919) % {different}) % 3 AS truth, if(i % 23 = 5, (truth + 1) % 3, truth) AS label
        FROM range({rows}) r(i)""")


@pytest.mark.slow
@pytest.mark.parametrize("different", [5, 16, 80])
def test_one_categorical_field(con: duckdb.DuckDBPyConnection, different: int) -> None:
    _values(con, different)
    counts = con.execute(_COUNTS.format("{v: v}")).fetchone()
    assert counts is not None
    wrong, flagged, right, best = counts
    assert right == wrong == flagged == 21
    assert best < 0.5
    rates = con.execute("SELECT error_rate, error_rate_low FROM label_health(t, {v: v}, label)")
    assert all(low < 0.1 and rate < 0.15 for rate, low in rates.fetchall())


@pytest.mark.parametrize("values", [2, 4, 6])
@pytest.mark.parametrize("x", ["{a: a, b: b}", "{a: a, b: b, noise: noise}"])
def test_fields_that_say_something_only_together(
    con: duckdb.DuckDBPyConnection, values: int, x: str
) -> None:
    con.execute(f"""CREATE TABLE t AS SELECT i AS id, i % {values} AS a, (i // {values}) % {values}
        AS b, hash(i) / 1e19 AS noise, if((a + b) % 2 = 0, 'yes', 'no') AS truth,
        if(i % 23 = 5, if((a + b) % 2 = 0, 'no', 'yes'), truth) AS label FROM range(432) r(i)""")
    counts = con.execute(_COUNTS.format(x)).fetchone()
    assert counts is not None
    wrong, flagged, right, _ = counts
    assert wrong == 19
    assert right >= 18
    assert flagged <= right + 2


def test_three_fields_that_say_something_only_together(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""CREATE TABLE t AS SELECT i % 3 AS a, (i // 3) % 3 AS b, (i // 9) % 3 AS c,
        if((a + b + c) % 2 = 0, 'yes', 'no') AS truth,
        if(i % 23 = 5, if(truth = 'yes', 'no', 'yes'), truth) AS label FROM range(540) r(i)""")
    counts = con.execute(_COUNTS.format("{a: a, b: b, c: c}")).fetchone()
    assert counts is not None
    assert counts[:3] == (24, 24, 24)


def test_repeated_texts_are_judged_as_well_as_by_the_majority_of_their_copies(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, ($1)[i % 6 + 1] AS text, 'c' || i % 3 AS truth, "
        "if(i % 19 = 4, 'c' || (i + 1) % 3, truth) AS label FROM range(150) r(i)",
        [WORDS],
    )
    assert con.execute(_COUNTS.format("text")).fetchall()[0][:3] == (8, 8, 8)
    (remark,) = [remark for remark in heard if "have copies" in remark]
    assert remark.startswith("150 of 150 labeled rows have copies: rows equal in x, of which there")
    # Copies of one label are judged alike, in whatever order they arrive.
    con.execute("CREATE TABLE one AS FROM label_issues(t, text, label)")
    con.execute("CREATE TABLE u AS FROM t ORDER BY hash(id)")
    con.execute("CREATE TABLE other AS FROM label_issues(u, text, label)")
    assert con.execute("FROM one EXCEPT FROM other").fetchall() == []
    alike = "SELECT count(DISTINCT class_probs::VARCHAR) FROM one GROUP BY text, label"
    assert set(con.execute(alike).fetchall()) == {(1,)}
    [(accuracy,)] = con.execute("SELECT cv_accuracy FROM fine_tune('m', t, text, label)").fetchall()
    assert accuracy > 0.85


@pytest.mark.parametrize("x", ["[0.3, 0.5, 0.1]::FLOAT[]", "'the same words'"])
def test_of_identical_rows_the_odd_one_is_flagged(con: duckdb.DuckDBPyConnection, x: str) -> None:
    con.execute(f"""CREATE TABLE t AS SELECT i AS id, {x} AS x, if(i = 7, 'b', 'a') AS label
        FROM range(20) r(i)""")
    found = con.execute("""SELECT id, suggested_label, label_quality < 0.5
        FROM label_issues(t, x, label) WHERE is_label_issue""").fetchall()
    assert found == [(7, "a", True)]


@pytest.mark.parametrize("odd", [0, 3, 11])
def test_of_many_copies_in_a_table_of_other_rows_the_odd_one_is_flagged(
    con: duckdb.DuckDBPyConnection, odd: int
) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, ($1)[i % 3 + 1] || ' ' || i AS text, "
        "['order', 'delivery', 'account'][i % 3 + 1] AS label FROM range(120) r(i) "
        "UNION ALL SELECT 1000 + i, 'please close the ticket', if(i = $2, 'delivery', 'account') "
        "FROM range(30) r(i)",
        [WORDS, odd],
    )
    found = con.execute(
        "SELECT id, label_quality FROM label_issues(t, text, label) WHERE is_label_issue"
    ).fetchall()
    assert [row for row, _ in found] == [1000 + odd]
    assert found[0][1] < 0.5


def test_contradicting_pairs_are_not_flagged_wholesale(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""CREATE TABLE t AS SELECT md5((i // 2)::VARCHAR) AS text,
        if(i % 2 = 0, 'a', 'b') AS label FROM range(80) r(i)""")
    most = con.execute("""SELECT max(n) FROM (SELECT count(*) FILTER (is_label_issue) AS n
        FROM label_issues(t, text, label) GROUP BY text)""").fetchone()
    assert most is not None
    assert most[0] <= 1
