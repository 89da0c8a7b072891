"""The SQL for a catalog of Databricks', as far as plain Spark takes it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import sqlfuncs
from sqlfuncs.engines.spark import catalog
from sqlfuncs.errors import BadInput, UnknownModel
from tests.cli.program import called

MADE = list(catalog.statements("spark_catalog", "default", "/Volumes/main/x/sqlfuncs"))


def test_what_is_printed() -> None:
    ran = called("spark", "catalog-sql", "--catalog", "my cat", "--schema", "labels")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "CREATE OR REPLACE FUNCTION `my cat`.`labels`.label_quality(" in ran.stdout
    assert "CREATE OR REPLACE FUNCTION `my cat`.`labels`.judge_labels(" in ran.stdout
    assert "_sf_" not in ran.stdout
    assert f"sqlfuncs[local]=={sqlfuncs.__version__}" in ran.stdout
    ran = called("spark", "catalog-sql", "--home", "a'b")
    assert (ran.returncode, "cannot be the folder" in ran.stderr) == (1, True)


def test_functions_in_sql_are_created_and_called(spark: Any) -> None:
    in_sql = [each for each in MADE if "LANGUAGE PYTHON" not in each]
    assert len(in_sql) == 3
    for statement in in_sql:
        spark.sql(statement)
    try:
        row = spark.sql(
            "SELECT spark_catalog.default.label_quality('a', map('a', 0.25D, 'b', 0.75D)) AS q, "
            "spark_catalog.default.label_quality('a', map('a', 0.25D, 'b', 0.75D), "
            "'normalized_margin') AS m, "
            "spark_catalog.default.suggest_label('a', map('a', 0.25D, 'b', 0.75D)) AS s, "
            "spark_catalog.default.label_set(map('a', 0.25D, 'b', 0.75D), 0.7D) AS l"
        ).collect()[0]
        assert tuple(row) == (0.25, 0.25, "b", ["b"])
    finally:
        for name in ("label_quality", "label_set", "suggest_label"):
            spark.sql(f"DROP FUNCTION spark_catalog.default.{name}")


@pytest.mark.parametrize("name", catalog.PYTHON)
def test_functions_in_python_have_heads_that_spark_reads(spark: Any, name: str) -> None:
    head = catalog.head(name).replace(name, f"head_of_{name}", 1)
    spark.sql(f"CREATE TEMPORARY FUNCTION {head} RETURN NULL")
    spark.sql(f"DROP TEMPORARY FUNCTION head_of_{name}")


def _handler(name: str) -> Any:
    made: dict[str, Any] = {}
    exec(catalog.body(name, "/nowhere"), made)
    return made["handler"]


def test_handlers_give_what_the_functions_give(con: Any) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT if(i % 2 = 0, 'my parcel is late, ', 'bill me, ') "
        "|| i AS text, if(i % 10 = 3, 'a', if(i % 2 = 0, 'a', 'b')) AS label FROM range(60) r(i)"
    )
    con.execute("CREATE TABLE issues AS FROM label_issues(t, text, label, judge := 'j')")
    con.execute("FROM fine_tune('m', t, text, label)").fetchall()
    texts, labels = (con.sql(f"SELECT {each} FROM t").df()[each] for each in ("text", "label"))
    same = pd.Series(["j"] * 60)
    (judged,) = _handler("judge_labels")([(texts, labels, same)])
    there = con.sql(
        "SELECT unnest(j) FROM (SELECT judge_labels(text, label, judge := 'j') AS j FROM t)"
    ).df()
    assert list(judged.columns) == list(there.columns)
    assert judged.label_quality.tolist() == there.label_quality.tolist()
    assert judged.is_label_issue.tolist() == there.is_label_issue.tolist()
    (said,) = _handler("llm_classify")([(texts, pd.Series(["m"] * 60))])
    assert said.tolist() == [
        row[0] for row in con.sql("SELECT llm_classify(text, model := 'm') FROM t").fetchall()
    ]
    two = list(_handler("embed")([(texts[:2], pd.Series([None, None], dtype=object))] * 2))
    assert [len(each) for each in two] == [2, 2]
    with pytest.raises(UnknownModel, match="nobody"):
        list(_handler("judge_labels")([(texts[:1], labels[:1], pd.Series(["nobody"]))]))


def test_a_name_that_is_none() -> None:
    with pytest.raises(BadInput, match="cannot be the name"):
        list(catalog.statements("", "x", "/x"))
