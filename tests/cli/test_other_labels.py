"""Labels of every kind, at the command line: query files take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sqlfuncs
from tests.cli.program import called

X = {"number": "v", "tags": "v", "class": "v", "words": "p"}  # of each label what it is told by


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A table of vectors with labels of all kinds, of which some are wrong."""
    file = tmp_path / "labels.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("""
            CREATE TABLE t AS
            SELECT id, [a, b, a * b]::FLOAT[] AS v, 10 * a + b + if(id % 20 = 0, 30, 0) AS number,
                CASE WHEN id % 5 = 0 THEN [] WHEN a > 0 AND b > 0 THEN ['a', 'b']
                    WHEN a > 0 THEN ['a'] WHEN b > 0 THEN ['b'] ELSE []::VARCHAR[] END AS tags,
                if((a > 0) <> (id % 20 = 0), 'p', 'n') AS class,
                [if((n > 0) <> (id % 20 = 0), 'B', 'O') FOR n IN v] AS words,
                [MAP {'B': if(n > 0, 0.97, 0.03), 'O': if(n > 0, 0.03, 0.97)} FOR n IN v] AS p
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


def _said(db: Path, query: str, **given: object) -> list[list[dict[str, Any]]]:
    """What a query file printed: the rows of each result."""
    words = [f"{name}={value}" for name, value in given.items()]
    ran = called("run", query, "--db", str(db), "--format", "json", *words)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(
    ("label", "task", "rows", "own"),
    [
        ("number", "auto", 5, {"least", "most"}),
        ("whole", "regression", 5, {"least", "most"}),
        ("tags", "auto", 2, {"missing"}),
        ("words", "auto", 2, set()),
        ("class", "auto", 2, set()),
    ],
)
def test_a_few_rows_sum_it_up_and_the_loop_goes_on(
    db: Path, label: str, task: str, rows: int, own: set[str]
) -> None:
    """Of each kind what it is counted by; the queue, corrections and tables of its result."""
    with duckdb.connect(str(db)) as con:
        con.execute("ALTER TABLE t ADD COLUMN whole INTEGER; UPDATE t SET whole = round(number)")
    x = X.get(label, "v")
    given = {"issues": "found", "label": label, "task": task}
    counted = _said(db, "detect", table="t", text=x, label=label, into="found", task=task)[-1]
    names = {label, "rows", "flagged", "flagged_percent", "most_suggested", "not_judged"}
    assert len(counted) == rows and all(set(row) == names | own for row in counted)
    assert sum(row["flagged"] + row.get("missing", 0) for row in counted) > 3
    (drawn,) = _said(db, "review_queue", purpose="verify", budget=5, text="v", **given)
    assert len(drawn) == 5
    with duckdb.connect(str(db)) as con:
        con.execute(f"CREATE TABLE answers AS SELECT id, suggested_label AS {label} FROM found")
    *_, (checked,) = _said(db, "verify", table="t", answer=label, budget=5, **given)
    assert (checked["answered"], checked["suggestion_right"]) == (5, 5)
    assert _said(db, "correct", table="t", into="mended", **given)
    *_, tables = _said(db, "publish", log="decisions", **given)
    assert {row["table"] for row in tables} >= {"published_flags", "published_classes"}


@pytest.mark.parametrize("label", X)
def test_what_is_to_be_verified_is_what_the_function_draws(db: Path, label: str) -> None:
    """The sample that `correct` asks for, of what it may change."""
    x = X[label]
    _said(db, "detect", table="t", text=x, label=label, into="found")
    given = {"issues": "found", "text": x, "label": label}
    (drawn,) = _said(db, "review_queue", purpose="verify", budget=300, **given)
    with sqlfuncs.connect(db) as con:
        queue = f"review_queue(t, {x}, {label}, id, purpose := 'verify', budget := 300)"
        expected = con.execute(f"SELECT id FROM {queue}").fetchall()
    assert len(expected) >= 10
    assert [(row["id"],) for row in drawn] == expected
