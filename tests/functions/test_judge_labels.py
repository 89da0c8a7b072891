"""judge_labels: rows that come later, judged by what label_issues has kept."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.functions.test_label_issues import OWN

BLOBS = """CREATE TABLE t AS
    SELECT i AS id, i % 3 AS true_label, if(i % 10 = 0, (i + 1) % 3, i % 3) AS label,
        [sin(i * 12.9898 + d) + if(i % 3 = d % 3, 2, 0) FOR d IN range(9)]::FLOAT[] AS x
    FROM range(900) r(i)"""
NAMES = ", ".join(OWN)


@pytest.fixture
def blobs(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute(BLOBS)
    con.execute("CREATE TABLE i AS FROM label_issues(t, x, label, judge := 'mine')")
    return con


def test_rows_of_the_table_are_judged_as_they_were(blobs: duckdb.DuckDBPyConnection) -> None:
    blobs.execute("""CREATE TABLE j AS
        SELECT id, unnest(judge_labels(x, label, judge := 'mine')) FROM t ORDER BY hash(id)""")
    described = blobs.execute(f"SELECT {NAMES} FROM j").description or []
    of_issues = blobs.execute(f"SELECT {NAMES} FROM i").description or []
    assert [column[:2] for column in described] == [column[:2] for column in of_issues]
    rows = blobs.execute("""SELECT count(*), count(*) FILTER (i.is_label_issue),
            count(*) FILTER (i.is_label_issue IS DISTINCT FROM j.is_label_issue
                OR i.suggested_label IS DISTINCT FROM j.suggested_label
                OR i.predicted_label IS DISTINCT FROM j.predicted_label
                OR i.not_judged IS DISTINCT FROM j.not_judged),
            max(abs(i.label_quality - j.label_quality)) < 1e-9,
            max(abs(i.suggested_confidence - j.suggested_confidence)) < 1e-9
        FROM i JOIN j USING (id)""").fetchall()
    assert rows[0][0] == 900
    assert rows[0][1] > 50
    assert rows[0][2:] == (0, True, True)


def test_rows_that_it_has_not_seen(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(BLOBS)
    con.execute("CREATE VIEW learned AS FROM t WHERE id < 600")
    con.execute("CREATE TABLE all_rows AS FROM label_issues(t, x, label)")
    con.execute("FROM label_issues(learned, x, label, judge := 'mine')")
    alike, wrong, found = (
        con.execute("""SELECT avg((i.is_label_issue = j.is_label_issue)::INT),
            count(*) FILTER (i.label != true_label),
            count(*) FILTER (i.label != true_label AND j.is_label_issue)
        FROM (SELECT id, judge_labels(x, label, judge := 'mine') AS j
              FROM t WHERE id >= 600) JOIN all_rows AS i USING (id)""").fetchone()
        or ()
    )
    assert alike > 0.97
    assert found > 0.8 * wrong > 0


def test_no_row_is_judged_by_a_head_that_saw_it(con: duckdb.DuckDBPyConnection) -> None:
    # More numbers than rows: heads learn every label by heart, and know nothing of the others.
    rng = np.random.default_rng(0)
    con.execute("CREATE TABLE t (label INTEGER, x FLOAT[])")
    values = rng.normal(size=(400, 600)).astype(np.float32).tolist()
    con.executemany("INSERT INTO t VALUES (?, ?)", [(n % 2, x) for n, x in enumerate(values)])
    con.execute("FROM label_issues(t, x, label, judge := 'mine')")
    agreements = con.execute(
        """SELECT avg((judge_labels(x, label, judge := 'mine').predicted_label = label)::INT)
        FROM t"""
    ).fetchall()
    agreement = agreements[0][0]
    assert 0.4 < agreement < 0.6


@pytest.mark.parametrize(
    ("labels", "of_type"),
    [
        ("label", "INTEGER"),
        ("label::DOUBLE", "DOUBLE"),
        ("(label = 1)", "BOOLEAN"),
        ("DATE '2024-01-01' + label::INTEGER", "DATE"),
        ("['a', 'b', 'it''s'][label + 1]", "VARCHAR"),
        ("['a', 'b', 'it''s'][label + 1]::ENUM ('it''s', 'b', 'a')", "ENUM('it''s', 'b', 'a')"),
    ],
)
def test_suggestions_are_of_the_type_of_the_labels(
    con: duckdb.DuckDBPyConnection, labels: str, of_type: str
) -> None:
    con.execute(BLOBS)
    con.execute(f"CREATE TABLE typed AS SELECT id, x, {labels} AS label FROM t")
    con.execute("CREATE TABLE i AS FROM label_issues(typed, x, label, judge := 'mine')")
    differ, types, some = (
        con.execute("""SELECT count(*) FILTER (
            i.suggested_label IS DISTINCT FROM j.suggested_label
            OR i.is_label_issue != j.is_label_issue), any_value(typeof(j.suggested_label)),
            count(j.suggested_label)
        FROM (SELECT *, judge_labels(x, label, judge := 'mine') AS j FROM i) AS i""").fetchone()
        or ()
    )
    assert differ == 0
    assert some > 50
    assert types == of_type if of_type != "INTEGER" else types in ("INTEGER", "BIGINT")


def test_labels_spelt_in_another_way(blobs: duckdb.DuckDBPyConnection) -> None:
    whole, text, double = (
        blobs.execute("""SELECT
            list(judge_labels(x, label, judge := 'mine').label_quality ORDER BY id),
            list(judge_labels(x, label::VARCHAR, judge := 'mine').label_quality ORDER BY id),
            list(judge_labels(x, label::DOUBLE, judge := 'mine').label_quality ORDER BY id)
        FROM t""").fetchone()
        or ()
    )
    assert whole == text == double
    assert None not in whole


def test_rows_that_cannot_be_judged_say_why(blobs: duckdb.DuckDBPyConnection) -> None:
    def judged(x: str, label: str) -> dict[str, object]:
        (row,) = (
            blobs.execute(
                f"SELECT judge_labels({x}, {label}, judge := 'mine') FROM t WHERE id = 1"
            ).fetchone()
            or ()
        )
        return dict(row)

    none = judged("x", "NULL::INTEGER")
    assert none["not_judged"] == "the label is NULL"
    assert none["is_label_issue"] is False
    assert none["label_quality"] is None
    assert none["suggested_label"] == none["predicted_label"] == 1  # a label is suggested for it
    unknown = judged("x", "7")
    assert unknown["not_judged"] == "the judge has not learned the label '7'"
    assert {unknown[name] for name in OWN[:-2]} == {None}
    assert judged("NULL::FLOAT[]", "1")["not_judged"] == "the embedding is NULL"
    assert judged("[]::FLOAT[]", "1")["not_judged"] == "the embedding is empty"
    assert judged("list_resize([0.0], 9, 0)::FLOAT[]", "1")["not_judged"] == (
        "the embedding is all zeros"
    )
    assert (
        blobs.execute(
            "SELECT judge_labels(x, label, judge := 'mine') FROM t WHERE id < 0"
        ).fetchall()
        == []
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("judge_labels(x, label)", "takes the name of a judge"),
        (
            "judge_labels(x, label, judge := 'other')",
            "there is no judge 'other'.*There are: mine.*label_issues",
        ),
        ("judge_labels(x, label, judge := 'mine@7')", "no version 7 of 'mine'. It has: 1"),
        (
            "judge_labels('a text', label, judge := 'mine')",
            "learned from rows that are embedding; it cannot read text",
        ),
        ("judge_labels([1, 2]::FLOAT[], label, judge := 'mine')", "of 9 dimensions.*have 2"),
        ("judge_labels({a: 1}, label, judge := 'mine')", "cannot read the fields of a STRUCT"),
        ("judge_labels(MAP {'1': 0.5}, label, judge := 'mine')", "cannot read"),
        ("judge_labels(x, [label], judge := 'mine')", "label"),
        ("judge_labels(x, label, judge := 'mine' || id)", "has to be the same for every row"),
        ("judge_labels(x, label, judge := 7)", "has to be text"),
    ],
)
def test_bad_calls(blobs: duckdb.DuckDBPyConnection, call: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        blobs.execute(f"SELECT {call} FROM t").fetchall()


@pytest.mark.parametrize(
    ("x", "more", "message"),
    [
        ("x", "judge := ''", "cannot name a model"),
        ("x", "judge := 'a@1'", "leave out '@'"),
        ("x", "judge := 7", "has to be text"),
        ("x", "judge := 'other', cut := 'both'", "compares the rows of a table with each other"),
        ("x", "judge := 'other', votes := [said]", "votes are learned beside them"),
        ("{a: x[1], b: x[2]}", "judge := 'other'", "texts or embeddings; x is the fields"),
        ("MAP {0: 0.4, 1: 0.3, 2: 0.3}", "judge := 'other'", "x is class probabilities"),
        ("x", "judge := 'other', key := id, log := decided", "apply the decisions first"),
    ],
)
def test_a_judge_that_cannot_be_kept(
    blobs: duckdb.DuckDBPyConnection, x: str, more: str, message: str
) -> None:
    blobs.execute("ALTER TABLE t ADD COLUMN said INTEGER")
    blobs.execute("UPDATE t SET said = if(id % 7 = 0, 0, true_label)")
    blobs.execute("""CREATE TABLE decided AS SELECT '1' AS key, 'keep' AS action,
        '1' AS old_label, NULL AS new_label, 'ann' AS decided_by, now()::TIMESTAMP AS decided_at""")
    with pytest.raises(duckdb.Error, match=message):
        blobs.execute(f"FROM label_issues(t, {x}, label, {more})").fetchall()
    assert blobs.execute("SELECT list(model) FROM models()").fetchall() == [(["mine"],)]


def test_the_same_again_is_no_new_version(blobs: duckdb.DuckDBPyConnection) -> None:
    blobs.execute("FROM label_issues(t, x, label, judge := 'mine')")
    blobs.execute("FROM label_issues(t, x, label, judge := 'mine', seed := 1)")
    assert blobs.execute(
        "SELECT version, base, input, rows, classes, cv_accuracy > 0.8 FROM models()"
    ).fetchall() == [
        (version, "judge of fast", "embedding", 900, ["0", "1", "2"], True) for version in (1, 2)
    ]
    first, second = (
        blobs.execute("""SELECT
            list(judge_labels(x, label, judge := 'mine@1').label_quality ORDER BY id),
            list(judge_labels(x, label, judge := 'mine').label_quality ORDER BY id)
        FROM t""").fetchone()
        or ()
    )
    assert first != second
    blobs.execute("FROM drop_model('mine')")
    with pytest.raises(duckdb.Error, match="None has been kept yet"):
        blobs.execute("SELECT judge_labels(x, label, judge := 'mine') FROM t")


def test_a_judge_classifies_too(blobs: duckdb.DuckDBPyConnection) -> None:
    differ, count = (
        blobs.execute("""SELECT count(*) FILTER (
            llm_classify(x, model := 'mine') IS DISTINCT FROM predicted_label::VARCHAR), count(*)
        FROM i""").fetchone()
        or ()
    )
    assert (differ, count) == (0, 900)


def test_a_model_is_no_judge(blobs: duckdb.DuckDBPyConnection) -> None:
    blobs.execute("FROM fine_tune('plain', t, x, label)")
    with pytest.raises(duckdb.Error, match="'plain' is a model that fine_tune has trained"):
        blobs.execute("SELECT judge_labels(x, label, judge := 'plain') FROM t")
    with pytest.raises(duckdb.Error, match="embeddings"):  # read by no encoder, whatever its name
        blobs.execute("FROM label_issues(t, x, label, model := 'nothing')")


def test_a_judge_by_name_is_learned_anew_where_it_is_a_model(
    blobs: duckdb.DuckDBPyConnection,
) -> None:
    again = blobs.execute(f"SELECT {NAMES} FROM label_issues(t, x, label, model := 'mine')")
    assert again.fetchall() == blobs.execute(f"SELECT {NAMES} FROM i").fetchall()


def test_one_that_is_damaged_is_refused(blobs: duckdb.DuckDBPyConnection, home: Path) -> None:
    # By its own fingerprint: another test's may be in memory.
    blobs.execute("FROM drop_model('mine')")
    blobs.execute("FROM label_issues(t, x, label, judge := 'mine', folds := 3)")
    (file,) = home.glob("models/*/1/judge.json")
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"noise_corrected", b"predicted_neq_g"))
    with pytest.raises(duckdb.Error, match="is not what was stored"):
        blobs.execute("SELECT judge_labels(x, label, judge := 'mine') FROM t")


@pytest.mark.parametrize("skill", [0, 2])
def test_texts(sample: duckdb.DuckDBPyConnection, skill: int) -> None:
    sample.execute("CREATE VIEW half AS FROM requests WHERE id % 2 = 0")
    label = "label" if skill else "(hash(text) % 3)::INTEGER"  # of nothing that can be learned
    sample.execute(f"""CREATE TABLE i AS
        FROM label_issues(half, text, {label}, judge := 'requests') WHERE true""")
    alike, flagged = (
        sample.execute(f"""SELECT avg((j.is_label_issue = i.is_label_issue)::INT),
            count(*) FILTER (j.is_label_issue)
        FROM i JOIN (SELECT id, judge_labels(text, {label}, judge := 'requests') AS j FROM half)
            USING (id)""").fetchone()
        or ()
    )
    assert alike > 0.97  # copies take no part
    assert flagged > 20
