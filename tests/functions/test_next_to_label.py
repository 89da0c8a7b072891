from __future__ import annotations

import duckdb

from tests.conftest import needs_local
from tests.functions.vote_tables import load_votes


def test_items_without_a_label_are_ranked_too(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    con.execute("""
        CREATE TABLE given AS
        SELECT id, annotator, CASE WHEN id % 10 > 0 THEN label END AS label, text
        FROM votes WHERE id <= 400
    """)
    rows = con.execute(
        "FROM next_to_label(given, id, annotator, label, text, budget := 1000)"
    ).fetchall()
    assert len(rows) == 400
    assert [rank for _, rank, _, _ in rows] == list(range(1, 401))
    scores = [score for _, _, score, _ in rows]
    assert scores == sorted(scores, reverse=True)
    assert {annotators for item, _, _, annotators in rows if item % 10 == 0} == {0}
    first = con.execute(
        "FROM next_to_label(given, id, annotator, label, text, budget := 7)"
    ).fetchall()
    assert first == rows[:7]


def test_the_order_of_rows_does_not_matter(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    con.execute("CREATE TABLE given AS FROM votes WHERE id <= 300")
    con.execute("CREATE TABLE shuffled AS FROM given ORDER BY hash(id, annotator)")
    call = "FROM next_to_label({}, id, annotator, label, text)"
    expected = con.execute(call.format("given")).fetchall()
    assert con.execute(call.format("shuffled")).fetchall() == expected


@needs_local
def test_it_asks_about_items_whose_consensus_is_wrong(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    wrong = con.execute("""
        WITH agreed AS (
            SELECT item, consensus_label <> true_label AS wrong
            FROM consensus(votes, id, annotator, label, x := text) JOIN truth ON item = id
        ), asked AS (FROM next_to_label(votes, id, annotator, label, text, budget := 100))
        SELECT avg(wrong::INTEGER) FILTER (asked.item IS NOT NULL), avg(wrong::INTEGER)
        FROM agreed LEFT JOIN asked USING (item)
    """).fetchall()[0]
    assert wrong[0] > 3 * wrong[1]
