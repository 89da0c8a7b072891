"""Labels that are no classes, at the command line: query files take them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.cli.program import called


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A table of vectors with tags, and with numbers, of which some are wrong."""
    file = tmp_path / "labels.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("""
            CREATE TABLE t AS
            SELECT id, [a, b, a * b]::FLOAT[] AS v, 10 * a + b + if(id % 20 = 0, 30, 0) AS number,
                CASE WHEN id % 5 = 0 THEN [] WHEN a > 0 AND b > 0 THEN ['a', 'b']
                    WHEN a > 0 THEN ['a'] WHEN b > 0 THEN ['b'] ELSE []::VARCHAR[] END AS tags
            FROM (SELECT i AS id, sin(i) AS a, sin(i * 1.7 + 1) AS b FROM range(300) r(i))
        """)
    return file


@pytest.mark.parametrize("label", ["number", "tags"])
def test_query_files_take_them(db: Path, label: str) -> None:
    run = ["run", "--db", str(db)]
    columns = [f"label={label}", "issues=found"]
    for query in (
        ["detect", "table=t", "text=v", f"label={label}", "into=found"],
        ["review_queue", "text=v", *columns],
        ["correct", "table=t", *columns, "into=mended"],
        ["prune", "issues=found", "into=pruned"],
    ):
        ran = called(*run, *query)
        assert ran.returncode == 0, ran.stderr
    assert "people who look" in called(*run, "correct", "table=t", *columns, "into=again").stdout
    with duckdb.connect(str(db)) as con:
        ((flagged, left),) = con.execute(
            "SELECT count(*) FILTER (is_label_issue), (SELECT count(*) FROM pruned) FROM found"
        ).fetchall()
    assert flagged > 5 and left == 300 - flagged
