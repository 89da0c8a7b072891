"""Options that some labels do not have are refused, in every function; results are told apart."""

from __future__ import annotations

import re

import duckdb
import pytest

from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.errors import StatementFailed

LABELS = {"num": ("v", "regression"), "tags": ("v", "multilabel"), "iob": ("ws", "token_class")}
FUNCTIONS = {
    "label_issues": "label_issues(t, {x}, {label}, {option})",
    "label_health": "label_health(t, {x}, {label}, {option})",
    "audit": "audit(t, {x}, {label}, {option})",
    "review_queue": "review_queue(t, {x}, {label}, id, {option})",
    "verify": "review_queue(t, {x}, {label}, id, purpose := 'verify', {option})",
}
OF_CLASSES = {
    "votes := vote": [*FUNCTIONS],
    "annotator := who": [*FUNCTIONS],
    "ordered := ['a', 'b']": ["label_issues", "audit", "review_queue", "verify"],
    "judge := 'kept'": ["label_issues"],
}


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, sin(i) * i AS num, if(sin(i) > 0, ['a'], ['b']) AS tags,
            ['w' || i % 7, 'v'] AS ws, [if(i % 7 > 3, 'A', 'O'), 'O'] AS iob,
            [sin(i), cos(i)]::FLOAT[] AS v, 'x' AS vote, 'me' AS who,
            if(sin(i) > 0, 'a', 'b') AS class
        FROM range(60) r(i)
    """)
    con.execute("""
        CREATE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
            decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)
    """)
    return con


def _said(con: duckdb.DuckDBPyConnection, call: str) -> str:
    with pytest.raises(duckdb.Error) as error:
        con.execute(f"FROM {call}").fetchall()
    return str(error.value)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(("option", "functions"), OF_CLASSES.items())
def test_what_is_for_classes_is_refused(
    t: duckdb.DuckDBPyConnection, label: str, option: str, functions: list[str]
) -> None:
    x, task = LABELS[label]
    for function in functions:
        said = _said(t, FUNCTIONS[function].format(x=x, label=label, option=option))
        assert "classes" in said and "these labels are none" in said and task in said, function


@pytest.mark.parametrize("label", ["tags", "iob"])
@pytest.mark.parametrize("option", ["false_flags := 0.1", "risk := 0.1"])
def test_shares_of_false_flags_are_not_for_several_labels(
    t: duckdb.DuckDBPyConnection, label: str, option: str
) -> None:
    x, _ = LABELS[label]
    said = _said(t, f"label_issues(t, {x}, {label}, {option})")
    assert "these labels are none" in said


@pytest.mark.parametrize(
    ("label", "option", "message"),
    [
        ("num", "cut := 'both'", "is for classes; of these labels (regression) it may be 'auto'"),
        ("num", "method := 'normalized_margin'", "it may be 'auto' or 'residual'"),
        ("num", "cut := 'odd'", "cut := 'odd' is not known"),
        ("tags", "cut := 'noise_corrected'", "of these labels (multilabel) it may be 'auto'"),
        ("tags", "method := 'normalized_margin'", "it may be 'auto' or 'self_confidence'"),
        ("iob", "method := 'residual'", "method := 'residual' is not known"),
        ("iob", "cut := 'odd'", "cut := 'odd' is not known"),
    ],
)
def test_ways_that_others_have(
    t: duckdb.DuckDBPyConnection, label: str, option: str, message: str
) -> None:
    assert message in _said(t, f"label_issues(t, {LABELS[label][0]}, {label}, {option})")


def test_tags_beside_a_list_of_words(t: duckdb.DuckDBPyConnection) -> None:
    """The words have to be made a text by whoever knows how."""
    said = _said(t, "label_issues(t, ws, tags, task := 'multilabel')")
    assert "array_to_string(x, ' ')" in said
    call = "label_issues(t, array_to_string(ws, ' '), tags, task := 'multilabel')"
    ((judged,),) = t.execute(f"SELECT count(label_quality) FROM {call}").fetchall()
    assert judged == 60


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ("auto_corrections({}, id, class)", "class_probs, not_judged, is_label_issue, suggested"),
        ("auto_corrections({}, id, class, log := log)", "class_probs, not_judged"),
        ("model_strength({}, class)", "class_probs, not_judged"),
        ("explain_issues({}, v, class, id)", "is_label_issue, suggested_label, label_quality"),
        ("review_curve({}, log, id, class)", "label_quality"),
        ("label_set_threshold({}, log, id, class)", "class_probs"),
    ],
)
def test_a_table_that_is_no_result(t: duckdb.DuckDBPyConnection, call: str, missing: str) -> None:
    said = _said(t, call.format("t"))
    if call.startswith("review_curve") and duckdb.__version__ < "2":  # which reckons points first
        assert "no row of the table was judged" in said
        return
    assert f"reads a result of label_issues, and the table has no {missing}" in said
    assert "CREATE TABLE issues AS FROM label_issues(my_table, x, label)" in said


def test_a_result_without_a_column(t: duckdb.DuckDBPyConnection) -> None:
    """It is named alone; names may be written in any case, and rows stay in their order."""
    t.execute("CREATE TABLE issues AS FROM label_issues(t, v, class)")
    t.execute("ALTER TABLE issues RENAME COLUMN class_probs TO CLASS_PROBS")
    t.execute("FROM auto_corrections(issues, id, class)").fetchall()
    t.execute("ALTER TABLE issues DROP COLUMN not_judged")
    assert re.search("has no not_judged[.]", _said(t, "auto_corrections(issues, id, class)"))


@pytest.mark.parametrize(
    ("label", "message"), [("num", "numbers have none"), ("tags", "tags and labels of words")]
)
def test_sets_are_of_classes(t: duckdb.DuckDBPyConnection, label: str, message: str) -> None:
    t.execute(f"CREATE TABLE issues AS FROM label_issues(t, v, {label})")
    assert message in _said(t, f"label_set_threshold(issues, log, id, {label})")


def test_whether_answers_are_lists_is_the_same_for_every_row(t: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT llm_classify(vote, ['a', 'b'], model := 'fake:', multi := id > 3) FROM t"
    with pytest.raises(StatementFailed, match=r"multi := \.\.\. .* the same for every row"):
        list(run(t, sql))


def test_predictions_given_for_probabilities_are_not_taken_for_certain(
    con: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 2 = 0, ['a'], []::VARCHAR[]) AS tags,
            MAP {'a': if((i % 2 = 0) <> (i % 10 = 0), 1.0, 0.0)} AS p FROM range(100) r(i)
    """)
    call = "SELECT min(label_quality), count(*) FILTER (is_label_issue) FROM label_issues(t, p, {})"
    ((least, flagged),) = con.execute(call.format("tags")).fetchall()
    assert least == pytest.approx(11 / 62) and flagged == 10
    assert any("all 0 or 1" in each for each in heard)
    heard.clear()
    con.execute("UPDATE t SET p = MAP {'a': 0.3} WHERE id = 5")
    con.execute(call.format("tags")).fetchall()
    assert not any("all 0 or 1" in each for each in heard)
