"""Tables whose labels are tags or numbers, and what people decide about them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sqlfuncs.review.decisions import Decision
from tests.review.tables import EVIL

QUOTED = 'it\'s <b>"a"</b>, b'
RARE = "only one row has it"
# In every fifth row tags are forgotten, in every seventh one is added; every twentieth number
# has slipped by a factor of ten.
MADE = """
CREATE TABLE train AS
SELECT
    id,
    if(id = 20, $1, 'row ' || id) AS text,
    [a, b, a * b]::FLOAT[] AS v,
    list_sort(list_filter([$1, $2], lambda tag: if(tag = $1, a > 0, b > 0))) AS true_tags,
    CASE WHEN id % 5 = 0 THEN []
        WHEN id % 7 = 0 THEN list_sort(list_distinct(true_tags || [$2]))
        WHEN id = 8 THEN list_sort(true_tags || [$3])
        ELSE true_tags END AS tags,
    round(40 + 10 * a + b, 2) AS true_number,
    if(id % 20 = 0, 10, 1) * true_number AS number,
    (10 * a)::INTEGER AS whole,
    [id] AS whole_list
FROM (SELECT i AS id, sin(i) AS a, sin(i * 1.7 + 1) AS b FROM range(300) r(i))
"""


def make(path: Path) -> Path:
    """A database with the table `train`: id, text, v, tags, true_tags, number, true_number."""
    with duckdb.connect(str(path)) as con:
        con.execute(MADE, [EVIL, QUOTED, RARE])
    return path


def add_test_rows(path: Path) -> Path:
    """Give a database that `make` made the table `test`: 90 rows that are right."""
    with duckdb.connect(str(path)) as con:
        con.execute("""
            CREATE TABLE test AS
            SELECT id + 1000 AS id, text || ' please' AS text,
                [each + 0.001 FOR each IN v]::FLOAT[] AS v, true_tags AS tags,
                true_number AS number, whole
            FROM train LIMIT 90
        """)
    return path


def truthfully(db: Path, label: str, order: str, count: int) -> list[Decision]:
    """What somebody who knows the truth decides of the first rows in an order."""
    with duckdb.connect(str(db)) as con:
        rows = con.execute(
            f"SELECT id::VARCHAR, {label}::VARCHAR, true_{label}::VARCHAR FROM train "
            f"ORDER BY {order} LIMIT {count}"
        ).fetchall()
    return [
        Decision(key, "keep", label, None, "ann")
        if label == truth
        else Decision(key, "relabel", label, truth, "ann")
        for key, label, truth in rows
    ]
