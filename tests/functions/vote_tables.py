"""What the tests of several annotators share: the votes of the bundled sample."""

from __future__ import annotations

import duckdb

from tests.conftest import ROOT


def load_votes(con: duckdb.DuckDBPyConnection) -> None:
    """The tables `votes` (id, annotator, label, text) and `truth` (id, true_label)."""
    con.execute(f"""
        CREATE TABLE truth AS SELECT id, true_label FROM '{ROOT}/data/support_requests.csv';
        CREATE TABLE votes AS SELECT v.*, text
        FROM '{ROOT}/data/support_requests_votes.csv' AS v
        JOIN '{ROOT}/data/support_requests.csv' USING (id)
    """)
