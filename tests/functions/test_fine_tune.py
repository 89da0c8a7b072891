from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sqlfuncs.store import models
from sqlfuncs.store.home import home


def _train(con: duckdb.DuckDBPyConnection, more: str = "") -> dict[str, object]:
    found = con.execute(f"FROM fine_tune('support', requests, text, label{more})")
    names = [column[0] for column in found.description or []]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def test_one_row_says_what_was_trained(sample: duckdb.DuckDBPyConnection) -> None:
    row = _train(sample)
    assert list(row) == [
        "model",
        "version",
        "job_id",
        "status",
        "base",
        "rows",
        "classes",
        "cv_accuracy",
        "seconds",
        "error",
        "preflight",
    ]
    assert (row["model"], row["version"], row["status"], row["base"], row["error"]) == (
        "support",
        1,
        "SUCCEEDED",
        "fast",
        None,
    )
    assert row["rows"] == 1500
    assert row["classes"] == ["account", "billing", "delivery", "product"]
    assert 0.6 < float(str(row["cv_accuracy"])) < 0.9


def test_the_same_rows_give_the_same_version_in_any_order(
    sample: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    first = _train(sample)
    sample.execute("CREATE TABLE ordered AS FROM requests ORDER BY hash(id)")
    sample.execute("CREATE OR REPLACE TABLE requests AS FROM ordered")
    again = _train(sample)
    assert {**again, "preflight": first["preflight"]} == first
    assert "version 1 was trained on exactly these rows; it is reused" in capfd.readouterr().err
    sample.execute("UPDATE requests SET label = true_label")
    assert _train(sample)["version"] == 2
    assert _train(sample, ", seed := 1")["version"] == 3
    assert [record.version for record in models.records()] == [1, 2, 3]


def test_the_same_rows_under_another_name_are_not_trained_on_again(
    sample: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    _train(sample)
    call = "FROM fine_tune('other', requests, text, label)"
    sample.execute(call).fetchall()
    assert "support@1 was trained on exactly these rows; it is taken" in capfd.readouterr().err
    (other, support) = models.records()
    assert (other.name, other.version, other.fingerprint) == ("other", 1, support.fingerprint)
    assert models.load("other")[1] == models.load("support")[1]
    sample.execute("FROM drop_model('support')").fetchall()
    said = sample.execute("SELECT llm_classify(text, model := 'other') FROM requests LIMIT 9")
    assert None not in [label for (label,) in said.fetchall()]
    # One whose files were changed is taken for nothing.
    file = next(Path(home(), "models").glob("*/1/*.safetensors"))
    file.write_bytes(file.read_bytes() + b" ")
    sample.execute("FROM fine_tune('third', requests, text, label)").fetchall()
    assert "it is taken" not in capfd.readouterr().err
    assert models.load("third")[0].fingerprint == support.fingerprint


def test_better_labels_make_a_better_model(sample: duckdb.DuckDBPyConnection) -> None:
    from tests.conftest import ROOT

    sample.execute(f"CREATE TABLE test AS FROM '{ROOT}/data/support_requests_test.csv'")
    sample.execute("FROM fine_tune('given', requests, text, label)").fetchall()
    sample.execute("FROM fine_tune('true', requests, text, true_label)").fetchall()
    (difference, p_value) = sample.execute("""
        WITH predicted AS (
            SELECT label, llm_classify(text, model := 'given') AS given,
                llm_classify(text, model := 'true') AS better FROM test
        )
        SELECT difference, p_value FROM compare_models(predicted, label, given, better)
    """).fetchall()[0]
    assert difference > 0.03
    assert p_value < 0.05


def test_rows_that_cannot_be_used_are_left_out_and_said(
    sample: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    sample.execute("UPDATE requests SET label = NULL WHERE id <= 3")
    sample.execute("UPDATE requests SET text = '' WHERE id = 9")
    assert _train(sample)["rows"] == 1496
    said = capfd.readouterr().err
    assert "left out of training: the label is NULL (3 rows), the text is empty (1 row)" in said


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("fine_tune('a@b', requests, text, label)", "leave out '@'"),
        ("fine_tune('', requests, text, label)", "1 to 100 characters"),
        ("fine_tune(NULL, requests, text, label)", "cannot name a model"),
        ("fine_tune('m', requests, text, label, base := 'gpt')", "It may be 'fast'"),
        ("fine_tune('m', requests, text, 'label')", "a constant text, not a column"),
        ("fine_tune('m', requests, text, 1)", "two classes or more"),
        ("fine_tune('m', requests, text, label, folds := 1)", "2 or more"),
        ("fine_tune('m', requests, id, label)", "is of type BIGINT"),
        (
            "fine_tune('m', requests, MAP {'a': 1.0}, label)",
            "cannot train on a map of probabilities",
        ),
        ("fine_tune('m', none, text, label)", "the table has no rows"),
        ("fine_tune('m', blank, text, label)", "no row can be trained on"),
    ],
)
def test_mistakes_fail_before_anything_is_kept(
    sample: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    sample.execute("CREATE TABLE none AS FROM requests LIMIT 0")
    sample.execute("CREATE TABLE blank AS SELECT '' AS text, label FROM requests")
    with pytest.raises(duckdb.InvalidInputException, match=message):
        sample.execute(f"FROM {call}")
    assert models.records() == []


def test_three_rows_are_enough_to_train(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE few AS FROM (VALUES ('yes please', 1), ('no', 2), ('yes', 1)) v(t, l)"
    )
    con.execute("FROM fine_tune('few', few, t, l)").fetchall()
    assert con.execute("SELECT llm_classify('yes please', model := 'few')").fetchall() == [("1",)]


def test_embeddings_train_a_model_for_embeddings(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE points AS SELECT [i % 2, random() / 9, 1]::FLOAT[] AS e,
            'c' || (i % 2) AS label FROM range(100) r(i)
    """)
    con.execute("FROM fine_tune('points', points, e, label)").fetchall()
    classified = con.execute("""
        SELECT llm_classify([1, 0, 1]::FLOAT[], model := 'points'),
            llm_classify([0, 0, 1]::FLOAT[3], model := 'points')
    """)
    assert classified.fetchall() == [("c1", "c0")]
    with pytest.raises(duckdb.InvalidInputException, match="trained on embeddings"):
        con.execute("SELECT llm_classify('text', model := 'points')").fetchall()
    with pytest.raises(duckdb.InvalidInputException, match="3 dimensions; these have 2"):
        con.execute("SELECT llm_classify([1, 2]::FLOAT[], model := 'points')").fetchall()


def test_classes_may_count_the_same(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("""
        CREATE TABLE rare AS SELECT text, label FROM requests
        WHERE label = 'delivery' OR (label = 'account' AND id % 8 = 0)
    """)
    found = []
    for more in ("", ", balanced := true"):
        sample.execute(f"FROM fine_tune('m', rare, text, label{more})").fetchall()
        query = "SELECT count(*) FROM rare WHERE llm_classify(text, model := 'm') = 'account'"
        found.append(sample.execute(query).fetchall()[0][0])
    assert found[1] > found[0]


def test_a_key_for_a_label_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'number ' || i AS text, i AS id FROM range(30) r(i)")
    with pytest.raises(duckdb.Error, match="30 different values: is it the right column"):
        con.execute("FROM fine_tune('keys', t, text, id)").fetchall()
    assert con.execute("SELECT count(*) FROM models()").fetchall() == [(0,)]


def test_a_home_that_cannot_be_written_to_is_an_error_before_the_training(
    sample: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "file"))
    with pytest.raises(duckdb.Error, match=r"CannotKeep: .*SQLFUNCS_HOME to a folder"):
        _train(sample)
