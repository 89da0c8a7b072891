"""Spark SQL in which functions of a table are called as in DuckDB."""

from __future__ import annotations

from typing import Any

import pytest

import sqlfuncs.spark
from sqlfuncs.engines.spark import lexis, written
from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.queries.pieces import Unclear

T = ["audit", "label_issues"]


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("SELECT * FROM audit(t, x, label)", ["t", "x", "label"]),
        ("FROM a, audit(t, x, label) AS b", ["t", "x", "label"]),
        ("SELECT * FROM a JOIN sqlfuncs.main.Audit(`t t`, x)", ["`t t`", "x"]),
        ("SELECT (SELECT n FROM audit(a.b.t, /* , */ x -- )\n)) FROM z", ["a.b.t", "x"]),
        ("SELECT ') FROM audit(u' FROM audit(t, k => 'it\\'s, )')", ["t", "'it\\'s, )'"]),
        ("SELECT * FROM `audit`(t, votes := [a, b])", ["t", "[a, b]"]),
        ("SELECT * FROM LATERAL audit(t)", ["t"]),
    ],
)
def test_what_is_a_call(sql: str, arguments: list[str]) -> None:
    call = written.first_call(sql, T)
    assert call is not None
    assert [argument.text for argument in call.arguments] == arguments
    assert (
        sql[call.at : call.end].casefold().replace("sqlfuncs.main.", "").strip("`")[:5] == "audit"
    )
    assert sql[call.end - 1] == ")"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT audit(x) FROM t",
        "SELECT a, audit(x) FROM t",
        "SELECT * FROM t WHERE a IS DISTINCT FROM audit(x)",
        "SELECT * FROM audit(TABLE(t), x => 'text')",
        "SELECT * FROM audit(tbl => TABLE (SELECT 1), x => 'text')",
        "SELECT * FROM other.audit(t, x)",
        "SELECT * FROM other.sqlfuncs.main.audit(t, x)",
        "INSERT INTO audit (a, b) VALUES (1, 2)",
        "WITH audit (a) AS (SELECT 1) SELECT * FROM audit",
        "SELECT 'FROM audit(t)', `FROM audit(t)`, \"FROM audit(t)\" -- FROM audit(t)\n",
        r"SELECT r'\' , ' FROM audit(t) '",
        "SELECT 1 -- goes on \\\n FROM audit(t)",
    ],
)
def test_what_is_none(sql: str) -> None:
    assert written.first_call(sql, T) is None


def test_common_tables_that_a_call_sees() -> None:
    call = written.first_call(
        "WITH a AS (SELECT (1)), b(x, y) AS (WITH c AS (FROM a) SELECT * FROM audit(c, x)), "
        "d AS (FROM b) SELECT 1",
        T,
    )
    assert call is not None
    assert dict(call.common) == {"a": "a AS (SELECT (1))", "c": "c AS (FROM a)"}
    after = written.first_call("WITH b(x) AS (SELECT 1) SELECT * FROM audit(b, x)", T)
    assert after is not None
    assert after.common == (("b", "b(x) AS (SELECT 1)"),)


@pytest.mark.parametrize(
    "sql",
    ["SELECT 'a", 'SELECT "a', "SELECT `a", "/* a", "SELECT $$a$$", "SELECT r'a", "/* /*+ a */ */"],
)
def test_what_is_unclear_is_refused(sql: str) -> None:
    with pytest.raises(Unclear):
        list(lexis.pieces(sql))
    with pytest.raises(BadInput, match="nothing was run"):
        written.statements(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM audit(t, x",
        "SELECT * FROM audit(t,, x)",
        "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM audit(a, x)",
    ],
)
def test_a_call_that_is_unclear_is_refused(sql: str) -> None:
    with pytest.raises(BadInput):
        written.first_call(sql, T)


@pytest.fixture
def points(spark: Any) -> Any:
    spark.sql(
        "SELECT id, CAST(id % 2 AS STRING) AS `La bel`, CAST((id + (id % 10 = 3)::INT) % 2 AS "
        "STRING) AS said, array(CAST(id % 2 AS FLOAT), CAST(id % 7 AS FLOAT) / 9) AS x "
        "FROM range(60)"
    ).createOrReplaceTempView("points")
    yield spark
    spark.catalog.dropTempView("points")


def test_calls_within_a_statement(points: Any) -> None:
    rows = sqlfuncs.spark.sql(
        points,
        "WITH some AS (SELECT * FROM points WHERE id < 50), "
        "found AS (SELECT * FROM label_issues(some, X, `la bel`, cut := 'both', seed => 1)) "
        "SELECT count(*) AS n, max(e.accuracy) AS a, '{x}' AS braces FROM found, "
        "sqlfuncs.main.evaluate(points, `la bel`, said) AS e",
    ).collect()
    assert [tuple(row) for row in rows] == [(50, 0.9, "{x}")]


def test_the_same_as_by_the_door_of_data_frames(points: Any) -> None:
    called = sqlfuncs.spark.sql(points, "FROM label_issues(points, x, said)").toArrow()
    made = sqlfuncs.spark.label_issues(points.table("points"), "x", "said").toArrow()
    assert called.sort_by("id").equals(made.sort_by("id"))


def test_a_function_of_a_row_takes_options_as_at_home(points: Any) -> None:
    asked = "SELECT label_quality(label := 'a', probs := map('a', 0.25D)) AS q"
    assert sqlfuncs.spark.sql(points, asked).collect()[0].q == 0.25


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ("label_issues(points, y, said)", BadInput, "the table has no column 'y'. It has id"),
        (
            "label_issues(points, upper(x), said)",
            BadInput,
            "x is a column of the table, named bare",
        ),
        ("label_issues(points, 'x', said)", BadInput, "'x' is a text to Spark. Write x."),
        ('label_issues(points, "a b", said)', BadInput, "is a text to Spark. Write `a b`."),
        ("label_isues(points, x, said)", BadInput, "no function label_isues: label_issues is one"),
        ("judge_label(points, x, said)", BadInput, "cannot be resolved"),
        ("label_issues(points, p.x, said)", BadInput, "x is a column of the table, named bare"),
        (
            "label_issues(points, x)",
            BadInput,
            "label_issues takes label_issues(my_table, x, label)",
        ),
        ("label_issues((SELECT 1), x, said)", BadInput, "takes a table by its name"),
        ("label_issues(points, x, said, cutt := 'a')", BadOption, "has no option cutt. It has:"),
        ("label_issues(points, x, said, cut := 'a')", BadOption, "cut => 'a' is not known"),
        ("label_issues(points, x, said, cut := auto)", BadOption, "text stands in quotes"),
        ("label_issues(points, x, said, seed := (SELECT 1))", BadOption, "a value, and no query"),
        ("label_issues(points, x, cut := 'both', said)", BadInput, "options come last"),
        ("label_issues(points, x, said, seed := 1, SEED => 2)", BadInput, "was given twice"),
        ("label_issues(nowhere, x, said)", BadInput, "nowhere"),
    ],
)
def test_mistakes(points: Any, call: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as said:
        sqlfuncs.spark.sql(points, f"SELECT * FROM {call}")
    assert message in str(said.value)


def test_a_temporary_view_outlives_the_statement(points: Any) -> None:
    asked = "SELECT id, is_label_issue FROM label_issues(points, x, said)"
    try:
        sqlfuncs.spark.sql(points, f"CREATE OR REPLACE TEMP VIEW `of points` AS {asked}")
        there = points.sql("SELECT * FROM `of points` ORDER BY id").collect()
        assert there == sqlfuncs.spark.sql(points, f"{asked} ORDER BY id").collect()
        with pytest.raises(BadInput, match="of points"):
            sqlfuncs.spark.sql(points, f"CREATE TEMPORARY VIEW `of points` AS {asked}")
    finally:
        points.catalog.dropTempView("`of points`")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("CREATE VIEW kept AS", "CREATE TABLE kept AS"),
        ("CREATE OR REPLACE TEMP VIEW v (a, b) AS", "a name and a query, nothing else"),
    ],
)
def test_views_that_are_refused(points: Any, head: str, message: str) -> None:
    with pytest.raises(BadInput) as said:
        sqlfuncs.spark.sql(points, f"{head} SELECT * FROM label_issues(points, x, said)")
    assert message in str(said.value)


def test_a_call_of_spark_s_own_kind_in_a_session_that_lacks_it(points: Any) -> None:
    bare = points.newSession()
    bare.range(3).createOrReplaceTempView("t")
    with pytest.raises(BadInput, match=r"sqlfuncs.register\(spark\)") as said:
        sqlfuncs.spark.sql(bare, "SELECT * FROM label_issues(TABLE(t), x => 'id', label => 'id')")
    assert "label_issues(t, ...)" in str(said.value)


def test_arguments_in_the_wrong_order(points: Any) -> None:
    with pytest.raises(BadInput, match="takes a session of Spark's and a text"):
        sqlfuncs.spark.sql("SELECT 1", points)


def test_one_statement(points: Any) -> None:
    assert sqlfuncs.spark.sql(points, "SELECT 1 AS a; -- and; no more").collect()[0].a == 1
    for text, said in {"SELECT 1; SELECT 2": "has 2", "-- none": "has 0"}.items():
        with pytest.raises(BadInput, match=said):
            sqlfuncs.spark.sql(points, text)


def test_errors_of_the_session_itself_stay_what_they_are(points: Any) -> None:
    from pyspark.errors import AnalysisException

    with pytest.raises(BadInput):
        sqlfuncs.spark.sql(points, "SELECT nothing FROM points")
    with pytest.raises(AnalysisException, match="UNRESOLVED_COLUMN"):
        points.sql("SELECT nothing FROM points").collect()
