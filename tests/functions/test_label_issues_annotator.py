"""label_issues(..., annotator := ...): each annotator's habits are part of the noise."""

from __future__ import annotations

import duckdb
import pytest
from sklearn.metrics import average_precision_score


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t`: of four annotators bob is careless in half of his rows."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, i % 3 AS truth,
            ['ann', 'bob', 'cy', 'di'][(hash(i + 1000003) % 4)::INTEGER + 1] AS who,
            CASE
                WHEN who = 'bob' AND hash(i + 2000003) % 2 = 0 THEN hash(i + 3000003) % 3
                WHEN hash(i + 4000003) % 40 = 0 THEN (truth + 1 + hash(i + 5000003) % 2) % 3
                ELSE truth
            END::INTEGER AS label,
            [
                if(truth = 0, 1, 0) + hash(i + 6000003) % 120 / 100,
                truth + hash(i + 7000003) % 150 / 100
            ]::FLOAT[] AS vec
        FROM range(2000) r(i)
    """)
    return con


def _precision(
    con: duckdb.DuckDBPyConnection, annotator: str, function: str = "label_issues"
) -> float:
    found = con.execute(f"FROM {function}(t, vec, label, annotator := {annotator})").df()
    return float(average_precision_score(found.label != found.truth, -found.label_quality))


def _issues(con: duckdb.DuckDBPyConnection, call: str) -> list[tuple[object, ...]]:
    return con.execute(f"FROM label_issues({call}) ORDER BY id").fetchall()


def test_who_gave_a_label_says_how_far_to_believe_it(t: duckdb.DuckDBPyConnection) -> None:
    alone, known = _precision(t, "NULL"), _precision(t, "who")
    assert known > alone + 0.002
    assert _precision(t, "who", "audit") == pytest.approx(known)
    quality = """SELECT avg(label_quality) FILTER (who = 'bob'),
        avg(label_quality) FILTER (who <> 'bob') FROM label_issues(t, vec, label{})"""
    [(bobs, others)] = t.execute(quality.format(", annotator := who")).fetchall()
    [(bobs_alone, others_alone)] = t.execute(quality.format("")).fetchall()
    assert bobs < bobs_alone
    assert bobs - others < bobs_alone - others_alone


def test_what_a_row_is_and_what_is_predicted_is_the_same(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("CREATE TABLE a AS FROM label_issues(t, vec, label)")
    t.execute("CREATE TABLE b AS FROM label_issues(t, vec, label, annotator := who)")
    assert t.execute("SELECT id, class_probs, predicted_label FROM a ORDER BY id").fetchall() == (
        t.execute("SELECT id, class_probs, predicted_label FROM b ORDER BY id").fetchall()
    )


def test_without_anybody_nothing_changes(t: duckdb.DuckDBPyConnection) -> None:
    expected = _issues(t, "t, vec, label")
    for nobody in ("NULL", "NULL::VARCHAR", "id", "if(id < 9, who, NULL)", "left(who, 0)"):
        found = _issues(t, f"t, vec, label, annotator := {nobody}")
        if nobody == "left(who, 0)":  # whose habits are those of all
            assert [row[:5] for row in found] == [row[:5] for row in expected]
        else:
            assert found == expected
    t.execute("CREATE TABLE more AS SELECT *, 'x' AS annotator FROM t")
    found = _issues(t, "more, vec, label")
    at = [column[0] for column in t.execute("FROM more LIMIT 0").description or []].index(
        "annotator"
    )
    assert [(*row[:at], *row[at + 1 :]) for row in found] == expected


@pytest.mark.parametrize(
    "names",
    [
        "CASE who WHEN 'ann' THEN 7 WHEN 'bob' THEN 1 WHEN 'cy' THEN 3 ELSE 4 END",
        "who::ENUM('di', 'cy', 'bob', 'ann')",
        "who || '''\"é🎈'",
        "who = 'bob'",
    ],
)
def test_names_of_any_type(t: duckdb.DuckDBPyConnection, names: str) -> None:
    if names == "who = 'bob'":
        assert _precision(t, names) > _precision(t, "NULL")
    else:
        assert _precision(t, names) == pytest.approx(_precision(t, "who"))


def test_the_order_of_rows_changes_no_bit(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(id, 's')")
    assert _issues(t, "shuffled, vec, label, annotator := who") == _issues(
        t, "t, vec, label, annotator := who"
    )


def test_a_label_that_is_its_own_annotator_says_nothing_of_habits(
    t: duckdb.DuckDBPyConnection,
) -> None:
    assert _issues(t, "t, vec, label, annotator := label") == _issues(t, "t, vec, label")


@pytest.mark.parametrize("cut", ["noise_corrected", "prune_by_class", "predicted_neq_given"])
@pytest.mark.parametrize("method", ["auto", "self_confidence"])
def test_with_each_cut_and_score(t: duckdb.DuckDBPyConnection, cut: str, method: str) -> None:
    given = f"cut := '{cut}', method := '{method}'"
    found = _issues(t, f"t, vec, label, annotator := who, {given}")
    without = _issues(t, f"t, vec, label, {given}")
    differs = "noise_corrected" in (cut, method) or method == "auto"
    assert (found != without) == differs


def test_your_own_probabilities_and_annotators(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""CREATE TABLE own AS SELECT id, who, truth, label, class_probs AS probs
        FROM label_issues(t, vec, label)""")
    alone, known = (
        t.execute(
            "FROM label_issues(own, probs, label, method := 'noise_corrected', annotator := "
            f"{annotator})"
        ).df()
        for annotator in ("NULL", "who")
    )
    assert (alone.label_quality != known.label_quality).any()


def test_the_queue_and_the_health_of_labels(t: duckdb.DuckDBPyConnection) -> None:
    queue = "SELECT list(id) FROM review_queue(t, vec, label, id, budget := 100{})"
    alone, known = (t.execute(queue.format(g)).fetchall() for g in ("", ", annotator := who"))
    assert alone != known
    flagged = "SELECT sum(flagged) FROM label_health(t, vec, label, annotator := who)"
    issues = (
        "SELECT count(*) FROM label_issues(t, vec, label, annotator := who) WHERE is_label_issue"
    )
    assert t.execute(flagged).fetchall() == t.execute(issues).fetchall()


def test_with_a_log(t: duckdb.DuckDBPyConnection) -> None:
    t.execute("""CREATE TABLE log AS
        SELECT id::VARCHAR AS key, if(label = truth, 'keep', 'relabel') AS action,
            label::VARCHAR AS old_label, if(label = truth, NULL, truth)::VARCHAR AS new_label,
            'ann' AS decided_by, '' AS reason, now()::TIMESTAMP AS decided_at
        FROM review_queue(t, vec, label, id, budget := 60)""")
    decided = "t, vec, label, key := id, log := log"
    assert _issues(t, f"{decided}, annotator := who") != _issues(t, decided)


@pytest.mark.parametrize(
    ("annotator", "message"),
    [
        ("[who]", "one value a row, a name or a number"),
        ("{a: who}", "one value a row"),
        ("MAP {who: 1}", "one value a row"),
        ("nobody", "nobody"),
    ],
)
def test_bad_annotators(t: duckdb.DuckDBPyConnection, annotator: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        _issues(t, f"t, vec, label, annotator := {annotator}")


def test_a_judge_is_for_labels_by_anybody(t: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="Leave annotator out"):
        _issues(t, "t, vec, label, annotator := who, judge := 'mine'")


def test_too_few_by_anybody_is_said(
    t: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    t.execute("CREATE VIEW few AS FROM t LIMIT 1234")
    _issues(t, "few, vec, label, annotator := id")
    assert "annotator names 1,234 for 1,234 labels" in capfd.readouterr().err
