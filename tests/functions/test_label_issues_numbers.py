"""Labels that are numbers, from finding the wrong ones to evaluating the corrected table."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from cleanlab.regression.rank import get_label_quality_scores
from sklearn.datasets import load_diabetes
from sklearn.metrics import average_precision_score

FIELDS = "{bmi: bmi, bp: bp, s1: s1, s2: s2, s3: s3, s4: s4, s5: s5, s6: s6, age: age, sex: sex}"


@pytest.fixture
def patients(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 442 patients, `y` ten times too large or small in a tenth of the rows."""
    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": "true"})
    random = np.random.default_rng(0)
    wrong = random.random(len(frame)) < 0.1
    slip = np.where(wrong, random.choice([0.1, 10], len(frame)), 1)
    frame = frame.assign(id=range(len(frame)), y=frame.true * slip, wrong=wrong)
    con.register("frame", frame)
    con.execute("CREATE TABLE t AS FROM frame")
    con.unregister("frame")
    return con


def _found(con: duckdb.DuckDBPyConnection, call: str) -> pd.DataFrame:
    return con.execute(f"SELECT * FROM {call} ORDER BY id").df()


def test_slips_are_found_and_mended(patients: duckdb.DuckDBPyConnection) -> None:
    found = _found(patients, f"label_issues(t, {FIELDS}, y)")
    assert average_precision_score(found.wrong, -found.label_quality) > 0.85
    flagged = found[found.is_label_issue]
    assert len(flagged) > 15 and flagged.wrong.mean() > 0.9
    gone = (flagged.y - flagged.true).abs().mean() - (
        flagged.suggested_label - flagged.true
    ).abs().mean()
    assert gone > 100
    inside = found.y.between(found.label_low, found.label_high)
    assert (inside == ~found.is_label_issue).all()
    assert found.suggested_label.notna().equals(found.is_label_issue)
    assert (found.suggested_confidence.dropna() > 0.5).all()


@pytest.mark.parametrize("type_", ["FLOAT", "DOUBLE", "DECIMAL(12, 1)"])
def test_what_is_added_is_of_the_labels_type(
    patients: duckdb.DuckDBPyConnection, type_: str
) -> None:
    patients.execute(f"CREATE TABLE typed AS SELECT * REPLACE (y::{type_} AS y) FROM t")
    described = patients.execute(f"DESCRIBE FROM label_issues(typed, {FIELDS}, y)").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    kind = type_.replace(", ", ",")
    assert kinds["suggested_label"] == kinds["predicted_label"] == kind
    assert kinds["label_low"] == kinds["label_high"] == "DOUBLE"
    assert list(kinds)[-3:] == ["label_low", "label_high", "not_judged"]


@pytest.mark.parametrize("function", ["label_issues", "audit"])
def test_only_numbers_have_an_interval(patients: duckdb.DuckDBPyConnection, function: str) -> None:
    patients.execute("CREATE TABLE c AS SELECT *, 1 AS label_low, (y > 100) AS is_high FROM t")
    patients.execute("CREATE VIEW v AS SELECT * EXCLUDE label_low FROM c")
    named = f"SELECT * FROM {function}(c, {FIELDS}, is_high)"
    columns = [column for column, *_ in patients.execute(f"DESCRIBE {named}").fetchall()]
    assert columns.count("label_low") == 1 and "label_high" not in columns
    with pytest.raises(duckdb.Error, match='already has the column "label_low"'):
        patients.execute(f"FROM {function}(c, {FIELDS}, y)").fetchall()
    columns = [
        c for c, *_ in patients.execute(f"DESCRIBE FROM {function}(v, {FIELDS}, y)").fetchall()
    ]
    at = columns.index("class_probs")
    assert columns[at + 1 : at + 3] == ["label_low", "label_high"]


def test_whole_numbers_are_numbers_where_the_task_says_so(
    patients: duckdb.DuckDBPyConnection,
) -> None:
    patients.execute("CREATE TABLE w AS SELECT * REPLACE (round(y)::INTEGER AS y) FROM t")
    found = _found(patients, f"label_issues(w, {FIELDS}, y, task := 'regression')")
    assert average_precision_score(found.wrong, -found.label_quality) > 0.85
    assert pd.api.types.is_integer_dtype(found.predicted_label.dtype)


def test_few_different_numbers_are_classes_and_that_is_said(
    patients: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    patients.execute("CREATE TABLE few AS SELECT * REPLACE ((y > 100)::DOUBLE AS y) FROM t")
    found = _found(patients, f"label_issues(few, {FIELDS}, y)")
    assert found.class_probs.notna().all() and found.label_low.isna().all()
    (said,) = [remark for remark in heard if "task :=" in remark]
    assert "y holds numbers" not in said and "2 different ones" in said
    found = _found(patients, f"label_issues(few, {FIELDS}, y, task := 'regression')")
    assert found.class_probs.isna().all() and found.label_low.notna().all()


def test_order_and_threads_do_not_change_a_bit(patients: duckdb.DuckDBPyConnection) -> None:
    patients.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(id)")
    call = "SELECT * FROM label_issues({}, {{bmi: bmi, bp: bp}}, y) ORDER BY id"
    expected = patients.execute(call.format("t")).fetchall()
    assert patients.execute(call.format("shuffled")).fetchall() == expected
    patients.execute("SET threads = 1")
    assert patients.execute(call.format("t")).fetchall() == expected


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_own_predictions_are_cleanlabs(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": range(300), "y": random.normal(size=300) * 10.0 ** random.integers(-2, 3)}
    )
    frame["p"] = frame.y + random.standard_t(2, 300)
    con.register("frame", frame)
    con.execute("CREATE TABLE own AS FROM frame")
    found = _found(con, "label_issues(own, p, y, method := 'residual')")
    its = get_label_quality_scores(frame.y.to_numpy(), frame.p.to_numpy(), method="residual")
    assert np.abs(found.label_quality - its).max() < 1e-9
    assert np.abs(found.predicted_label - frame.p).max() < 1e-9


def test_own_predictions_with_their_spread(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE own AS
        SELECT i AS id, 10.0::DOUBLE + i / 7 AS mean, if(i % 2 = 0, 1, 10)::DOUBLE AS sd,
            mean + sd * ((hash(i) % 1000) / 500 - 1) + if(i < 2, 15, 0) AS y FROM range(300) r(i)
    """)
    found = _found(con, "label_issues(own, {mean: mean, sd: sd}, y)")
    assert found.is_label_issue[0] and found.label_quality[0] < 0.01 < found.label_quality[1]
    width = found.label_high - found.label_low
    assert width[1] == pytest.approx(10 * width[0])


def test_odd_numbers_are_left_out_or_endured(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE odd AS
        SELECT i AS id, [sin(i), cos(i), i % 5]::FLOAT[] AS x, CASE i
            WHEN 0 THEN NULL WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 'inf'::DOUBLE WHEN 3 THEN 1e300
            WHEN 4 THEN -1e300 ELSE 100 * sin(i) + hash(i) % 100 / 50 END AS y
        FROM range(200) r(i)
    """)
    found = _found(con, "label_issues(odd, x, y)")
    assert found.not_judged[:3].tolist() == [
        "the label is NULL",
        "the label is NaN",
        "the label is infinite, or as good as that",
    ]
    assert found.suggested_label[:3].notna().all() and found.label_quality[:3].isna().all()
    assert found.is_label_issue[3:5].all() and found.is_label_issue[5:].sum() <= 5
    error = (found.predicted_label[5:] - found.y[5:]).abs()
    assert error.median() < 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("label_issues(t, [bmi], y, task := 'prices')", "'multilabel', 'regression', 'class"),
        (
            "label_issues(t, [bmi], y, cut := 'both')",
            "cut := 'both' is for classes; of these labels (regression) it may be 'auto'",
        ),
        ("label_issues(t, [bmi], y, method := 'normalized_margin')", "'auto' or 'residual'"),
        ("label_issues(t, [bmi], y, judge := 'j')", "these labels are none (regression)"),
        ("label_issues(t, [bmi], y, votes := [y])", "votes name classes"),
        ("label_issues(t, [bmi], y, annotator := sex)", "annotators have habits with classes"),
        ("label_issues(t, [bmi], y, false_flags := 0.1)", "takes what people decided"),
        ("label_issues(t, [bmi], 0 * y, task := 'regression')", "has the number 0: it takes two"),
        ("label_issues(t, MAP {'a': 0.5, 'b': 0.5}, y)", "which are about classes, and the labels"),
        ("label_issues(t, [bmi], 'a' || id, task := 'regression')", "no numbers, but 'a0', 'a1'"),
        ("label_issues(t, NULL::DOUBLE, y)", "the prediction is NULL"),
        ("class_report(t, y, true)", "labels of this kind (regression) have none"),
    ],
)
def test_what_cannot_be_had_is_said(
    patients: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    with pytest.raises(duckdb.Error) as error:
        patients.execute(f"FROM {call}").fetchall()
    assert message in str(error.value)


@pytest.fixture
def houses(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 1,500 houses, of which one in ten has another one's price."""
    random = np.random.default_rng(0)
    rooms, age = random.integers(1, 9, 1500), random.uniform(0, 80, 1500)
    true = (40 * rooms - age + random.normal(scale=10, size=1500)).round(1)
    wrong = random.random(1500) < 0.1
    y = np.where(wrong, random.permutation(true), true)
    frame = pd.DataFrame(
        {"id": range(1500), "rooms": rooms, "age": age, "y": y, "true": true, "wrong": wrong}
    )
    con.register("frame", frame)
    con.execute("CREATE TABLE t AS FROM frame")
    con.unregister("frame")
    return con


def test_corrections_take_a_reviewed_sample_and_then_do_good(
    houses: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    x = "{rooms: rooms, age: age}"
    houses.execute(f"CREATE TABLE issues AS FROM label_issues(t, {x}, y)")
    assert houses.execute("FROM auto_corrections(issues, id, y)").fetchall() == []
    assert "only people who look" in heard[-1]
    houses.execute(f"""
        CREATE TABLE log AS
        SELECT id::VARCHAR AS key, if(wrong, 'relabel', 'keep') AS action,
            y::VARCHAR AS old_label, if(wrong, "true", NULL)::VARCHAR AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
        FROM review_queue(t, {x}, y, id, purpose := 'verify', budget := 40)
    """)
    houses.execute("CREATE TABLE made AS FROM auto_corrections(issues, id, y, log := log)")
    made = houses.execute("FROM made").df()
    assert len(made) > 50 and made.reason.str.contains("is nearer to the truth").all()
    houses.execute("CREATE TABLE corrected AS FROM apply_corrections(t, made, id, y)")
    ((before,), (after,)) = houses.execute("""
        SELECT mae FROM evaluate(t, "true", y)
        UNION ALL SELECT mae FROM evaluate(corrected, "true", y)
    """).fetchall()
    assert after < 0.7 * before
    ((better, p_value),) = houses.execute("""
        WITH mended AS (SELECT t."true", t.y, c.y AS new FROM t JOIN corrected AS c USING (id))
        SELECT difference, p_value FROM compare_models(mended, "true", y, new)
    """).fetchall()
    assert better < 0 and p_value < 0.05
    assert len(houses.execute("FROM corrections_diff(t, made, id, y)").fetchall()) == len(made)
    ((judged, can_judge),) = houses.execute(
        "SELECT judged, can_judge FROM model_strength(issues, y)"
    ).fetchall()
    assert (judged, can_judge) == (1500, False)


def test_a_log_teaches_and_says_how_many_are_wrong(
    patients: duckdb.DuckDBPyConnection,
) -> None:
    patients.execute("""
        CREATE TABLE log AS
        SELECT id::VARCHAR AS key, if(wrong, 'relabel', 'keep') AS action,
            y::VARCHAR AS old_label, if(wrong, "true", NULL)::VARCHAR AS new_label,
            'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
        FROM t ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 100
    """)
    (plain, told) = (
        patients.execute(f"FROM label_health(t, {FIELDS}, y{more})").df()
        for more in ("", ", key := id, log := log")
    )
    assert len(plain) == 1 and plain.label.isna().all() and plain.rows[0] == 442
    assert plain.error_rate_low.isna().all() and 0.02 < plain.error_rate[0] < 0.2
    assert told.error_rate_low[0] < told.error_rate[0] < told.error_rate_high[0]
    assert "of 100 rows" in told.explanation[0]
    strict = _found(
        patients, f"label_issues(t, {FIELDS}, y, key := id, log := log, false_flags := 0.1)"
    )
    assert strict.is_label_issue.sum() > 15 and strict.wrong[strict.is_label_issue].mean() > 0.8
    queue = patients.execute(
        f"FROM review_queue(t, {FIELDS}, y, id, log := log, budget := 20)"
    ).df()
    decided = {int(key) for (key,) in patients.execute("SELECT key FROM log").fetchall()}
    assert queue.review_rank.tolist() == list(range(1, 21)) and not decided & set(queue.id)
    assert queue.wrong[:15].mean() > 0.8 and queue.label_low.notna().all()
