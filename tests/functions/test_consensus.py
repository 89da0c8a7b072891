from __future__ import annotations

import duckdb
import numpy as np
import pytest

from tests.conftest import needs_local
from tests.functions.vote_tables import load_votes


def accuracy(con: duckdb.DuckDBPyConnection, options: str) -> float:
    measured = con.execute(f"""
        SELECT avg((consensus_label = true_label)::INTEGER)
        FROM consensus(votes, id, annotator, label, {options}) JOIN truth ON item = id
    """).fetchall()
    return float(measured[0][0])


def test_dawid_skene_is_right_more_often_than_the_majority(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    majority = accuracy(con, "method := 'majority'")
    assert accuracy(con, "method := 'auto'") == accuracy(con, "method := 'dawid_skene'")
    assert accuracy(con, "method := 'auto'") > majority + 0.01 > 0.89


@needs_local
def test_with_a_model_it_is_right_more_often_still(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    assert accuracy(con, "x := text") == accuracy(con, "x := text, method := 'crowdlab'") > 0.94


@pytest.mark.parametrize(
    "options", ["method := 'majority'", "method := 'dawid_skene'", "x := text"]
)
def test_neither_order_nor_threads_change_a_bit(
    con: duckdb.DuckDBPyConnection, options: str
) -> None:
    load_votes(con)
    con.execute("""
        CREATE TABLE given AS FROM votes WHERE id <= 300;
        CREATE TABLE shuffled AS FROM given ORDER BY hash(id + 1, annotator)
    """)
    call = "FROM consensus({}, id, annotator, label, " + options + ") ORDER BY item"
    expected = con.execute(call.format("given")).fetchall()
    assert con.execute(call.format("shuffled")).fetchall() == expected
    con.execute("SET threads = 1")
    assert con.execute(call.format("shuffled")).fetchall() == expected


def test_one_row_an_item_and_scores_in_their_range(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    found = con.execute("FROM consensus(votes, id, annotator, label)").df()
    assert found.columns.tolist() == [
        "item",
        "consensus_label",
        "consensus_quality",
        "agreement",
        "annotators",
        "not_judged",
    ]
    seen = con.execute("SELECT DISTINCT ON (id) id FROM votes").fetchall()
    assert sorted(found["item"]) == sorted(item for (item,) in seen)
    assert found.consensus_quality.between(0, 1).all()
    assert found.agreement.between(0, 1).all()
    assert found.annotators.sum() == 4540


@pytest.mark.slow
def test_a_hundred_thousand_items_of_five_thousand_annotators(
    con: duckdb.DuckDBPyConnection,
) -> None:
    random = np.random.default_rng(0)
    items = np.repeat(np.arange(100_000), 3)
    truth = np.repeat(random.integers(10, size=100_000), 3)
    annotators = random.integers(5_000, size=300_000)
    wrong = random.random(300_000) < random.beta(1, 3, size=5_000)[annotators]
    labels = np.where(wrong, random.integers(10, size=300_000), truth)
    given = {"item": items, "annotator": annotators, "label": labels, "truth": truth}
    con.register("given", given)
    con.execute("CREATE TABLE many AS SELECT DISTINCT ON (item, annotator) * FROM given")
    con.unregister("given")
    right = con.execute("""
        SELECT count(*), avg((consensus_label = truth)::INTEGER)
        FROM consensus(many, item, annotator, label) AS c
        JOIN (SELECT DISTINCT item, truth FROM many) AS t USING (item)
    """).fetchall()[0]
    assert right[0] == 100_000
    assert right[1] > 0.9
    assert con.execute(
        "SELECT count(*) FROM annotator_quality(many, item, annotator, label)"
    ).fetchall() == [(5_000,)]


def test_an_item_without_a_usable_x_is_judged_by_its_labels(
    con: duckdb.DuckDBPyConnection,
) -> None:
    load_votes(con)
    con.execute("""
        CREATE TABLE given AS
        SELECT id, annotator, label, CASE WHEN id <> 3 THEN text END AS text
        FROM votes WHERE id <= 200
    """)
    call = (
        "SELECT consensus_label, not_judged FROM consensus(given, id, annotator, label, x := text)"
    )
    assert con.execute(f"{call} WHERE item = 3").fetchall() == [("billing", None)]
