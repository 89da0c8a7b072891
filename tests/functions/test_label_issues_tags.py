"""Labels that are several tags each, from the wrong ones to the corrected table."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from cleanlab.multilabel_classification import get_label_quality_scores
from sklearn.metrics import average_precision_score

from sqlfuncs.learning.encoders import encoders

TAGS = np.array(["blue", "dark", "old, but good", 'the "best"'])


@pytest.fixture
def items(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 1,200 items: a vector, the tags that it merits, and those it was given."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(1200, 8))
    true = vectors[:, :4] + random.normal(size=(1200, 4)) / 4 > [0.5, 1, 0, 1.5]
    dropped, added = random.random(true.shape) < 0.2, random.random(true.shape) < 0.04
    given = np.where(true, ~dropped, added)
    frame = pd.DataFrame(
        {
            "id": range(1200),
            "v": list(vectors.astype(np.float32)),
            "true": [TAGS[row].tolist() for row in true],
            "label": [TAGS[row].tolist() for row in given],
        }
    )
    con.register("frame", frame)
    con.execute(
        'CREATE TABLE t AS SELECT id, v, "true"::VARCHAR[] AS "true", label::VARCHAR[] AS label '
        "FROM frame"
    )
    con.unregister("frame")
    return con


def _found(con: duckdb.DuckDBPyConnection, call: str) -> pd.DataFrame:
    return con.execute(f"SELECT * FROM {call} ORDER BY id").df()


def _sets(column: pd.Series) -> list[set[str]]:
    return [set(each) for each in column]


def test_wrong_tags_are_found_and_named(items: duckdb.DuckDBPyConnection) -> None:
    found = _found(items, "label_issues(t, v, label)")
    wrong = [a != b for a, b in zip(_sets(found.label), _sets(found.true), strict=True)]
    assert average_precision_score(wrong, -found.label_quality) > 0.8
    of_tags = [
        (name in given, (name in given) != (name in true), row[name])
        for given, true, row in zip(found.label, found.true, found.tag_qualities, strict=True)
        for name in TAGS
    ]
    assert average_precision_score([w for _, w, _ in of_tags], [-q for *_, q in of_tags]) > 0.7
    flagged = found[found.is_label_issue]
    assert len(flagged) > 100
    right = [
        a == b for a, b in zip(_sets(flagged.suggested_label), _sets(flagged.true), strict=True)
    ]
    assert np.mean(right) > 0.75
    for row in flagged.to_dict(orient="records"):
        assert set(row["suggested_label"]) == (set(row["label"]) | set(row["missing_tags"])) - set(
            row["wrong_tags"]
        )
        assert not set(row["missing_tags"]) & set(row["label"]) and set(row["wrong_tags"]) <= set(
            row["label"]
        )
    others = found[~found.is_label_issue]
    assert others.suggested_label.isna().all()
    assert all(len(each) == 0 for each in [*others.missing_tags, *others.wrong_tags])


def test_columns_and_their_types(items: duckdb.DuckDBPyConnection) -> None:
    described = items.execute("DESCRIBE FROM label_issues(t, v, label)").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    assert list(kinds)[-4:] == ["tag_qualities", "missing_tags", "wrong_tags", "not_judged"]
    assert kinds["suggested_label"] == kinds["predicted_label"] == "VARCHAR[]"
    assert kinds["missing_tags"] == kinds["wrong_tags"] == "VARCHAR[]"
    assert kinds["tag_qualities"] == "MAP(VARCHAR, DOUBLE)"
    audited = [name for name, *_ in items.execute("DESCRIBE FROM audit(t, v, label)").fetchall()]
    assert {"tag_qualities", "missing_tags", "wrong_tags"} <= {*audited}
    of_one = [n for n, *_ in items.execute("DESCRIBE FROM label_issues(t, v, label[1])").fetchall()]
    assert not {"tag_qualities", "missing_tags", "label_low"} & set(of_one)


def test_order_and_threads_do_not_change_a_bit(items: duckdb.DuckDBPyConnection) -> None:
    items.execute(
        "CREATE TABLE shuffled AS SELECT * REPLACE (list_reverse(label) AS label) FROM t "
        "ORDER BY hash(id)"
    )
    call = "SELECT * EXCLUDE (label) FROM label_issues({}, v, label) ORDER BY id"
    expected = items.execute(call.format("t")).fetchall()
    assert items.execute(call.format("shuffled")).fetchall() == expected
    items.execute("SET threads = 1")
    assert items.execute(call.format("t")).fetchall() == expected


def test_scores_of_own_probabilities_are_cleanlabs(con: duckdb.DuckDBPyConnection) -> None:
    random = np.random.default_rng(0)
    probs, given = random.random((300, 4)), random.random((300, 4)) < 0.4
    frame = pd.DataFrame(
        {"id": range(300), "p": list(probs), "label": [TAGS[g].tolist() for g in given]}
    )
    con.register("frame", frame)
    con.execute(
        "CREATE TABLE own AS SELECT id, label::VARCHAR[] AS label, MAP($1::VARCHAR[], p) AS p "
        "FROM frame",
        [TAGS.tolist()],
    )
    found = _found(con, "label_issues(own, p, label, method := 'self_confidence')")
    its = get_label_quality_scores([np.flatnonzero(row).tolist() for row in given], probs)
    assert np.abs(found.label_quality - its).max() < 1e-9
    assert all(
        row == pytest.approx(dict(zip(TAGS, p, strict=True)))
        for row, p in zip(found.class_probs, probs, strict=True)
    )


@pytest.mark.parametrize(
    ("label", "why"),
    [
        ("NULL::VARCHAR[]", "the label is NULL"),
        ("['blue', NULL]", "the list of tags holds NULL"),
        ("['blue', '']", "the list of tags holds a blank one"),
        ("['blue', 'blue']", None),
        ("[]::VARCHAR[]", None),
        ("['only here']", None),
    ],
)
def test_odd_labels(
    items: duckdb.DuckDBPyConnection, heard: list[str], label: str, why: str | None
) -> None:
    items.execute(
        f"CREATE TABLE odd AS SELECT * REPLACE (if(id = 7, {label}, label) AS label) FROM t"
    )
    row = _found(items, "label_issues(odd, v, label)").iloc[7]
    assert row.not_judged == why or (why is None and row.not_judged is None)
    assert row.predicted_label is not None and (
        why is None or list(row["suggested_label"]) is not None
    )
    said = " ".join(heard)
    assert ("names a tag twice" in said or "name a tag twice" in said) == (
        "'blue', 'blue'" in label
    )
    assert ("are not judged: 'only here'" in said) == ("only here" in label)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("label_issues(t, v, []::VARCHAR[])", "no row has a tag in label"),
        ("label_issues(t, v, [id::VARCHAR])", "1,200 different values"),
        ("label_issues(t, v, if(id = 0, ['a'], []))", "no tag can be learned"),
        ("label_issues(t, v, [id])", "label is a list (BIGINT[])"),
        ("label_issues(t, v, label[1], task := 'multilabel')", "label holds no lists of text"),
        ("label_issues(t, v, label, task := 'regression')", "label holds no numbers"),
        (
            "label_issues(t, v, label, cut := 'both')",
            "is for classes; of these labels (multilabel) it may be",
        ),
        ("label_issues(t, v, label, method := 'normalized_margin')", "'auto' or 'self_confid"),
        ("label_issues(t, v, label, judge := 'j')", "is about classes; these labels are none"),
        ("label_issues(t, v, label, votes := [label])", "votes name classes"),
        (
            "label_issues(t, v, label, false_flags := 0.1)",
            "is about classes; these labels are none",
        ),
        ("label_issues(t, MAP {'blue': 2.0}, ['blue'])", "a probability is below 0 or above 1"),
        ("label_issues(t, MAP {'blue': 0.5}, ['dark'])", "the probabilities have no tag 'dark'"),
        ("evaluate(t, label, 'blue')", "predicted does not: name a column of lists"),
    ],
)
def test_what_cannot_be_had_is_said(
    items: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    with pytest.raises(duckdb.Error) as error:
        items.execute(f"FROM {call}").fetchall()
    assert message in str(error.value)


def _log(con: duckdb.DuckDBPyConnection, of: str, budget: int, type_: str) -> None:
    con.execute(f"""
        CREATE OR REPLACE TABLE log AS
        SELECT id AS key, if(label = "true", 'keep', 'relabel') AS action,
            label::{type_} AS old_label, "true"::{type_} AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
        FROM {of} LIMIT {budget}
    """)


@pytest.mark.parametrize("type_", ["VARCHAR[]", "VARCHAR"])
def test_corrections_take_a_reviewed_sample_and_then_do_good(
    items: duckdb.DuckDBPyConnection, heard: list[str], type_: str
) -> None:
    items.execute("CREATE TABLE issues AS FROM label_issues(t, v, label)")
    assert items.execute("FROM auto_corrections(issues, id, label)").fetchall() == []
    assert "people who look at some of them" in heard[-1]
    queue = "review_queue(t, v, label, id, purpose := 'verify', budget := 60)"
    _log(items, queue, 60, type_)
    items.execute("CREATE TABLE made AS FROM auto_corrections(issues, id, label, log := log)")
    made = items.execute("FROM made").df()
    assert len(made) > 50 and made.reason.str.contains("is nearer to the truth").all()
    items.execute("CREATE TABLE mended AS FROM apply_corrections(t, made, id, label)")
    ((before, f1), (after, better)) = items.execute("""
        SELECT accuracy, micro_f1 FROM evaluate(t, "true", label)
        UNION ALL SELECT accuracy, micro_f1 FROM evaluate(mended, "true", label)
    """).fetchall()
    assert after > before + 0.04 and better > f1
    assert len(items.execute("FROM corrections_diff(t, made, id, label)").fetchall()) == len(made)
    assert items.execute("SELECT can_judge FROM model_strength(issues, label)").fetchall() == [
        (False,)
    ]


@pytest.mark.parametrize("type_", ["VARCHAR[]", "VARCHAR"])
def test_a_log_teaches_and_empties_the_queue(items: duckdb.DuckDBPyConnection, type_: str) -> None:
    _log(items, "(SELECT * FROM t ORDER BY sqlfuncs.main._sf_random_order(id))", 300, type_)
    queue = items.execute("FROM review_queue(t, v, label, id, log := log, budget := 40)").df()
    decided = {key for (key,) in items.execute("SELECT key FROM log").fetchall()}
    assert queue.review_rank.tolist() == list(range(1, 41)) and not decided & set(queue.id)
    wrong = [a != b for a, b in zip(_sets(queue.label), _sets(queue.true), strict=True)]
    assert np.mean(wrong[:20]) > 0.8
    assert {"missing_tags", "wrong_tags"} <= set(queue.columns)
    told = _found(items, "label_issues(t, v, label, key := id, log := log)")
    plain = _found(items, "label_issues(t, v, label)")
    assert (told.label_quality != plain.label_quality).any()
    corrected = items.execute("FROM apply_corrections(t, log, id, label) ORDER BY id").df()
    for row in corrected.to_dict(orient="records"):
        if row["id"] in decided:
            assert set(row["label"]) == set(row["true"])
    with pytest.raises(duckdb.Error, match="old_label is no longer the label"):
        items.execute(
            "UPDATE t SET label = ['dark', 'new'] WHERE id IN (SELECT key FROM log LIMIT 1)"
        )
        items.execute("FROM apply_corrections(t, log, id, label)").fetchall()


def test_health_has_a_row_for_each_tag(items: duckdb.DuckDBPyConnection) -> None:
    health = items.execute("FROM label_health(t, v, label)").df()
    assert [list(each) for each in health.label] == [[name] for name in sorted(TAGS)]
    counts = items.execute("SELECT count(*) FROM t WHERE list_contains(label, 'blue')").fetchall()
    assert health.rows[0] == counts[0][0]
    assert health.error_rate.between(0, 0.3).all() and (health.wrongly_elsewhere > 1).all()


def test_reports_and_comparisons(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE said AS FROM (VALUES
            (['a', 'b'], ['b', 'a'], ['a']), (['a'], ['a'], NULL), ([]::VARCHAR[], ['b'], []),
            (NULL, ['a'], ['a'])
        ) v(actual, one, other)
    """)
    report = con.execute("FROM class_report(said, actual, one)").fetchall()
    assert report == [("a", 1.0, 1.0, 1.0, 2), ("b", 0.5, 1.0, 2 / 3, 1)]
    ((n, before, after, only_before, only_after),) = con.execute("""
        SELECT n, accuracy_before, accuracy_after, only_before_right, only_after_right
        FROM compare_models(said, actual, one, other)
    """).fetchall()
    assert (n, before, after) == (3, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (only_before, only_after) == (2, 1)


_OF_TAG = {
    "delivery": ("parcel", "courier", "late"),
    "invoice": ("bill", "amount", "tax"),
    "broken": ("cracked", "dead", "scratched"),
    "refund": ("money", "back", "return"),
}


@pytest.mark.parametrize("seed", [0, 2])
def test_few_wrong_tags_on_few_rows_are_flagged_and_stand_first(
    con: duckdb.DuckDBPyConnection, seed: int
) -> None:
    """None is seen among the surest rows: what is usual elsewhere is what there is to go by."""
    random, names = np.random.default_rng(seed), np.array(list(_OF_TAG))
    true = random.random((300, 4)) < [0.3, 0.3, 0.2, 0.2]
    words = [
        [word for tag in names[row] for word in random.choice(_OF_TAG[tag], 2, replace=False)]
        for row in true
    ]
    given = true.copy()
    given.flat[random.choice(true.size, 14, replace=False)] ^= True
    con.execute("CREATE TABLE t (id INTEGER, text VARCHAR, label VARCHAR[])")
    for row in range(300):
        text = " ".join(["the order", *words[row]])
        con.execute("INSERT INTO t VALUES ($1, $2, $3)", [row, text, names[given[row]].tolist()])
    found = _found(con, "label_issues(t, text, label)")
    wrong = (given != true).any(axis=1)
    assert average_precision_score(wrong, -found.label_quality) > 0.99
    flagged = found.is_label_issue.to_numpy(dtype=bool)
    # Of 14 wrong tags those surely so: fewer where words are all that is read.
    assert flagged.sum() >= (12 if encoders.is_available() else 9) and wrong[flagged].all()


@pytest.fixture
def told(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """200 items with probabilities: 10 lack the tag a and merit it, and one has odd ones."""
    con.execute("""
        CREATE TABLE t AS
        SELECT id, if(id % 2 = 0 AND id >= 20, ['a'], ['b']) AS label,
            MAP {'a': if(id = 199, 1.5, if(id % 2 = 0, .97, .02)),
                'b': if(id < 20 OR id % 2 = 1, .97, .02)} AS probs
        FROM range(200) AS r(id)
    """)
    return con


def test_health_tells_what_has_a_tag_wrongly_from_what_lacks_it(
    told: duckdb.DuckDBPyConnection,
) -> None:
    found = told.execute("FROM label_health(t, probs, label)").fetchdf()
    of = {row["label"][0]: row for row in found.to_dict(orient="records")}
    assert of["a"]["wrongly_elsewhere"] == pytest.approx(10, abs=2)
    assert of["b"]["wrongly_elsewhere"] < 2
    assert of["a"]["error_rate"] < 0.02 and of["a"]["rows"] == 90


def test_nothing_is_said_of_a_row_with_odd_probabilities(told: duckdb.DuckDBPyConnection) -> None:
    found = _found(told, "label_issues(t, probs, label)").iloc[-1]
    assert found.not_judged == "a probability is below 0 or above 1"
    for name in ("is_label_issue", "predicted_label", "class_probs", "suggested_label"):
        assert pd.isna(found[name]), name


def test_what_people_named_of_rows_without_a_label_is_learned(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT id, [id % 3, id % 5]::FLOAT[2] AS v,
            if(id < 30, NULL, if(id % 3 = 0, ['a'], [])) AS label
        FROM range(90) AS r(id);
        CREATE TABLE log AS
        SELECT id::VARCHAR AS key, 'relabel' AS action, NULL::VARCHAR AS old_label,
            if(id % 5 = 0, ['so "new"', 'a'], ['a'])::VARCHAR AS new_label, 'ann' AS decided_by,
            NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
        FROM t WHERE id < 30;
    """)
    found = _found(con, "label_issues(t, v, label, key := id, log := log)")
    assert set(found.class_probs.iloc[50]) == {"a", 'so "new"'}


def test_what_nobody_looked_up_is_not_right_for_having_no_tag(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT id, ['a'] AS label, if(id % 4 = 0, ['a'], []) AS said,
            if(id % 4 = 0, ['a'], ['b']) AS other, if(id < 40, ['a'], NULL) AS seen
        FROM range(400) AS r(id)
    """)
    one, two = (
        con.execute(f"FROM evaluate_noisy(t, label, {name}, seen)").fetchall()
        for name in ("said", "other")
    )
    assert one == two
