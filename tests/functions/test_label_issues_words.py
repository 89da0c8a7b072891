"""Labels of words, from the wrong ones to the corrected table."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from cleanlab.token_classification.rank import get_label_quality_scores
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sqlfuncs.learning.labels import labels, words
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.token_classification import TokenClassification

NAMES = ["B-LOC", "B-PER", "O"]
PEOPLE, PLACES, VERBS = ["Anna", "Bob", "Carla", "Dan"], ["Paris", "Rome", "Oslo"], ["saw", "left"]
ENDS = ["today", "again", "twice", "alone", "early", "late"]


@pytest.fixture
def sentences(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 240 sentences; in every eighth an entity's label was forgotten.

    `probs` are somebody's probabilities of the words' labels, which know the right ones.
    """
    drawn = np.random.default_rng(0)
    rows = []
    for row in range(240):
        own = [drawn.choice(PEOPLE), drawn.choice(VERBS), drawn.choice(PLACES), drawn.choice(ENDS)]
        true = ["B-PER" if w in PEOPLE else "B-LOC" if w in PLACES else "O" for w in own]
        probs = [{n: 0.9 if n == label else 0.05 for n in NAMES} for label in true]
        label = list(true)
        if row % 8 == 0:
            label[row // 8 % 2 * 2] = "O"
        rows.append((row, [str(w) for w in own], probs, true, label))
    con.execute(
        "CREATE TABLE t (id INTEGER, words VARCHAR[], probs MAP(VARCHAR, DOUBLE)[], "
        '"true" VARCHAR[], label VARCHAR[])'
    )
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [list(row) for row in rows])
    return con


def test_forgotten_entities_are_found_by_their_words(sentences: duckdb.DuckDBPyConnection) -> None:
    found = sentences.execute(
        'SELECT label <> "true" AS wrong, is_label_issue, suggested_label = "true" AS right, '
        "word_issues, class_probs, label_quality FROM label_issues(t, words, label) ORDER BY id"
    ).fetchall()
    wrong = np.array([row[0] for row in found])
    flagged = np.array([row[1] for row in found])
    assert flagged[wrong].mean() > 0.8 and wrong[flagged].mean() > 0.9
    assert all(row[2] for row in found if row[1] and row[0])
    for _, is_flagged, _, issues, class_probs, quality in found:
        assert bool(issues) == is_flagged and class_probs is None and 0 <= quality <= 1
    first = next(row[3] for row in found if row[0] and row[1])[0]
    assert first["position"] in (1, 3) and first["given"] == "O" and first["quality"] < 0.5
    assert first["suggested"] == ("B-PER" if first["word"] in PEOPLE else "B-LOC")


def test_columns_and_their_types(sentences: duckdb.DuckDBPyConnection) -> None:
    for x in ("words", "probs"):
        described = sentences.execute(f"DESCRIBE FROM label_issues(t, {x}, label)").fetchall()
        kinds = {name: kind for name, kind, *_ in described}
        assert list(kinds)[-2:] == ["word_issues", "not_judged"]
        assert kinds["suggested_label"] == kinds["predicted_label"] == "VARCHAR[]"
        assert kinds["word_issues"] == (
            'STRUCT("position" BIGINT, word VARCHAR, given VARCHAR, suggested VARCHAR, '
            "quality DOUBLE)[]"
        )
        assert not {"missing_tags", "tag_qualities", "label_low"} & {*kinds}
    for x in ("[1.0, 2.0]", "MAP {'O': 1.0}"):
        of_tags = sentences.execute(f"DESCRIBE FROM label_issues(t, {x}, label)").fetchall()
        names = {name for name, *_ in of_tags}
        assert "missing_tags" in names and "word_issues" not in names


def test_order_and_threads_do_not_change_a_bit(sentences: duckdb.DuckDBPyConnection) -> None:
    sentences.execute("CREATE TABLE shuffled AS FROM t ORDER BY hash(id)")
    call = "SELECT * FROM label_issues({}, words, label) ORDER BY id"
    expected = sentences.execute(call.format("t")).fetchall()
    sentences.execute("SET threads = 1")
    assert sentences.execute(call.format("shuffled")).fetchall() == expected


@settings(max_examples=50)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=12), st.integers(0, 2**32 - 1))
def test_scores_of_own_predictions_are_cleanlabs(lengths: list[int], seed: int) -> None:
    drawn = np.random.default_rng(seed)
    of_words = [drawn.dirichlet([0.5] * len(NAMES), length) for length in lengths]
    given_labels = [drawn.integers(len(NAMES), size=length).tolist() for length in lengths]
    assume(len({code for each in given_labels for code in each}) > 1)  # cleanlab takes no others
    maps = pa.array(
        [[list(zip(NAMES, word, strict=True)) for word in each] for each in of_words],
        pa.list_(pa.map_(pa.string(), pa.float64())),
    )
    texts = pa.array([json.dumps([NAMES[code] for code in each]) for each in given_labels])
    field = pa.field("label", pa.string(), metadata={labels.KIND: words.KIND})
    rows = pa.StructArray.from_arrays([maps, texts], fields=[pa.field("x", maps.type), field])
    found = TokenClassification.judge(rows, Options(method="self_confidence", cut="both"))
    of_rows, each = get_label_quality_scores(given_labels, of_words)
    assert np.abs(found.scores - of_rows).max() < 1e-9
    assert np.abs(found.qualities - np.concatenate(each)).max() < 1e-9


@pytest.mark.parametrize(
    ("x", "label", "why"),
    [
        ("words", "NULL::VARCHAR[]", "the label is NULL"),
        ("words", "label[:3]", "the row has 4 words and 3 labels"),
        ("words", "['O', 'O', 'O', NULL]", "the list of labels holds NULL"),
        ("words", "['O', 'O', 'O', '']", "the list of labels holds a blank one"),
        ("NULL::VARCHAR[]", "label", "x is NULL"),
        ("[]::VARCHAR[]", "[]::VARCHAR[]", "the sentence has no words"),
        ("['a', NULL, 'b', 'c']", "label", "the list of words holds NULL"),
        ("list_transform(words, lambda w: '')", "label", None),
    ],
)
def test_odd_rows(
    sentences: duckdb.DuckDBPyConnection, x: str, label: str, why: str | None
) -> None:
    sentences.execute(
        f"CREATE TABLE odd AS SELECT * REPLACE (if(id = 7, {x}, words) AS words, "
        f"if(id = 7, {label}, label) AS label) FROM t"
    )
    row = sentences.execute(
        "SELECT not_judged, label_quality, word_issues, predicted_label "
        "FROM label_issues(odd, words, label) WHERE id = 7"
    ).fetchall()[0]
    assert row[0] == why and (row[1] is None) == (row[2] is None) == (why is not None)
    assert (row[3] is None) == (why is not None and x != "words")


@pytest.mark.parametrize(
    ("probs", "why"),
    [
        ("NULL", "x is NULL"),
        ("probs[:3]", "the row has 3 words and 4 labels"),
        ("[NULL, probs[2], probs[3], probs[4]]", "word 1: the probabilities are NULL"),
        ("[probs[1], MAP {'O': 0.3}, probs[3], probs[4]]", "word 2: the probabilities sum to 0.3"),
        ("[MAP {'O': 1.0}, probs[2], probs[3], probs[4]]", "word 1: the probabilities have no lab"),
    ],
)
def test_odd_predictions(sentences: duckdb.DuckDBPyConnection, probs: str, why: str) -> None:
    sentences.execute(
        f"CREATE TABLE odd AS SELECT * REPLACE (if(id = 7, {probs}, probs) AS probs) FROM t"
    )
    ((said,),) = sentences.execute(
        "SELECT not_judged FROM label_issues(odd, probs, label) WHERE id = 7"
    ).fetchall()
    assert said.startswith(why)


@pytest.mark.slow
def test_a_row_of_ten_thousand_words(sentences: duckdb.DuckDBPyConnection) -> None:
    sentences.execute(
        "INSERT INTO t SELECT 1000, flatten(list(words)), NULL, NULL, flatten(list(label)) "
        "FROM t, range(11)"
    )
    found = sentences.execute(
        "SELECT len(words), len(predicted_label), not_judged, len(word_issues) > 10 "
        "FROM label_issues(t, words, label) WHERE id = 1000"
    ).fetchall()
    assert found == [(10_560, 10_560, None, True)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("label_issues(t, words, label, task := 'multilabel')", "Words are read as a text"),
        ("label_issues(t, words, label, task := 'classification')", "label holds lists, which"),
        ("label_issues(t, words, label, task := 'regression')", "label holds no numbers"),
        ("label_issues(t, words, words[1])", "x is of type VARCHAR[]"),
        ("label_issues(t, words[1], label, task := 'token_classification')", "stand beside words"),
        ("label_issues(t, words, id, task := 'token_classification')", "label holds no lists of"),
        ("label_issues(t, words, []::VARCHAR[])", "no row has a word with a label"),
        ("label_issues(t, words, ['O'])", "no row can be judged"),
        ("label_issues(t, ['a'], ['O'])", "two different sentences"),
        ("label_issues(t, words, ['O', 'O', 'O', 'O'])", "it takes two such labels"),
        ("label_issues(t, words, [id::VARCHAR, 'a', 'b', 'c'])", "are not judged"),
        ("label_issues(t, words, label, model := 'minilm')", "reads text or images"),
        ("label_issues(t, words, label, folds := 1)", "is too few"),
        (
            "label_issues(t, words, label, judge := 'j')",
            "these labels are none (token_classification)",
        ),
        (
            "label_issues(t, words, label, false_flags := 0.1)",
            "these labels are none (token_classification)",
        ),
        ("label_issues(t, words, label, ordered := ['O'])", "these labels are none"),
        ("label_issues(t, words, label, cut := 'no')", "It may be 'auto'"),
        ("label_issues(t, words, label, method := 'no')", "It may be 'auto'"),
        ("label_issues(t, words, label, votes := [id])", "votes name classes"),
        ("consensus(t, id, id, label, x := words)", "token_classification"),
        ("evaluate(t, id, label, task := 'token_classification')", "actual holds no lists of text"),
        ("evaluate(t, label, id, task := 'token_classification')", "predicted does not"),
        (
            "evaluate(t, label, label[:2], task := 'token_classification')",
            "in 240 rows predicted has not one label for each word, such as 2 beside 4",
        ),
        (
            "class_report(t, NULL::VARCHAR[], label, task := 'token_classification')",
            "the true label is NULL in all 240 rows",
        ),
    ],
)
def test_what_cannot_be_had_is_said(
    sentences: duckdb.DuckDBPyConnection, heard: list[str], call: str, message: str
) -> None:
    try:
        sentences.execute(f"FROM {call}").fetchall()
    except duckdb.Error as error:
        assert message in str(error)
    else:
        assert message == "are not judged" and message in " ".join(heard)


def test_the_whole_loop(sentences: duckdb.DuckDBPyConnection, heard: list[str]) -> None:
    con = sentences
    con.execute("CREATE TABLE issues AS FROM label_issues(t, probs, label)")
    assert con.execute("FROM auto_corrections(issues, id, label)").fetchall() == []
    assert "people who look at some rows tell" in heard[-1]
    assert con.execute("SELECT can_judge FROM model_strength(issues, label)").fetchall() == [
        (False,)
    ]
    queue = "review_queue(t, probs, label, id, purpose := 'verify', budget := 20)"
    con.execute(f"""
        CREATE TABLE log AS
        SELECT id AS key, if(label = "true", 'keep', 'relabel') AS action, label AS old_label,
            "true" AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason,
            TIMESTAMP '2026-01-01' AS decided_at
        FROM {queue}
    """)
    con.execute("CREATE TABLE decisions AS FROM auto_corrections(issues, id, label, log := log)")
    con.execute("CREATE TABLE mended AS FROM apply_corrections(t, decisions, id, label)")
    changes = "corrections_diff(t, decisions, id, label)"
    ((proposed, changed),) = con.execute(
        f"SELECT (SELECT count(*) FROM decisions), (SELECT count(*) FROM {changes})"
    ).fetchall()
    assert proposed == changed == 10
    call = "evaluate({}, \"true\", label, task := 'token_classification')"
    f1 = f"SELECT f1, word_accuracy FROM {call}"
    ((before, right),) = con.execute(f1.format("t")).fetchall()
    ((after, righter),) = con.execute(f1.format("mended")).fetchall()
    assert right == 1 - 30 / 960 and righter == 1 - 20 / 960 and after > before
    left = con.execute(
        "SELECT id FROM review_queue(t, probs, label, id, log := log, budget := 10) "
        "WHERE is_label_issue"
    ).fetchall()
    assert len(left) == 10 and all(row % 8 == 0 for (row,) in left)


def test_figures_of_labels_and_models(sentences: duckdb.DuckDBPyConnection) -> None:
    con = sentences
    health = con.execute(
        'SELECT label, "rows", flagged, confused_with IS NULL FROM label_health(t, probs, label)'
    ).fetchall()
    counts = con.execute(
        "SELECT [l], n FROM (SELECT l, count(*) AS n FROM (SELECT unnest(label) AS l FROM t) "
        "GROUP BY l) ORDER BY l"
    ).fetchall()
    assert [(label, rows) for label, rows, *_ in health] == counts
    assert [flagged for _, _, flagged, _ in health] == [0, 0, 30]
    compared = con.execute(
        "SELECT n, accuracy_before, accuracy_after, f1_after, word_accuracy_before, "
        'only_after_right FROM compare_models(t, "true", label, "true", '
        "task := 'token_classification')"
    ).fetchall()
    assert compared == [(240, 0.875, 1.0, 1.0, 1 - 30 / 960, 30)]
    report = con.execute(
        'SELECT "class", precision, recall < 1 FROM '
        "class_report(t, \"true\", label, task := 'token_classification')"
    ).fetchall()
    assert report == [("LOC", 1.0, True), ("PER", 1.0, True)]
    audited = con.execute(
        "SELECT count(*) FILTER (is_well_labeled), count(*) FILTER (is_unlabeled) "
        "FROM audit(t, probs, if(id < 5, NULL, label))"
    ).fetchall()
    assert audited == [(206, 5)]


def test_a_log_teaches(sentences: duckdb.DuckDBPyConnection) -> None:
    con = sentences
    con.execute("""
        CREATE TABLE log AS
        SELECT id AS key, 'relabel' AS action, label AS old_label,
            label[:3] || ['B-DAY'] AS new_label, 'ann' AS decided_by,
            TIMESTAMP '2026-01-01' AS decided_at
        FROM t WHERE id < 200
    """)
    call = (
        "SELECT count(*) FROM label_issues(t, words, label, key := id, log := log) "
        "WHERE predicted_label[4] = 'B-DAY' AND id >= 200"
    )
    assert con.execute(call).fetchall() == [(40,)]


def test_what_is_suggested_is_valid_in_the_scheme_of_the_labels(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """An I that the model leaves after an O would be no entity's."""
    con.execute("""
        CREATE TABLE w AS
        SELECT i AS id, ['O', 'B-P', 'I-P'] AS label, [
            MAP {'O': 0.98, 'B-P': 0.01, 'I-P': 0.01},
            MAP {'O': if(i = 0, 0.97, 0.02), 'B-P': if(i = 0, 0.02, 0.97), 'I-P': 0.01},
            MAP {'O': if(i = 0, 0.4, 0.01), 'B-P': 0.02, 'I-P': if(i = 0, 0.58, 0.97)}
        ] AS p
        FROM range(100) r(i)
    """)
    call = "SELECT suggested_label, predicted_label, word_issues FROM label_issues(w, p, label)"
    ((suggested, predicted, issues),) = con.execute(f"{call} WHERE is_label_issue").fetchall()
    assert suggested == predicted == ["O", "O", "O"]
    assert [(each["position"], each["suggested"]) for each in issues] == [(2, "O")]


def test_a_row_is_as_good_as_its_worst_word(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, ['the', 'parcel', 'of', 'ann' || i % 7] AS words,
            if(i < 3, ['O', 'O', 'O', 'O'], ['O', 'T', 'O', 'P']) AS label
        FROM range(90) r(i)
    """)
    found = con.execute("""
        SELECT label_quality, list_min(list_transform(word_issues, lambda w: w.quality))
        FROM label_issues(t, words, label) WHERE is_label_issue
    """).fetchall()
    assert len(found) == 3
    for of_row, of_worst in found:
        assert of_row == of_worst


def test_labels_that_people_have_all_decided_anew(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, ['the', 'parcel', 'of', 'ann' || i % 7] AS words,
            ['O', 'T', 'O', 'P'] AS label
        FROM range(60) r(i);
        CREATE TABLE log AS
        SELECT id::VARCHAR AS key, 'relabel' AS action, label::VARCHAR AS old_label,
            '[A, B, A, C]' AS new_label, 'ann' AS decided_by, NULL::VARCHAR AS reason,
            now() AS decided_at
        FROM t
    """)
    assert con.execute("FROM review_queue(t, words, label, id, log := log)").fetchall() == []
    for call in ("label_issues", "label_health"):
        with pytest.raises(duckdb.Error, match="no word can be judged: people left no row"):
            con.execute(f"FROM {call}(t, words, label, key := id, log := log)").fetchall()
