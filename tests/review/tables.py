"""Tables to review, and what a model may have said of them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from tests.functions.pictures import shapes

CLASSES = ("it's <b>billing</b>", "delivery", "product")
EVIL = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
# Class probabilities are read, so that nothing has to be learned; a tenth of the labels is wrong.
MADE = """
CREATE TABLE train AS
WITH numbered AS (
    SELECT i AS id, $1[1 + i % 3] AS truth, if(i % 10 = 4, $1[1 + (i + 1) % 3], truth) AS label,
        0.6 + (hash(i) % 39) / 100 AS sure
    FROM range({rows}) r(i)
)
SELECT id, if(id = 4, $2, 'where is my order ' || id || '?') AS text, label, truth,
    map_from_entries([
        {{k: c, v: if(c = truth, sure, (1 - sure) / 2)}} FOR c IN $1
    ]) AS probs
FROM numbered
"""


def make(path: Path, rows: int = 300) -> Path:
    """A database with the table `train`: id, text, label, truth and probs."""
    with duckdb.connect(str(path)) as con:
        con.execute(MADE.format(rows=rows), [list(CLASSES), EVIL])
    return path


def add_test_rows(path: Path) -> Path:
    """Give a database that `make` made the table `test`: 90 rows that are right, with truth."""
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE test AS SELECT id + 1000 AS id, text || ' please' AS text, "
            "truth AS label, truth FROM train WHERE id <> 4 LIMIT 90"
        )
    return path


def make_pictures(path: Path) -> Path:
    """A database with the table `train`: id, picture, fields and label, of which two are wrong."""
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE train (id INTEGER, picture BLOB, label VARCHAR, "
            "fields STRUCT(side DOUBLE, corners VARCHAR))"
        )
        for number, (picture, name) in enumerate(zip(*shapes(60), strict=True)):
            con.execute(
                "INSERT INTO train VALUES ($1, $2, $3, {side: $4, corners: $5})",
                [number, picture, name if number not in (8, 11) else "circle",
                 number % 7, name[0]],
            )  # fmt: skip
    return path


def rows_and_judged(n: int = 8) -> tuple[pa.Table, pa.Table]:
    """Rows of the classes a and b, of which the first half is doubtful, the first one most."""
    keys = [f"k{i}" for i in range(n)]
    given = ["a" if i % 2 == 0 else "b" for i in range(n)]
    doubtful = [i < n // 2 for i in range(n)]
    other = {"a": "b", "b": "a"}
    predicted = [other[g] if d else g for g, d in zip(given, doubtful, strict=True)]
    rows = pa.table({"key": keys, "label": given, "text": [f"Text {i}" for i in range(n)]})
    judged = pa.table(
        {
            "key": keys,
            "label_quality": [i / n for i in range(n)],
            "is_label_issue": doubtful,
            "suggested_label": [
                p if d else None for p, d in zip(predicted, doubtful, strict=True)
            ],
            "predicted_label": predicted,
            "class_probs": pa.array(
                [[("a", 0.8 if p == "a" else 0.2), ("b", 0.8 if p == "b" else 0.2)]
                 for p in predicted],
                pa.map_(pa.string(), pa.float64()),
            ),
            "not_judged": pa.array([None] * n, pa.string()),
        }
    )  # fmt: skip
    return rows, judged
