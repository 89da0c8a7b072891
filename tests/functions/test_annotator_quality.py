from __future__ import annotations

import duckdb
import pytest

from tests.functions.vote_tables import load_votes


@pytest.mark.parametrize(
    "options",
    [
        "method := 'majority'",
        "method := 'dawid_skene'",
        pytest.param("x := text", marks=pytest.mark.slow),
    ],
)
def test_annotators_are_ranked_as_the_truth_ranks_them(
    con: duckdb.DuckDBPyConnection, options: str
) -> None:
    load_votes(con)
    ranked = con.execute(f"""
        SELECT annotator, quality FROM annotator_quality(votes, id, annotator, label, {options})
    """).fetchall()
    truly = con.execute("""
        SELECT annotator, avg((label = true_label)::INTEGER) AS right_of_them
        FROM votes JOIN truth USING (id) GROUP BY annotator ORDER BY right_of_them
    """).fetchall()
    assert ranked[0][0] == truly[0][0]
    assert ranked[-1][0] == truly[-1][0]
    assert [quality for _, quality in ranked] == sorted(quality for _, quality in ranked)
    if "dawid" in options:
        for (_, estimated), (_, true) in zip(sorted(ranked), sorted(truly), strict=True):
            assert estimated == pytest.approx(true, abs=0.05)


def test_the_order_of_rows_does_not_matter(con: duckdb.DuckDBPyConnection) -> None:
    load_votes(con)
    con.execute("CREATE TABLE shuffled AS FROM votes ORDER BY hash(id, annotator)")
    call = "FROM annotator_quality({}, id, annotator, label)"
    expected = con.execute(call.format("votes")).fetchall()
    assert con.execute(call.format("shuffled")).fetchall() == expected
