"""Tables to review whose labels are tags, and numbers, of which some are wrong."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.review.tables import EVIL

# What a list, its text, HTML and CSV write in another way, and what looks like NULL.
TAGS = (
    "a, b", "it's \"so\"", "[odd]", "NULL", "back\\slash", "<b>bold</b>", "é", "{x: 1}", "null",
    "two words",
)  # fmt: skip
_TAGGED = """
CREATE TABLE train AS
WITH numbered AS (
    SELECT i AS id, sin(i) AS a, sin(i * 1.7 + 1) AS b, sin(i * 2.3 + 2) AS c
    FROM range({rows}) r(i)
), truths AS (
    SELECT *, list_concat(
        if(a > 0, $1[1:1], []), if(b > 0, $1[2:2], []), if(c > 0, $1[3:3], []),
        if(id % 7 = 3, [$1[4 + id // 7 % 7]], [])
    ) AS truth
    FROM numbered
)
SELECT id, if(id = 4, $2, 'request ' || id) AS text, truth,
    CASE
        WHEN id % 5 = 4 THEN truth[2:]
        WHEN id % 7 = 6 AND NOT list_contains(truth, $1[3]) THEN list_append(truth, $1[3])
        ELSE truth
    END AS label,
    [a, b, c]::FLOAT[] AS x
FROM truths
"""
_MEASURED = """
CREATE TABLE train AS
SELECT i AS id, if(i = 4, $1, 'parcel ' || i) AS text, 1 + hash(i + 1) % 20 AS kg,
    hash(i + 2) % 900 AS km,
    round(4 + 1.5 * kg + km / 50 + (hash(i) % 100) / 100, 2)::{type} AS truth,
    if(i % 10 = 4, round(truth * 10, 2), truth)::{type} AS label, {{kg: kg, km: km}} AS x,
    [kg, km / 50]::FLOAT[] AS vector
FROM range({rows}) r(i)
"""


# Labels that lists and HTML write in another way, and words that are HTML.
WORDS = ("O", "B-<i>PER", "I-<i>PER", 'B-it\'s, "so"')
_WORDED = """
CREATE TABLE train AS
WITH sentences AS (
    SELECT i AS id, (hash(i) % 4)::INTEGER AS who, (hash(i + 7) % 4)::INTEGER AS place,
        hash(i + 9) % 3 AS form
    FROM range({rows}) r(i)
), written AS (
    SELECT id, CASE form
        WHEN 0 THEN ['I', 'met', n[1 + who], s[1 + who], 'in', p[1 + place], 'today']
        WHEN 1 THEN [n[1 + who], s[1 + who], 'went', 'to', p[1 + place]]
        ELSE ['the', 'train', 'from', p[1 + place], 'brought', n[1 + who], 'home'] END AS x
    FROM sentences, (
        SELECT ['Ann', 'Bob', 'Carla', $2] AS n, ['Lee', 'Ray', 'Stone', 'Hill'] AS s,
            ['Rome', 'Paris', 'Oslo', 'Bern'] AS p
    )
), labelled AS (
    SELECT id, x, list_transform(x, lambda w: CASE
        WHEN w IN ('Ann', 'Bob', 'Carla', $2) THEN $1[2]
        WHEN w IN ('Lee', 'Ray', 'Stone', 'Hill') THEN $1[3]
        WHEN w IN ('Rome', 'Paris', 'Oslo', 'Bern') THEN $1[4] ELSE $1[1] END) AS truth
    FROM written
)
SELECT id, 'request ' || id AS text, x, truth,
    if(id % 12 = 3, list_transform(truth, lambda l: if(l = $1[4], 'O', l)), truth) AS label
FROM labelled
"""


def make_worded(path: Path, rows: int = 240) -> Path:
    """The same with labels of words: in every twelfth row places are not labelled."""
    with duckdb.connect(str(path)) as con:
        con.execute(_WORDED.format(rows=rows), [list(WORDS), EVIL])
    return path


def make_tagged(path: Path, rows: int = 300) -> Path:
    """A database with the table `train`: id, text, label and truth (VARCHAR[]), and x (vectors).

    A tag was forgotten in some of the rows, and added to others.
    """
    with duckdb.connect(str(path)) as con:
        con.execute(_TAGGED.format(rows=rows), [list(TAGS), EVIL])
    return path


def make_measured(path: Path, of_type: str = "DECIMAL(9, 2)", rows: int = 200) -> Path:
    """The same with numbers, a tenth of them ten times too large, a STRUCT for x, and vectors."""
    with duckdb.connect(str(path)) as con:
        con.execute(_MEASURED.format(type=of_type, rows=rows), [EVIL])
    return path
