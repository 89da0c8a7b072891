"""`fine_tune` where labels are tags: trained, kept, asked, evaluated; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.learning.tasks import trained
from sqlfuncs.store import manifests, models
from sqlfuncs.store.home import home

_TAGS = "if(sin(i) > 0, ['up'], []) || if(cos(i * 1.3) > 0.3, ['right'], [])"


@pytest.fixture
def points(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `train` and `test` of vectors, whose coordinates tell their tags."""
    for name, rows in (("train", "range(300)"), ("test", "range(300, 500)")):
        con.execute(f"""
            CREATE TABLE {name} AS
            SELECT i AS id, [sin(i), cos(i * 1.3), 1]::FLOAT[] AS v, {_TAGS} AS tags
            FROM {rows} r(i)
        """)
    return con


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, object]:
    found = con.execute(sql)
    (row,) = found.fetchall()
    return dict(zip([column[0] for column in found.description or []], row, strict=True))


def test_trained_classified_and_evaluated(points: duckdb.DuckDBPyConnection) -> None:
    row = _row(points, "FROM fine_tune('m', train, v, tags)")
    assert (row["rows"], row["classes"], row["status"]) == (300, ["right", "up"], "SUCCEEDED")
    points.execute("""
        CREATE TABLE said AS SELECT tags, llm_classify(v, model := 'm', multi := true) AS given
        FROM test
    """)
    assert _row(points, "SELECT DISTINCT typeof(given) AS t FROM said") == {"t": "VARCHAR[]"}
    found = _row(points, "FROM evaluate(said, tags, given)")
    assert float(str(found["micro_f1"])) > 0.95
    # Measured on rows that the models did not see, it says what to expect of others.
    assert float(str(row["cv_accuracy"])) == pytest.approx(float(str(found["accuracy"])), abs=0.06)
    none = _row(points, "SELECT count(*) AS n FROM said WHERE given = [] AND tags = []")
    assert int(str(none["n"])) > 20


def test_each_tag_has_a_probability_of_its_own(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("FROM fine_tune('m', train, v, tags)").fetchall()
    found = points.execute("""
        SELECT llm_class_probs(v, model := 'm', multi := true) AS p,
            llm_classify_result(v, model := 'm', multi := true) AS r,
            llm_class_probs(v, ['up', 'right'], model := 'm', multi := true) AS few
        FROM test ORDER BY id LIMIT 60
    """).fetchall()
    assert all(0 <= each <= 1 for p, _, _ in found for each in p.values())
    assert any(sum(p.values()) > 1.5 for p, _, _ in found)
    assert any(sum(p.values()) < 0.5 for p, _, _ in found)
    for p, result, few in found:
        assert few == p
        assert result["label"] is None and set(result["labels"]) <= {"up", "right"}
        assert min((p[name] for name in result["labels"]), default=1) >= max(
            (p[name] for name in p if name not in result["labels"]), default=0
        )


def test_a_model_is_loaded_by_another_process_and_gives_the_same(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("FROM fine_tune('m', train, v, tags)").fetchall()
    call = "SELECT llm_class_probs(v, model := 'm', multi := true) FROM test ORDER BY id"
    expected = points.execute(call).fetchall()
    record, files = models.load("m")
    assert record.task == "multilabel"
    assert not any(name.endswith((".pkl", ".pickle")) for name in files)
    assert 0 < json.loads(files["tags.json"])["threshold"] < 1
    trained._loaded._models.clear()
    assert points.execute(call).fetchall() == expected


def test_an_older_sqlfuncs_does_not_take_it_for_a_model_of_classes(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("FROM fine_tune('m', train, v, tags)").fetchall()
    points.execute("CREATE TABLE classes AS SELECT v, len(tags) AS n FROM train")
    points.execute("FROM fine_tune('c', classes, v, n)").fetchall()
    formats = {
        json.loads(file.read_bytes())["model"]["name"]: json.loads(file.read_bytes())["format"]
        for file in Path(home(), "models").glob(f"*/*/{manifests.MANIFEST}")
    }
    assert formats == {"m": 2, "c": 1}


def test_rows_without_labels_and_tags_of_one_row_are_left_out(
    points: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    points.execute("UPDATE train SET tags = NULL WHERE id < 5")
    points.execute("UPDATE train SET tags = ['up', 'lonely', 'up'] WHERE id = 7")
    points.execute("UPDATE train SET tags = ['up', NULL] WHERE id = 8")
    row = _row(points, "FROM fine_tune('m', train, v, tags)")
    assert (row["rows"], row["classes"]) == (294, ["right", "up"])
    said = " ".join(heard)
    assert "the label is NULL (5 rows)" in said
    assert "the list of tags holds NULL (1 row)" in said
    assert "tags that one row alone has are not learned: 'lonely'" in said
    assert "1 rows name a tag twice" in said


def test_the_order_of_rows_and_of_tags_makes_no_difference(
    points: duckdb.DuckDBPyConnection,
) -> None:
    first = _row(points, "FROM fine_tune('m', train, v, tags)")
    points.execute(
        "CREATE TABLE other AS SELECT v, list_reverse(tags) AS tags FROM train ORDER BY hash(id)"
    )
    again = _row(points, "FROM fine_tune('m', other, v, tags)")
    assert (again["version"], again["preflight"]) == (first["version"], None)


def test_weights_and_dropped_rows_count(points: duckdb.DuckDBPyConnection) -> None:
    # A third of the rows is turned round: with weights of zero for them they teach nothing.
    points.execute("""
        CREATE TABLE wrong AS SELECT * REPLACE (
            if(id % 3 = 0, list_filter(['up', 'right'], lambda t: NOT list_contains(tags, t)), tags)
            AS tags
        ), if(id % 3 = 0, 0, 1) AS w, id % 3 = 0 AS is_wrong FROM train
    """)
    micro = []
    for name, more in (
        ("plain", ""),
        ("weighed", ", weights := w"),
        ("dropped", ', "drop" := is_wrong'),
    ):
        points.execute(f"FROM fine_tune('{name}', wrong, v, tags{more})").fetchall()
        points.execute(f"""
            CREATE OR REPLACE TABLE said AS SELECT tags,
                llm_classify(v, model := '{name}', multi := true) AS given FROM test
        """)
        micro.append(_row(points, "FROM evaluate(said, tags, given)")["micro_f1"])
    assert float(str(micro[1])) > float(str(micro[0])) + 0.02
    assert float(str(micro[2])) > float(str(micro[0])) + 0.02


def test_a_dry_run_knows_tags(points: duckdb.DuckDBPyConnection) -> None:
    points.execute("""
        INSERT INTO train SELECT id, v, ['up', 'rare'] FROM train WHERE id < 4
    """)
    row = _row(
        points, "SELECT unnest(preflight) FROM fine_tune('m', train, v, tags, dry_run := true)"
    )
    counts = row["class_counts"]
    assert isinstance(counts, dict) and counts["rare"] == 4 and counts["up"] > 100
    assert (row["duplicates"], row["contradictions"]) == (4, 8)
    assert 0 <= float(str(row["issue_rate"])) < 0.3
    warnings = row["warnings"]
    assert isinstance(warnings, list)
    assert any("fewer than 10 rows have the tag 'rare'" in each for each in warnings)
    assert any("8 rows have a text that has other tags as well" in each for each in warnings)


def test_labels_are_judged_by_a_model_of_tags_learned_anew(
    points: duckdb.DuckDBPyConnection,
) -> None:
    points.execute("FROM fine_tune('m', train, v, tags)").fetchall()
    call = "SELECT id, label_quality FROM label_issues(train, v, tags{}) ORDER BY id"
    expected = points.execute(call.format("")).fetchall()
    assert points.execute(call.format(", model := 'm'")).fetchall() == expected


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT llm_classify(v, model := 'm') FROM test", "'m' was trained on tags"),
        ("SELECT llm_class_probs(v, model := 'm') FROM test", "say multi := true"),
        (
            "SELECT llm_classify(v, ['up', 'left'], model := 'm', multi := true) FROM test",
            "no class 'left'",
        ),
        (
            "SELECT llm_classify(v, model := 'c', multi := true) FROM test",
            "'c' was trained to give one label; multi := true is not it",
        ),
        ("FROM fine_tune('n', train, v, tags, balanced := true)", "is about classes"),
        ("FROM fine_tune('n', same, v, tags)", "every row has the tags 'a'"),
        ("FROM fine_tune('n', none, v, tags)", "no row has a tag in label"),
        ("FROM fine_tune('n', train, v, tags, task := 'classification')", "lists, which are tags"),
        ("FROM fine_tune('n', train, v, id, task := 'multilabel')", "label holds no lists of text"),
        ("FROM fine_tune('n', train, v, tags, task := 'words')", "task"),
    ],
)
def test_mistakes_are_refused(points: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    points.execute("FROM fine_tune('m', train, v, tags)").fetchall()
    points.execute("CREATE TABLE classes AS SELECT v, len(tags) AS n FROM train")
    points.execute("FROM fine_tune('c', classes, v, n)").fetchall()
    points.execute("CREATE TABLE same AS SELECT v, ['a'] AS tags FROM train")
    points.execute("CREATE TABLE none AS SELECT v, []::VARCHAR[] AS tags FROM train")
    with pytest.raises(duckdb.Error) as error:
        points.execute(sql).fetchall()
    assert message in str(error.value)
    assert {record.name for record in models.records()} == {"m", "c"}
