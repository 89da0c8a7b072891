from __future__ import annotations

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
