"""Consensus of labels that are no classes: numbers, and tags."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest


@pytest.fixture
def scores(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """`votes`: 200 items scored by four of six people, one of whom is generous, one careless."""
    con.execute("""
        CREATE TABLE votes AS
        SELECT item, 'p' || who AS who, (item % 40 + hash(item + who * 1000) % 100 / 25
            + if(who = 5, 6, 0) + if(who = 4, hash(item) % 300 / 10 - 15, 0))::DECIMAL(6, 2)
            AS score
        FROM range(200) i(item), range(6) w(who) WHERE hash(item * 7 + who) % 3 > 0
    """)
    return con


def test_numbers(scores: duckdb.DuckDBPyConnection) -> None:
    found = scores.execute("FROM consensus(votes, item, who, score) ORDER BY item").df()
    assert list(found.columns) == [
        "item", "consensus_label", "consensus_quality", "agreement", "annotators",
        "consensus_low", "consensus_high", "not_judged",
    ]  # fmt: skip
    true = np.array(found["item"] % 40, dtype=float)
    off = found.consensus_label.astype(float) - true
    assert np.abs(off - off.median()).mean() < 1.5 and found.agreement.isna().all()
    assert (found.consensus_low < found.consensus_label.astype(float)).all()
    assert found.consensus_quality.between(0.5, 1).all()
    kinds = scores.execute("DESCRIBE FROM consensus(votes, item, who, score)").fetchall()
    assert {name: kind for name, kind, *_ in kinds}["consensus_label"] == "DECIMAL(6,2)"
    people = scores.execute("FROM annotator_quality(votes, item, who, score)").df()
    assert people.annotator[0] == "p4" and people.noise[0] == people.noise.max()
    bias = people.set_index("annotator").bias
    assert bias["p5"] == bias.max() and bias["p5"] - bias.drop("p5").max() > 3
    assert list(people.columns)[-3:] == ["bias", "noise", "worst_class"]
    kinds = scores.execute("DESCRIBE FROM annotator_quality(votes, item, who, score)").fetchall()
    assert kinds[-1][:2] == ("worst_class", "DECIMAL(6,2)")


def test_whole_numbers_are_classes_unless_the_task_says_so(
    scores: duckdb.DuckDBPyConnection,
) -> None:
    scores.execute(
        "CREATE TABLE whole AS SELECT * REPLACE (round(score)::INTEGER AS score) FROM votes"
    )
    plain = scores.execute("FROM consensus(whole, item, who, score)").df()
    assert plain.agreement.notna().all() and "consensus_low" not in plain
    call = "FROM consensus(whole, item, who, score, task := 'regression')"
    found = scores.execute(call).df()
    assert found.agreement.isna().all() and found.consensus_low.notna().all()
    assert scores.execute(f"DESCRIBE {call}").fetchall()[1][1] == "INTEGER"


def test_tags(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE votes AS
        SELECT item, 'p' || who AS who, list_filter(['a', 'b', 'c'],
            lambda t: (((t = 'a' AND item % 2 = 0) OR (t = 'b' AND item % 3 = 0))
                <> (hash(item * 10 + who + ascii(t)) % 100 < if(who = 4, 40, 8)))) AS tags
        FROM range(150) i(item), range(5) w(who)
    """)
    found = con.execute("FROM consensus(votes, item, who, tags) ORDER BY item").df()
    right = [
        set(label) == {t for t, n in (("a", 2), ("b", 3)) if item % n == 0}
        for item, label in zip(found["item"], found.consensus_label, strict=True)
    ]
    assert np.mean(right) > 0.9
    quality = found.consensus_quality
    assert quality[np.array(right)].mean() > quality[~np.array(right)].mean() + 0.2
    assert found.agreement.between(0, 1).all() and (found.annotators == 5).all()
    people = con.execute("FROM annotator_quality(votes, item, who, tags)").df()
    assert people.annotator[0] == "p4" and people.agreement_with_consensus.idxmin() == 0
    assert people.worst_class.isna().all() and people.quality.between(0, 1).all()
    majority = con.execute("FROM consensus(votes, item, who, tags, method := 'majority')").df()
    assert len(majority) == 150


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("consensus(votes, item, who, score, x := who)", "these labels are numbers. Leave it out"),
        ("consensus(votes, item, who, score, method := 'majority')", "It may be 'auto'"),
        ("consensus(votes, item, who, [who], method := 'crowdlab')", "'auto', 'majority', 'dawid"),
        ("consensus(votes, item // 2, who, score)", "an annotator gave one item different labels"),
        ("consensus(votes, item, who, NULL::DOUBLE, task := 'regression')", "no item has a label"),
        ("annotator_quality(votes, item, who, []::VARCHAR[])", "no row has a tag"),
    ],
)
def test_what_cannot_be_had_is_said(
    scores: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    with pytest.raises(duckdb.Error) as error:
        scores.execute(f"FROM {call}").fetchall()
    assert message in str(error.value)
