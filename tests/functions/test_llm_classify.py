from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import SAMPLE


@pytest.fixture
def trained(sample: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    sample.execute("FROM fine_tune('support', requests, text, true_label)").fetchall()
    return sample


def test_the_answer_is_one_of_the_classes_or_null(trained: duckdb.DuckDBPyConnection) -> None:
    counted = trained.execute("""
        SELECT avg((llm_classify(text, model := 'support') = true_label)::INTEGER) > 0.85,
            count(*) FILTER (llm_classify(text, model := 'support') IS NULL) FROM requests
    """)
    assert counted.fetchall() == [(True, 0)]
    answers = trained.execute("""
        SELECT llm_classify(t, model := 'support') FROM (VALUES (NULL), (''), ('my parcel is late'))
            v(t)
    """).fetchall()
    assert answers == [(None,), (None,), ("delivery",)]


def test_labels_restrict_the_answer(trained: duckdb.DuckDBPyConnection) -> None:
    one = "llm_classify('my parcel is late', ['billing', 'account'], model := 'support')"
    answer = trained.execute(f"SELECT {one}").fetchall()[0][0]
    assert answer in ("billing", "account")
    with pytest.raises(duckdb.InvalidInputException, match=r"no class 'refund'. Its classes are"):
        trained.execute("SELECT llm_classify('a', ['billing', 'refund'], model := 'support')")
    with pytest.raises(duckdb.InvalidInputException, match="2 to 500 different labels"):
        trained.execute("SELECT llm_classify('a', ['billing'], model := 'support')")


def test_a_session_default_and_a_pinned_version(trained: duckdb.DuckDBPyConnection) -> None:
    trained.execute("UPDATE requests SET true_label = 'all ' || true_label")
    trained.execute("FROM fine_tune('support', requests, text, true_label)").fetchall()
    trained.execute("SET VARIABLE sqlfuncs_model = 'support'")
    answers = trained.execute("""
        SELECT llm_classify('my parcel is late'),
            llm_classify('my parcel is late', model := 'support@1')
    """)
    assert answers.fetchall() == [("all delivery", "delivery")]


def test_a_model_that_does_not_exist_says_which_do(trained: duckdb.DuckDBPyConnection) -> None:
    for call, message in (
        ("llm_classify('a')", "SET VARIABLE sqlfuncs_model"),
        ("llm_classify('a', model := 'suport')", "no model 'suport'. There are: support"),
        ("llm_classify('a', model := 'support@7')", "no version 7 of 'support'. It has: 1"),
        ("llm_classify(1, model := 'support')", "is of type INTEGER"),
    ):
        with pytest.raises(duckdb.InvalidInputException, match=message):
            trained.execute(f"SELECT {call}").fetchall()


def test_options_are_the_same_for_every_row(trained: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="the same for every row"):
        trained.execute("SELECT llm_classify(text, model := label) FROM requests").fetchall()


def test_another_process_classifies_alike(trained: duckdb.DuckDBPyConnection) -> None:
    query = f"SELECT llm_classify(text, model := 'support') FROM '{SAMPLE}' LIMIT 50"
    script = (
        "import sqlfuncs\n"
        "with sqlfuncs.connect() as con:\n"
        f'    print(con.execute("{query}").fetchall())\n'
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip() == str(trained.execute(query).fetchall()), ran.stderr


def test_a_model_edited_by_hand_is_refused(trained: duckdb.DuckDBPyConnection, home: Path) -> None:
    # One that no other test has loaded: a model in memory is the one that was checked.
    trained.execute("FROM fine_tune('edited', requests, text, label, seed := 77)").fetchall()
    (weights,) = home.glob("models/edited-*/1/fast.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(duckdb.InvalidInputException, match="is not what was stored"):
        trained.execute("SELECT llm_classify('a', model := 'edited')").fetchall()


NAMED = "llm_classify(text, ['a', 'b', 'it''s c'], model := 'fake:', multi := {})"
TEXTS = "(VALUES (1, 'a b'), (2, 'it''s c'), (3, 'x'), (4, NULL), (5, ' ')) AS v(id, text)"


def test_any_number_of_labels_is_a_list(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE TABLE t AS SELECT id, {NAMED.format('true')} AS tags FROM {TEXTS}")
    ((kind,),) = con.execute("SELECT DISTINCT typeof(tags) FROM t").fetchall()
    assert kind == "VARCHAR[]"
    rows = con.execute("SELECT tags FROM t ORDER BY id").fetchall()
    assert rows == [(["a", "b"],), (["it's c"],), ([],), (None,), (None,)]
    tags = con.execute(f"SELECT id FROM {TEXTS} WHERE 'b' IN {NAMED.format('true')}").fetchall()
    assert tags == [(1,)]
    for one in ("false", "NULL"):
        rows = con.execute(f"SELECT {NAMED.format(one)} FROM {TEXTS} ORDER BY id").fetchall()
        assert rows == [("a",), ("it's c",), ("a",), (None,), (None,)]


def test_whether_it_is_a_list_is_known_as_a_statement_is_planned(
    con: duckdb.DuckDBPyConnection,
) -> None:
    many = f"SELECT {NAMED.format('$many')} FROM {TEXTS} ORDER BY id LIMIT 1"
    assert con.execute(many, {"many": True}).fetchall() == [(["a", "b"],)]
    assert con.execute(many, {"many": False}).fetchall() == [("a",)]
    for call, message in (
        (NAMED.format("id > 1"), "must be a constant"),
        (NAMED.format("'yes'"), "has to be true or false"),
    ):
        with pytest.raises(duckdb.Error, match=message):
            con.execute(f"SELECT {call} FROM {TEXTS}").fetchall()


def test_a_script_of_lists(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    answers = {"one": ["b"], "two": ["b", "a"], "none": [], "odd": ["a", "z"], "no": None}
    (tmp_path / "s.json").write_text(json.dumps({"answers": answers, "otherwise": "a"}))
    call = f"llm_classify(text, ['a', 'b'], model := 'fake:{tmp_path}/s.json', multi := true)"
    found = con.execute(
        f"SELECT {call} FROM (SELECT unnest($texts) AS text)", {"texts": [*answers, "other"]}
    ).fetchall()
    assert found == [(["b"],), (["b", "a"],), ([],), (None,), (None,), (["a"],)]


def test_a_model_of_one_label_gives_no_others(trained: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="was trained to give one label"):
        trained.execute("SELECT llm_classify('a', model := 'support', multi := true)").fetchall()
