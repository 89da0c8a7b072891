"""Functions called in Spark's own SQL text."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.engines.spark.table_functions import Gathered, Planned
from sqlfuncs.errors import BadInput, BadOption, SqlfuncsError
from tests.conftest import needs_local
from tests.spark.tables import by_id, vectors

PROBABILITIES = pa.table(
    {
        "label": ["a", "b", "b", "c", None, "a", "a", "a", "a"],
        "probs": pa.array(
            [
                [("a", 0.2), ("b", 0.8)],
                [("a", 0.2), ("b", 0.8)],
                [("a", 0.5), ("b", 0.5)],
                [("a", 0.2), ("b", 0.8)],
                [("a", 0.2), ("b", 0.8)],
                None,
                [("a", 0.1), ("b", float("nan"))],
                [("a", 0.6), ("b", 0.3), ("c", 0.1)],
                [],
            ],
            pa.map_(pa.string(), pa.float64()),
        ),
    }
)


def _error(spark: Any, statement: str) -> SqlfuncsError:
    with pytest.raises(SqlfuncsError) as caught, running.in_our_words():
        spark.sql(statement).collect()
    return caught.value


@pytest.mark.parametrize("ansi", ["true", "false"])
@pytest.mark.parametrize(
    "call",
    [
        "label_quality(label, probs)",
        "label_quality(label, probs, method {0} 'normalized_margin')",
        "label_quality(label, probs, method {0} 'confidence_weighted_entropy')",
        "suggest_label(label, probs)",
        "label_set(probs, 0.5::DOUBLE)",
        "label_set(probs, threshold {0} 0.7::DOUBLE)",
        "label_set(probs, 'infinity'::DOUBLE)",
        "label_set(probs, -1.0::DOUBLE)",
        "label_set(probs, NULL::DOUBLE)",
    ],
)
def test_functions_in_sql_are_those_of_duckdb(
    spark: Any, con: duckdb.DuckDBPyConnection, call: str, ansi: str
) -> None:
    con.register("t", PROBABILITIES)
    spark.createDataFrame(PROBABILITIES).createOrReplaceTempView("of_probabilities")
    at_home = con.sql(f"SELECT {call.format(':=')} FROM t").fetchall()
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        found = spark.sql(f"SELECT {call.format('=>')} AS got FROM of_probabilities").collect()
    finally:
        spark.conf.unset("spark.sql.ansi.enabled")
    for (one,), other in zip(at_home, found, strict=True):
        assert other.got == (pytest.approx(one, abs=1e-15) if isinstance(one, float) else one)


def test_an_unknown_method(spark: Any) -> None:
    error = _error(spark, "SELECT label_quality('a', map('a', 1D), method => 'x')")
    assert "method => 'x' is not known. It may be 'self_confidence'" in str(error)


@needs_local
def test_a_function_computed_in_python(spark: Any, con: duckdb.DuckDBPyConnection) -> None:
    (at_home,) = con.sql("SELECT embed('a text', model := 'minilm')").fetchall()[0]
    (row,) = spark.sql("SELECT embed(text => 'a text', model => 'minilm') AS v").collect()
    assert row.v == pytest.approx(at_home, abs=1e-6)


def test_mistakes_in_calls_of_functions_of_a_row(spark: Any) -> None:
    spark.range(0, 30, 1, 1).createOrReplaceTempView("of_numbers")
    paid = _error(spark, "SELECT llm_classify('a', labels => array('x', 'y'), model => 'openai:m')")
    assert isinstance(paid, BadOption)
    assert "sqlfuncs.spark.llm_classify(df" in str(paid)
    many = "labels => array('x', 'y'), multi => true"
    listed = _error(spark, f"SELECT llm_classify('a', {many}, model => 'local:smollm2')")
    assert isinstance(listed, BadOption)
    assert "llm_classify_result(...).labels" in str(listed)
    varies = _error(spark, "SELECT embed('a', model => string(id)) FROM of_numbers")
    assert "model => ... has to be the same for every row" in str(varies)
    assert "embed has no option modle" in str(_error(spark, "SELECT embed('a', modle => 'x')"))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ("TABLE(of_vectors), x => 'y', label => 'label'", BadInput, "no column 'y'. It has id, x"),
        ("TABLE(of_vectors), x => 'x'", BadInput, "label_issues needs label"),
        (
            "TABLE(of_vectors), x => 'x', label => 'label', cut => 'best'",
            BadOption,
            "cut => 'best' is not known",
        ),
        (
            "TABLE(of_vectors), x => 'x', label => 'label', cutt => 1",
            BadOption,
            "no option cutt",
        ),
        (
            "TABLE(of_vectors), x => 'x', label => 'label', log => 'decisions'",
            BadInput,
            "takes one table. With log: sqlfuncs.spark.label_issues",
        ),
    ],
)
def test_mistakes_in_calls_of_functions_of_a_table(
    spark: Any, call: str, kind: type[Exception], message: str
) -> None:
    spark.createDataFrame(vectors(30)).createOrReplaceTempView("of_vectors")
    with pytest.raises(kind, match=message), running.in_our_words():
        spark.sql(f"SELECT * FROM label_issues({call})")  # planned, and not run


def test_rows_of_its_own_and_types_that_survive(spark: Any, con: duckdb.DuckDBPyConnection) -> None:
    table = vectors(120, apart=4.0).append_column(
        "when", pa.array(range(120), pa.timestamp("us", "UTC"))
    )
    con.register("t", table)
    spark.createDataFrame(table).createOrReplaceTempView("of_times")
    call = "TABLE(of_times), x => 'x', label => 'label'"
    found = spark.sql(f"SELECT * FROM label_health({call})").toArrow()
    at_home = con.sql("FROM label_health(t, x, label)").to_arrow_table()
    assert by_id(found, "label") == by_id(at_home, "label")
    kept = spark.sql(f"SELECT id, when FROM label_issues({call})").toArrow()
    assert by_id(kept) == by_id(table.select(["id", "when"]))


def test_functions_without_a_table(spark: Any) -> None:
    assert spark.sql("SELECT count(*) AS n FROM models()").collect()[0].n >= 0


def test_labels_that_are_moments(spark: Any, con: duckdb.DuckDBPyConnection) -> None:
    table = vectors(200, apart=4.0)
    moments = [name == "apple" for name in table["label"].to_pylist()]
    days = pa.array([86_400_000_000 * is_first for is_first in moments], pa.timestamp("us", "UTC"))
    table = table.set_column(2, "label", days)
    con.execute("SET TimeZone = 'UTC'")
    con.register("t", table)
    at_home = by_id(con.sql("FROM label_issues(t, x, label)").to_arrow_table())
    spark.createDataFrame(table).createOrReplaceTempView("of_moments")
    call = "TABLE(of_moments), x => 'x', label => 'label'"
    found = by_id(spark.sql(f"SELECT * FROM label_issues({call})").toArrow())
    names = ("label", "is_label_issue", "suggested_label", "predicted_label", "label_quality")
    assert {row["suggested_label"] for row in found} != {None}
    assert [[row[n] for n in names] for row in found] == [
        [row[n] for n in names] for row in at_home
    ]


def test_what_a_function_reads_without_its_being_named(
    spark: Any, con: duckdb.DuckDBPyConnection
) -> None:
    con.register("t", vectors(800, seed=3, wrong=0.3, apart=3.0))
    con.execute("CREATE TABLE issues AS SELECT * EXCLUDE (x) FROM label_issues(t, x, label)")
    at_home = con.sql("SELECT key, new_label FROM auto_corrections(issues, id, label) ORDER BY 1")
    issues = con.sql("FROM issues").to_arrow_table()
    spark.createDataFrame(issues).createOrReplaceTempView("of_issues")
    call = "TABLE(of_issues), key => 'id', label => 'label'"
    found = spark.sql(f"SELECT key, new_label FROM auto_corrections({call}) ORDER BY 1").collect()
    assert found
    assert [tuple(row) for row in found] == at_home.fetchall()


@pytest.mark.parametrize(
    ("name", "columns", "elsewhere"),
    [
        ("label_issues", ("x", "label"), "sqlfuncs.spark.label_issues(df"),
        ("disagreement", ("item", "annotator", "label", "x"), ""),
    ],
)
def test_more_rows_than_a_worker_holds(
    name: str, columns: tuple[str, ...], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 1)
    call = Call(signature(name), {column: column for column in columns})
    gathered = Gathered(Planned(call, pa.schema([]), columns))
    gathered.add(columns)
    with pytest.raises(BadInput) as caught:
        gathered.add(columns)
    assert "up to 1 rows in one place" in str(caught.value)
    assert ("sqlfuncs.spark." in str(caught.value)) == bool(elsewhere)
    assert elsewhere in str(caught.value)
