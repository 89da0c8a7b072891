"""Labels that are no classes on Spark: numbers, tags, labels of words; DuckDB's bits everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.errors import BadInput, BadOption, ColumnClash
from sqlfuncs.learning.models import shares
from tests.spark.tables import by_id, vectors

ROWS = 160
TAGS, WORDS = pa.list_(pa.string()), pa.list_(pa.string())
PROBABILITIES = pa.map_(pa.string(), pa.float64())


def _numbers() -> pa.Table:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 3)).astype(np.float32)
    label = x.sum(axis=1) + rng.normal(size=ROWS) / 10 + 9 * (np.arange(ROWS) % 25 == 0)
    return pa.table({"id": np.arange(ROWS), "x": _vectors(x), "label": label.astype(float)})


def _tags() -> pa.Table:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, 3)).astype(np.float32)
    has = (x > 0) ^ (rng.random((ROWS, 3)) < 0.05)
    tags = [[tag for tag, is_there in zip("abc", row, strict=True) if is_there] for row in has]
    return pa.table({"id": np.arange(ROWS), "x": _vectors(x), "label": pa.array(tags, TAGS)})


def _own_tags() -> pa.Table:
    table = _tags()
    probs = [
        [("a", 0.96 if vector[0] > 0 else 0.02), ("b", 0.9 if vector[1] > 0 else 0.05), ("c", 0.5)]
        for vector in table["x"].to_pylist()
    ]
    return table.set_column(1, "x", pa.array(probs, PROBABILITIES))


def _words() -> pa.Table:
    rng = np.random.default_rng(2)
    at = rng.integers(3, size=(ROWS, 3))
    words = [
        [("Ann", "Bob", "Eve")[one], ("saw", "met", "left")[two], ("Rome", "Oslo", "Bern")[three]]
        for one, two, three in at
    ]
    labels = [["PER", "O", "O" if row % 20 == 0 else "LOC"] for row in range(ROWS)]
    labels[7] = labels[7][:2]
    return pa.table(
        {
            "id": np.arange(ROWS),
            "x": pa.array(words, WORDS),
            "label": pa.array(labels, TAGS),
        }
    )


def _own_words() -> pa.Table:
    table = _words()
    likely = {"PER": 0, "O": 1, "LOC": 2}
    probs = [
        [
            [(name, 0.97 if at == likely[name] else 0.015) for name in ("LOC", "O", "PER")]
            for at in range(3)
        ]
        for _ in range(ROWS)
    ]
    return table.set_column(1, "x", pa.array(probs, pa.list_(PROBABILITIES)))


def _vectors(x: Any) -> pa.Array:
    return pa.array(list(x), pa.list_(pa.float32()))


TABLES: dict[str, Callable[[], pa.Table]] = {
    "numbers": _numbers,
    "tags": _tags,
    "own predictions of tags": _own_tags,
    "words": _words,
    "own predictions of words": _own_words,
}
OWN = {
    "numbers": ["label_low", "label_high"],
    "tags": ["tag_qualities", "missing_tags", "wrong_tags"],
    "own predictions of tags": ["tag_qualities", "missing_tags", "wrong_tags"],
    "words": ["word_issues"],
    "own predictions of words": ["word_issues"],
}


def _at_home(con: duckdb.DuckDBPyConnection, call: str, **tables: pa.Table) -> pa.Table:
    for name, table in tables.items():
        con.register(name, table)
    return con.sql(f"FROM {call}").to_arrow_table()


@pytest.mark.parametrize("kind", TABLES)
def test_they_are_judged_with_the_bits_and_the_columns_of_duckdb(
    spark: Any, con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    table = TABLES[kind]()
    at_home = _at_home(con, "label_issues(t, x, label)", t=table)
    df = spark.createDataFrame(table).repartition(3)
    found = running.collected(sqlfuncs.spark.label_issues(df, "X", "Label"))
    assert found.column_names == at_home.column_names
    assert [name for name in found.column_names if name in OWN[kind]] == OWN[kind]
    assert by_id(found) == by_id(at_home)
    assert any(row["is_label_issue"] for row in by_id(found))


@pytest.mark.parametrize("kind", TABLES)
def test_they_are_judged_in_sql_alone(
    spark: Any, con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    table = TABLES[kind]()
    spark.createDataFrame(table).createOrReplaceTempView("of_other_labels")
    called = "label_issues(TABLE(of_other_labels), x => 'x', label => 'label')"
    found = running.collected(spark.sql(f"SELECT * FROM {called}"))
    at_home = _at_home(con, "label_issues(t, x, label)", t=table)
    assert found.column_names == at_home.column_names
    assert by_id(found) == by_id(at_home)


@pytest.mark.parametrize("kind", TABLES)
def test_an_audit_has_their_columns_too(
    spark: Any, con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    table = TABLES[kind]()
    found = running.collected(sqlfuncs.spark.audit(spark.createDataFrame(table), "x", "label"))
    at_home = _at_home(con, "audit(t, x, label)", t=table)
    assert found.column_names == at_home.column_names
    assert by_id(found) == by_id(at_home)


@pytest.mark.parametrize("kind", ["tags", "words"])
def test_the_health_of_lists_is_that_of_duckdb(
    spark: Any, con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    table = TABLES[kind]()
    found = sqlfuncs.spark.label_health(spark.createDataFrame(table), "x", "label")
    at_home = _at_home(con, "label_health(t, x, label)", t=table)
    assert running.collected(found).to_pylist() == at_home.to_pylist()


@pytest.mark.parametrize("kind", ["numbers", "tags", "words"])
def test_they_are_queued_as_in_duckdb(
    spark: Any, con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    table = TABLES[kind]()
    df = spark.createDataFrame(table)
    queued = sqlfuncs.spark.review_queue(df, "x", "label", "id", budget=20)
    at_home = _at_home(con, "review_queue(t, x, label, id, budget := 20)", t=table)
    assert running.collected(queued).to_pylist() == at_home.to_pylist()


def test_corrections_of_lists_are_applied_as_in_duckdb(
    spark: Any, con: duckdb.DuckDBPyConnection
) -> None:
    table = _words()
    log = pa.table(
        {
            "key": [0, 20, 40],
            "action": ["relabel", "exclude", "keep"],
            "old_label": pa.array([["PER", "O", "O"]] * 3, TAGS),
            "new_label": pa.array([["PER", "O", "LOC"], None, None], TAGS),
            "decided_at": pa.array([0, 1, 2], pa.timestamp("us")),
        }
    )
    df = spark.createDataFrame(table)
    for name in ("apply_corrections", "corrections_diff"):
        made = running.collected(getattr(sqlfuncs.spark, name)(df, log, "id", "label"))
        at_home = _at_home(con, f"{name}(t, log, id, label)", t=table, log=log)
        key = made.column_names[0]
        assert by_id(made, key) == by_id(at_home, key), name
    stale = log.set_column(2, "old_label", pa.array([["O", "O", "O"]] * 3, TAGS))
    with pytest.raises(BadInput, match="nothing was applied"):
        sqlfuncs.spark.apply_corrections(df, stale, "id", "label")


@pytest.mark.parametrize("name", ["evaluate", "class_report", "compare_models"])
def test_predictions_for_words_are_evaluated_where_the_task_says_so(
    spark: Any, con: duckdb.DuckDBPyConnection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 10)
    actual = [["PER", "O", "LOC"], ["O", "LOC"], None] * 20
    said, other = [["PER", "O", "O"], ["O", "LOC"], ["O"]] * 20, [["O"] * 3, ["O"] * 2, None] * 20
    table = pa.table(
        {"actual": pa.array(actual, TAGS), "said": pa.array(said, TAGS), "other": other}
    )
    columns = ["actual", "said", *(["other"] if name == "compare_models" else [])]
    call = f"{name}(t, {', '.join(columns)}, task := 'token_classification')"
    at_home = _at_home(con, call, t=table)
    df = spark.createDataFrame(table)
    found = getattr(sqlfuncs.spark, name)(df, *columns, task="token_classification")
    assert running.collected(found).to_pylist() == at_home.to_pylist()


@pytest.mark.parametrize("kind", TABLES)
def test_larger_tables_are_refused_before_they_are_judged(
    spark: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", ROWS - 1)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", ROWS - 1)
    df = spark.createDataFrame(TABLES[kind]())
    for name in ("label_issues", "audit", "label_health"):
        with pytest.raises(BadInput, match=rf"{name} reads all rows .* of this kind \(\w+\)"):
            getattr(sqlfuncs.spark, name)(df, "x", "label")


def test_steps_of_a_scale_are_not_judged_as_if_they_were_none(
    spark: Any, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = vectors(400)
    scale = ["apple", "berry", "cherry"]
    at_home = _at_home(con, f"label_issues(t, x, label, ordered := {scale})", t=table)
    monkeypatch.setattr(shares, "SAMPLE_ROWS", 100)
    df = spark.createDataFrame(table)
    found = sqlfuncs.spark.label_issues(df, "x", "label", ordered=scale)
    assert by_id(running.collected(found)) == by_id(at_home)


def test_a_column_that_only_some_labels_have_clashes_for_these_alone(spark: Any) -> None:
    of_classes = vectors(60).append_column("word_issues", pa.array(["mine"] * 60))
    found = sqlfuncs.spark.label_issues(spark.createDataFrame(of_classes), "x", "label")
    assert running.collected(found)["word_issues"].to_pylist() == ["mine"] * 60
    of_words = _words().append_column("Word_Issues", pa.array(["mine"] * ROWS))
    with pytest.raises(ColumnClash, match="has the column `Word_Issues`, which label_issues adds"):
        sqlfuncs.spark.label_issues(spark.createDataFrame(of_words), "x", "label")


@pytest.mark.parametrize(
    ("task", "of", "kind", "message"),
    [
        ("auto", "array(1)", BadInput, "label is of type ARRAY<INT>, which is no label"),
        ("auto", "map('a', 'b')", BadInput, "which is no label: a row has one value"),
        ("tokens", "array('a')", BadOption, "task => 'tokens' is not known"),
        ("classification", "array('a')", BadInput, "label holds lists, which are tags"),
    ],
)
def test_what_is_no_label_is_told_before_any_job(
    spark: Any, task: str, of: str, kind: type[Exception], message: str
) -> None:
    fails_if_run = spark.createDataFrame(_words()).where("assert_true(id < 0) IS NULL")
    df = fails_if_run.selectExpr("x", f"{of} AS label")
    with pytest.raises(kind, match=message):
        sqlfuncs.spark.label_issues(df, "x", "label", task=task)


def test_options_of_functions_in_duckdbs_sql_are_those_that_they_have(
    con: duckdb.DuckDBPyConnection,
) -> None:
    from sqlfuncs.engines.spark.signatures import signatures

    for name, own in signatures().items():
        ours = {
            *(*own.arguments, *own.tables, *own.columns, *own.options),
            *(*own.optional_columns, *own.optional_tables),
        }
        asked = f"SELECT unnest(parameters) FROM duckdb_functions() WHERE function_name = '{name}'"
        theirs = {row[0] for row in con.sql(asked).fetchall()}
        assert theirs - ours <= {"tbl", "issues"}, name
        assert ours <= theirs, name
