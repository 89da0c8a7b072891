from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from tests.conftest import needs_local
from tests.functions.vote_tables import load_votes


@needs_local
def test_it_foretells_where_annotators_of_the_sample_differ(
    con: duckdb.DuckDBPyConnection,
) -> None:
    load_votes(con)
    found = con.execute("FROM disagreement(votes, id, annotator, label, text)").df()
    assert len(found) == 1500
    assert found.expected_disagreement.between(0, 1).all()
    several = found[found.annotators >= 3]
    assert roc_auc_score(several.disagreement > 0, several.expected_disagreement) > 0.62
    # Not only the order: as much as there is, is expected.
    pairs = found.disagreement.notna()
    assert abs(found.expected_disagreement[pairs].mean() - found.disagreement[pairs].mean()) < 0.02


def test_neither_order_nor_threads_change_a_bit(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    con.execute("""
        CREATE TABLE given AS FROM votes WHERE id <= 200;
        CREATE TABLE shuffled AS FROM given ORDER BY hash(id + 1, annotator)
    """)
    call = "FROM disagreement({}, id, annotator, label, text) ORDER BY item"
    expected = con.execute(call.format("given")).fetchall()
    assert con.execute(call.format("shuffled")).fetchall() == expected
    con.execute("SET threads = 1")
    assert con.execute(call.format("shuffled")).fetchall() == expected


def test_items_without_a_label_are_foretold_by_the_others(con: duckdb.DuckDBPyConnection) -> None:
    random = np.random.default_rng(0)
    kind = np.arange(300) % 3  # on the first two annotators agree, on the third nobody knows
    x = 3 * np.eye(3)[kind] + random.standard_normal((300, 3))
    rows = [
        (
            item,
            who,
            None if item < 30 else int(kind[item] if kind[item] < 2 else random.integers(2)),
        )
        for item in range(300)
        for who in range(4)
    ]
    votes = pd.DataFrame(rows, columns=["item", "who", "label"])
    votes["x"] = [x[item] for item in votes["item"]]
    con.register("frame", votes)
    con.execute("CREATE TABLE votes AS SELECT * REPLACE (x::FLOAT[] AS x) FROM frame")
    found = con.execute("FROM disagreement(votes, item, who, label, x)").df()
    assert found["item"].tolist() == list(range(300))
    assert (found.annotators == np.where(np.arange(300) < 30, 0, 4)).all()
    assert found.disagreement.isna().sum() == 30
    new = found[:30]
    divided = kind[:30] == 2
    assert new.expected_disagreement[divided].mean() > 0.35
    assert new.expected_disagreement[~divided].mean() < 0.15
