"""`fine_tune` where labels are numbers: trained, kept, asked, evaluated; and what is refused."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from sqlfuncs.learning.tasks import trained
from sqlfuncs.store import models


@pytest.fixture
def points(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `train` and `test` of vectors, whose coordinates tell their number."""
    for name, rows in (("train", "range(300)"), ("test", "range(300, 500)")):
        con.execute(f"""
            CREATE TABLE {name} AS
            SELECT i AS id, [sin(i), cos(i * 1.3), 1]::FLOAT[] AS v,
                round(20 + 5 * sin(i) - 3 * cos(i * 1.3) + hash(i) % 100 / 100, 2)::DECIMAL(9, 2)
                AS y
            FROM {rows} r(i)
        """)
    return con


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, object]:
    found = con.execute(sql)
    (row,) = found.fetchall()
    return dict(zip([column[0] for column in found.description or []], row, strict=True))


def _float(value: object) -> float:
    return float(str(value))


def test_trained_predicted_and_evaluated(points: duckdb.DuckDBPyConnection) -> None:
    row = _row(points, "FROM fine_tune('m', train, v, y)")
    assert (row["rows"], row["classes"], row["status"]) == (300, [], "SUCCEEDED")
    points.execute("CREATE TABLE said AS SELECT y, llm_classify(v, model := 'm') AS said FROM test")
    found = _row(points, "FROM evaluate(said, y, said)")
    assert _float(found["mae"]) < 0.4
    # Measured on rows that the models did not see, it says what to expect of others.
    assert _float(row["cv_accuracy"]) == pytest.approx(_float(found["r2"]), abs=0.02)
    numbers = points.execute("SELECT said::DOUBLE, y::DOUBLE FROM said").fetchnumpy()
    first, second = numbers.values()
    assert np.corrcoef(first, second)[0, 1] > 0.98
    shown = _row(points, "SELECT model, task, classes, cv_accuracy FROM models()")
    assert shown == {
        "model": "m",
        "task": "regression",
        "classes": [],
        "cv_accuracy": row["cv_accuracy"],
    }


def test_whole_numbers_are_numbers_where_that_is_said(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("CREATE TABLE whole AS SELECT v, y::INTEGER AS y FROM train")
    row = _row(points, "FROM fine_tune('m', whole, v, y, task := 'regression')")
    assert row["classes"] == [] and _float(row["cv_accuracy"]) > 0.9
    row = _row(points, "FROM fine_tune('m', whole, v, y)")
    assert (row["version"], row["classes"]) != (1, [])


def test_a_model_is_loaded_by_another_process_and_gives_the_same(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("FROM fine_tune('m', train, v, y)").fetchall()
    call = "SELECT llm_classify(v, model := 'm')::DOUBLE FROM test ORDER BY id"
    expected = points.execute(call).fetchall()
    assert models.find("m").task == "regression"
    trained._loaded._models.clear()
    assert points.execute(call).fetchall() == expected


def test_amounts_of_many_sizes_are_learned_by_their_logarithms(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("CREATE TABLE sizes AS SELECT v, exp(y::DOUBLE / 2) AS y FROM train")
    points.execute("FROM fine_tune('m', sizes, v, y)").fetchall()
    found = points.execute(
        "SELECT llm_classify(v, model := 'm')::DOUBLE / exp(y::DOUBLE / 2) AS ratio FROM test"
    ).fetchnumpy()["ratio"]
    assert (found > 0).all()
    assert np.abs(np.log(found)).mean() < 0.25


def test_gross_errors_do_little_harm(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("CREATE TABLE wrong AS SELECT v, if(id % 25 = 3, y * 1000, y) AS y FROM train")
    points.execute("FROM fine_tune('m', wrong, v, y)").fetchall()
    points.execute("CREATE TABLE said AS SELECT y, llm_classify(v, model := 'm') AS said FROM test")
    assert _float(_row(points, "FROM evaluate(said, y, said)")["mae"]) < 1.5


def test_amounts_that_are_mostly_the_same(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("CREATE MACRO amount(v, id) AS if(v[1] > 0.6, 200 * v[1], 0) + id / 10000")
    points.execute("CREATE TABLE mostly AS SELECT v, amount(v, id) AS y FROM train")
    points.execute("FROM fine_tune('m', mostly, v, y)").fetchall()
    points.execute("""
        CREATE TABLE said AS SELECT amount(v, id) AS y, llm_classify(v, model := 'm') AS said
        FROM test
    """)
    assert _float(_row(points, "FROM evaluate(said, y, said)")["r2"]) > 0.6


def test_weights_count(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("""
        CREATE TABLE wrong AS
        SELECT v, if(id % 3 = 0, y + 30, y) AS y, if(id % 3 = 0, 0, 1) AS w FROM train
    """)
    mae = []
    for more in ("", ", weights := w"):
        points.execute(f"FROM fine_tune('m', wrong, v, y{more})").fetchall()
        points.execute("""
            CREATE OR REPLACE TABLE said AS SELECT y, llm_classify(v, model := 'm') AS said
            FROM test
        """)
        mae.append(_float(_row(points, "FROM evaluate(said, y, said)")["mae"]))
    assert mae[1] < 0.5 < mae[0]


def test_a_dry_run_knows_numbers(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("INSERT INTO train SELECT id, v, y + 9 FROM train WHERE id < 3")
    points.execute("INSERT INTO train VALUES (999, NULL, 3), (998, [1, 1, 1], NULL)")
    row = _row(points, "FROM fine_tune('m', train, v, y, dry_run := true)")
    known = row["preflight"]
    assert isinstance(known, dict)
    assert (row["rows"], row["version"], known["class_counts"]) == (303, None, {})
    assert (known["duplicates"], known["contradictions"]) == (3, 6)
    assert 0 <= known["issue_rate"] < 0.2
    assert any("has another number as well" in each for each in known["warnings"])


def test_labels_are_judged_by_a_model_of_numbers_learned_anew(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("FROM fine_tune('m', train, v, y)").fetchall()
    call = "SELECT id, label_quality FROM label_issues(train, v, y{}) ORDER BY id"
    expected = points.execute(call.format("")).fetchall()
    assert points.execute(call.format(", model := 'm'")).fetchall() == expected


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "SELECT llm_classify(v, model := 'm', multi := true) FROM test",
            "'m' was trained to give a number; multi := true is not it",
        ),
        (
            "SELECT llm_class_probs(v, model := 'm') FROM test",
            "'m' was trained to give a number, and knows no probabilities",
        ),
        (
            "SELECT llm_classify(v, ['1', '2'], model := 'm') FROM test",
            "the model 'm' gives a number: leave labels out",
        ),
        ("FROM fine_tune('n', train, v, y, balanced := true)", "is about classes"),
        ("FROM fine_tune('n', train, v, s, task := 'regression')", "holds no numbers, but 'a'"),
        (
            "FROM fine_tune('n', train, v, 1.5, task := 'regression')",
            "every row has the number 1.5",
        ),
        ("FROM fine_tune('n', same, v, y, task := 'regression')", "every row has the number 7"),
    ],
)
def test_mistakes_are_refused(points: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    points.execute("FROM fine_tune('m', train, v, y)").fetchall()
    points.execute("ALTER TABLE train ADD COLUMN s VARCHAR DEFAULT 'a'")
    points.execute("CREATE TABLE same AS SELECT v, 7.0 AS y FROM train")
    with pytest.raises(duckdb.Error) as error:
        points.execute(sql).fetchall()
    assert message in str(error.value)
    assert [record.name for record in models.records()] == ["m"]
