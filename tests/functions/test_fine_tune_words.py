"""`fine_tune` where labels are of words: trained, kept, asked, evaluated; and what is refused."""

from __future__ import annotations

import json
import time

import duckdb
import numpy as np
import pytest

from sqlfuncs.learning.tasks import trained
from sqlfuncs.store import jobs, manifests, models
from sqlfuncs.store.home import home
from tests.waiting import patient

PEOPLE, TOWNS = ["Anna", "Bob", "Carla", "Dan"], ["York", "Delhi", "Orleans"]
VERBS, ENDS = ["saw", "left", "likes"], ["today", "again", "alone", "early"]


def _sentence(drawn: np.random.Generator, row: int) -> tuple[list[str], list[str]]:
    """A sentence of somebody and a town of two words, in an order that differs."""
    person = [(str(drawn.choice(PEOPLE)), "B-PER")]
    town = [("New", "B-LOC"), (str(drawn.choice(TOWNS)), "I-LOC")]
    verb = [(str(drawn.choice(VERBS)), "O")]
    end = [(f"{drawn.choice(ENDS)}{row % 50}", "O")]
    parts = [person, verb, town, end] if row % 2 else [town, verb, person, end]
    pairs = [pair for part in parts for pair in part]
    return [word for word, _ in pairs], [label for _, label in pairs]


@pytest.fixture
def sentences(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables `train`, of 160 sentences, and `test`, of 60 others."""
    drawn = np.random.default_rng(0)
    con.execute("CREATE TABLE whole (id INTEGER, words VARCHAR[], labels VARCHAR[])")
    rows = [[row, *_sentence(drawn, row)] for row in range(220)]
    con.executemany("INSERT INTO whole VALUES (?, ?, ?)", rows)
    con.execute("CREATE TABLE train AS FROM whole WHERE id < 160")
    con.execute("CREATE TABLE test AS FROM whole WHERE id >= 160")
    return con


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, object]:
    found = con.execute(sql)
    (row,) = found.fetchall()
    return dict(zip([column[0] for column in found.description or []], row, strict=True))


def _trained(con: duckdb.DuckDBPyConnection, more: str = "") -> dict[str, object]:
    return _row(con, f"FROM fine_tune('m', train, words, labels{more})")


def test_trained_classified_and_evaluated(
    sentences: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    sentences.execute("""
        CREATE OR REPLACE TABLE train AS
        SELECT id, words,
            if(id % 4 = 0, list_transform(labels, lambda l: if(l = 'B-PER', 'O', l)), labels)
                AS labels
        FROM whole WHERE id < 160
    """)
    row = _trained(sentences)
    assert (row["rows"], row["status"]) == (160, "SUCCEEDED")
    assert row["classes"] == ["B-LOC", "B-PER", "I-LOC", "O"]
    # In a quarter of the sentences a person is forgotten: found all the same, it counts as wrong.
    assert 0.7 < float(str(row["cv_accuracy"])) < 0.97
    assert any("of the words are right; cv_accuracy, " in line for line in heard)
    sentences.execute(
        "CREATE TABLE said AS SELECT labels, llm_classify(words, model := 'm') AS given FROM test"
    )
    assert _row(sentences, "SELECT DISTINCT typeof(given) AS t FROM said") == {"t": "VARCHAR[]"}
    found = _row(sentences, "FROM evaluate(said, labels, given, task := 'token_classification')")
    assert float(str(found["f1"])) > 0.9 and float(str(found["word_accuracy"])) > 0.94


def test_what_is_foreseen_is_of_sentences_that_were_not_seen(
    sentences: duckdb.DuckDBPyConnection,
) -> None:
    """Labels by chance, and the same sentences ten times: copies of one are in one fold."""
    sentences.execute("""
        CREATE OR REPLACE TABLE train AS
        SELECT [chr((97 + hash(id * 7 + 1) % 26)::INTEGER), 'is',
                chr((97 + hash(id) % 26)::INTEGER)] AS words,
            [if(hash(id * 3) % 2 = 0, 'B-A', 'O'), 'O', if(hash(id * 5) % 2 = 0, 'B-A', 'O')]
                AS labels
        FROM range(24) s(id), range(10)
    """)
    row = _trained(sentences)
    # By heart each would be right.
    assert float(str(row["cv_accuracy"])) < 0.7


def test_words_that_are_missing_and_rows_of_any_length(
    sentences: duckdb.DuckDBPyConnection,
) -> None:
    _trained(sentences)
    found = sentences.execute("""
        SELECT llm_classify([]::VARCHAR[], model := 'm'),
            llm_classify(NULL::VARCHAR[], model := 'm'),
            llm_classify(['Anna', NULL, 'New', 'York'], model := 'm'),
            len(llm_classify(list_resize(['New', 'York'], 10000, 'Anna'), model := 'm')),
            llm_class_probs([]::VARCHAR[], model := 'm'),
            llm_classify_result([]::VARCHAR[], model := 'm').labels,
            llm_classify_result(NULL::VARCHAR[], model := 'm')
    """).fetchall()
    ((none, null, holey, length, no_probs, no_labels, no_result),) = found
    assert (none, null, length) == ([], None, 10_000)
    assert len(holey) == 4 and holey[0] == "B-PER" and holey[2:] == ["B-LOC", "I-LOC"]
    assert (no_probs, no_labels, no_result) == ([], [], None)


def test_labels_follow_each_other_as_those_learned_from_do(
    sentences: duckdb.DuckDBPyConnection,
) -> None:
    _trained(sentences)
    odd = [["York"], ["Delhi", "New"], ["Anna", "Orleans", "York"], ["new", "york", "New"]]
    said = sentences.execute(
        "SELECT llm_classify(words, model := 'm') FROM (SELECT unnest($1::VARCHAR[][]) AS words)",
        [odd],
    ).fetchall()
    for (labels,) in said:
        for before, after in zip(["O", *labels], labels, strict=False):
            assert after != "I-LOC" or before in ("B-LOC", "I-LOC")


def test_probabilities_of_words_are_what_label_issues_takes(
    sentences: duckdb.DuckDBPyConnection,
) -> None:
    _trained(sentences)
    found = sentences.execute("""
        SELECT p, r, typeof(p)
        FROM (
            SELECT llm_class_probs(words, model := 'm') AS p,
                llm_classify_result(words, model := 'm') AS r
            FROM test
        )
    """).fetchall()
    for probs, result, of in found:
        assert of == "MAP(VARCHAR, DOUBLE)[]" and result["label"] is None
        assert all(sum(word.values()) == pytest.approx(1) for word in probs)
        likely = [word[label] for word, label in zip(probs, result["labels"], strict=True)]
        assert result["confidence"] == pytest.approx(np.prod(likely))
    sentences.execute(
        "UPDATE test SET labels = list_transform(labels, lambda l: 'O') WHERE id < 165"
    )
    flagged = sentences.execute("""
        SELECT id < 165 AS wrong, is_label_issue
        FROM label_issues(test, llm_class_probs(words, model := 'm'), labels)
    """).fetchall()
    assert len(flagged) == 60 and all(wrong == is_flagged for wrong, is_flagged in flagged)


def test_some_of_the_labels(sentences: duckdb.DuckDBPyConnection) -> None:
    _trained(sentences)
    ((said, probs),) = sentences.execute("""
        SELECT llm_classify(w, ['O', 'B-PER'], model := 'm'),
            llm_class_probs(w, ['O', 'B-PER'], model := 'm')
        FROM (SELECT ['Anna', 'saw', 'New', 'York'] AS w)
    """).fetchall()
    assert said == ["B-PER", "O", *said[2:]] and set(said) <= {"O", "B-PER"}
    assert all(each.keys() == {"O", "B-PER"} for each in probs)
    assert all(sum(each.values()) == pytest.approx(1) for each in probs)


def test_a_model_is_loaded_again_listed_and_dropped(sentences: duckdb.DuckDBPyConnection) -> None:
    _trained(sentences)
    call = "SELECT llm_class_probs(words, model := 'm') FROM test ORDER BY id"
    expected = sentences.execute(call).fetchall()
    record, files = models.load("m")
    assert (record.task, record.kind) == ("token_classification", "words")
    assert not any(name.endswith((".pkl", ".pickle")) for name in files)
    assert json.loads(files["words.json"]) == {"begins": True, "ends": False}
    trained._loaded._models.clear()
    assert sentences.execute(call).fetchall() == expected
    (file,) = (home() / "models").glob(f"*/*/{manifests.MANIFEST}")
    assert json.loads(file.read_bytes())["format"] == 2  # no older sqlfuncs takes it for another
    assert _row(sentences, "SELECT input, task FROM models()") == {
        "input": "words",
        "task": "token_classification",
    }
    assert _row(sentences, "SELECT model FROM drop_model('m')") == {"model": "m"}


def test_rows_that_cannot_be_learned_from_are_left_out(
    sentences: duckdb.DuckDBPyConnection, heard: list[str]
) -> None:
    sentences.execute("UPDATE train SET labels = labels[:2] WHERE id < 3")
    sentences.execute("UPDATE train SET labels = NULL WHERE id = 3")
    sentences.execute("UPDATE train SET words = NULL WHERE id = 4")
    sentences.execute("UPDATE train SET words = [], labels = [] WHERE id = 5")
    sentences.execute("UPDATE train SET words = list_concat([NULL], words[2:]) WHERE id = 6")
    sentences.execute("UPDATE train SET labels = list_concat(['B-ODD'], labels[2:]) WHERE id = 7")
    row = _trained(sentences)
    assert (row["rows"], row["classes"]) == (153, ["B-LOC", "B-PER", "I-LOC", "O"])
    said = " ".join(heard)
    for part in (
        "the row has not one label for each word (3 rows)",
        "the label is NULL (1 row)",
        "x is NULL (1 row)",
        "the sentence has no words (1 row)",
        "the list of words holds NULL (1 row)",
        "labels that one row alone has are not learned: 'B-ODD'",
    ):
        assert part in said, part


def test_the_order_of_rows_makes_no_difference(sentences: duckdb.DuckDBPyConnection) -> None:
    first = _trained(sentences)
    sentences.execute("CREATE OR REPLACE TABLE train AS FROM train ORDER BY hash(id)")
    again = _trained(sentences)
    assert (again["version"], again["preflight"]) == (first["version"], None)
    other = _row(sentences, "FROM fine_tune('other', train, words, labels, seed := 1)")
    assert other["version"] == 1


def test_weights_and_dropped_rows_count(sentences: duckdb.DuckDBPyConnection) -> None:
    # In half of the rows people are called towns: with weights of zero they teach nothing.
    sentences.execute("""
        CREATE OR REPLACE TABLE train AS
        SELECT id, words, id % 8 < 4 AS is_wrong, if(is_wrong, 0, 1) AS w,
            if(is_wrong, list_transform(labels, lambda l: if(l = 'B-PER', 'B-LOC', 'O')), labels)
                AS labels
        FROM train
    """)
    for more in (", weights := w", ', "drop" := is_wrong'):
        _trained(sentences, more)
        sentences.execute(
            "CREATE OR REPLACE TABLE said AS "
            "SELECT labels, llm_classify(words, model := 'm') AS given FROM test"
        )
        found = _row(
            sentences,
            "SELECT f1 FROM evaluate(said, labels, given, task := 'token_classification')",
        )
        assert float(str(found["f1"])) > 0.95, more


def test_a_dry_run_knows_words(sentences: duckdb.DuckDBPyConnection) -> None:
    sentences.execute("""
        INSERT INTO train
        SELECT id, words, list_concat(['B-RARE'], labels[2:]) FROM train WHERE id < 4
    """)
    row = _row(
        sentences,
        "SELECT unnest(preflight) FROM fine_tune('m', train, words, labels, dry_run := true)",
    )
    counts = row["class_counts"]
    assert isinstance(counts, dict) and counts["B-RARE"] == 4 and counts["B-LOC"] > 150
    assert int(str(row["duplicates"])) >= 4 and row["contradictions"] == 8
    assert 0 <= float(str(row["issue_rate"])) < 0.1  # of words
    warnings = row["warnings"]
    assert isinstance(warnings, list)
    assert any("fewer than 10 words have the label 'B-RARE'" in each for each in warnings)
    assert any("8 rows have a text that has other labels as well" in each for each in warnings)


def test_rows_that_are_tested_on_are_refused(sentences: duckdb.DuckDBPyConnection) -> None:
    sentences.execute("INSERT INTO test FROM train LIMIT 1")
    with pytest.raises(duckdb.Error, match="of the 160 rows are in the table to test on as well"):
        _trained(sentences, ", test := test")


def test_a_job_of_its_own(sentences: duckdb.DuckDBPyConnection) -> None:
    row = _trained(sentences, ", wait := false")
    assert row["status"] in (jobs.PENDING, jobs.RUNNING)
    end = time.monotonic() + patient(120)
    while time.monotonic() < end and not models.records():
        time.sleep(0.1)
    said = _row(sentences, "SELECT llm_classify(['Anna', 'saw'], model := 'm') AS said")
    assert said == {"said": ["B-PER", "O"]}


def test_lists_of_every_type_are_told_apart_alike(sentences: duckdb.DuckDBPyConnection) -> None:
    """The type of a result is told by SQL, the result by Python: where these differ it is lost."""
    _trained(sentences)
    sentences.execute("CREATE TYPE E AS ENUM ('Anna', 'saw')")
    each = {"VARCHAR": "Anna", "JSON": '"Anna"', "UUID": "a" * 32, "E": "Anna"}
    call = "SELECT llm_classify(x, model := 'm'), llm_class_probs(x, model := 'm') FROM "
    for of, value in each.items():
        for length in ("", "2"):
            typed = f"(SELECT ['{value}'::{of}, '{value}'::{of}]::{of}[{length}] AS x)"
            ((labels, probs),) = sentences.execute(call + typed).fetchall()
            assert len(labels) == len(probs) == 2, of
    for typed in (
        "[1]",
        "['a'::BLOB]",
        "[12::BIGNUM]",
        "['1'::BIT]",
        "[['a']]",
        "[DATE '2026-01-01']",
        "{'a': ['b']}",
    ):
        with pytest.raises(duckdb.Error, match="a label for each word, and reads words"):
            sentences.execute(f"{call} (SELECT {typed} AS x)").fetchall()


def test_mistakes_of_asking_are_refused(sentences: duckdb.DuckDBPyConnection) -> None:
    _trained(sentences)
    sentences.execute("CREATE TABLE rows AS SELECT [id, 1]::FLOAT[] AS v, id % 2 AS n FROM train")
    sentences.execute("FROM fine_tune('c', rows, v, n)").fetchall()
    for call, message in (
        ("llm_classify('Anna saw', model := 'm')", "string_split(x, ' ')"),
        ("llm_class_probs('Anna saw', model := 'm')", "reads words (VARCHAR[])"),
        ("llm_classify([1.0, 2.0], model := 'm')", "reads words (VARCHAR[])"),
        ("llm_classify(words, model := 'c')", "array_to_string(x, ' ')"),
        ("llm_class_probs(words, model := 'c')", "array_to_string(x, ' ')"),
        ("llm_classify(words, model := 'm', multi := true)", "for each word; multi := true is not"),
        ("llm_classify(words, ['O', 'B-NEW'], model := 'm')", "no class 'B-NEW'"),
        ("llm_classify(words, ['O', 'A'], model := 'fake:')", "reads text"),
        ("llm_class_probs(words, ['O', 'A'], model := 'fake:')", "reads text"),
        ("llm_classify_result(words, ['O', 'A'], model := 'fake:')", "reads text"),
    ):
        with pytest.raises(duckdb.Error) as error:
            sentences.execute(f"SELECT {call} FROM test").fetchall()
        assert message in str(error.value), call


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("fine_tune('n', train, words, labels, base := 'best')", "base := 'fast' or an enc"),
        ("fine_tune('n', train, words, labels, base := 'openai:x')", "Labels of words may"),
        ("fine_tune_file(train, words, labels)", "reads text"),
        ("fine_tune('n', train, words, labels, balanced := true)", "is about classes"),
        ("fine_tune('n', train, words, labels[1])", "array_to_string(x, ' ')"),
        (
            "fine_tune('n', train, words[1], labels, task := 'token_classification')",
            "x is of type VARCHAR, and labels of words are learned beside words (VARCHAR[])",
        ),
        (
            "fine_tune('n', train, [map {'O': 1.0}], ['O'])",
            "labels of words are learned beside words",
        ),
        ("fine_tune('n', same, words, labels)", "it takes two labels of words"),
        ("fine_tune('n', one, words, labels)", "two different sentences with labels"),
        ("fine_tune('n', none, words, labels)", "no row has a word with a label"),
        ("fine_tune('n', short, words, labels)", "not one label for each word (160 rows)"),
    ],
)
def test_mistakes_of_training_are_refused(
    sentences: duckdb.DuckDBPyConnection, sql: str, message: str
) -> None:
    sentences.execute("""
        CREATE TABLE same AS
        SELECT words, list_transform(words, lambda w: 'O') AS labels FROM train;
        CREATE TABLE one AS SELECT words, labels FROM train, range(9) WHERE id = 0;
        CREATE TABLE none AS SELECT words, []::VARCHAR[] AS labels FROM train;
        CREATE TABLE short AS SELECT words, labels[:1] AS labels FROM train
    """)
    with pytest.raises(duckdb.Error) as error:
        sentences.execute(f"FROM {sql}").fetchall()
    assert message in str(error.value)
    assert not models.records()


def test_labels_are_judged_by_a_model_learned_anew(sentences: duckdb.DuckDBPyConnection) -> None:
    _trained(sentences)
    call = "SELECT id, label_quality FROM label_issues(train, words, labels{}) ORDER BY id"
    expected = sentences.execute(call.format("")).fetchall()
    assert sentences.execute(call.format(", model := 'm'")).fetchall() == expected
