"""Reports on labels of words: their figures are those of the functions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import run
from tests.report.written import decide, report, truthfully
from tests.review.kinds import WORDS, make_worded
from tests.review.tables import EVIL

RANDOM = "md5('review ' || id::VARCHAR)"
SAID = ("--label", "label", "--x", "x")
Rows = list[dict[str, Any]]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make_worded(tmp_path / "my.duckdb")


def _figures(db: Path, sql: list[str]) -> list[Rows]:
    """What each piece of SQL of a report shows, run after those above it."""
    with sqlfuncs.connect(db, read_only=True) as con:
        shown = [[r for r in run(con, each) if r.columns][-1] for each in sql[:-1]]
        return [[dict(zip(r.columns, row, strict=True)) for row in r.rows] for r in shown]


def _with(figures: list[Rows], column: str) -> Rows:
    return next(rows for rows in figures if rows and column in rows[0])


def test_words_are_counted_as_label_health_does(db: Path) -> None:
    found = report(db, *SAID)
    figures = _figures(db, found.sql)
    labels = {row["label"]: row for row in _with(figures, "words")}
    with sqlfuncs.connect(db, read_only=True) as con:
        health = con.execute(
            'SELECT label[1], "rows", flagged, error_rate FROM label_health(train, x, label)'
        ).fetchall()
        con.execute("CREATE TEMP TABLE issues AS FROM label_issues(train, x, label)")
        ((rows, words, of),) = con.execute(
            "SELECT count(*) FILTER (is_label_issue), sum(len(word_issues)), sum(len(x)) "
            "FROM issues"
        ).fetchall()
        ((issue,),) = con.execute(
            "SELECT word_issues[1] FROM issues WHERE is_label_issue "
            "ORDER BY word_issues[1].quality LIMIT 1"
        ).fetchall()
    assert {name for name, *_ in health} == {*labels} == {*WORDS}
    for name, count, flagged, rate in health:
        assert (labels[name]["words"], labels[name]["flagged"]) == (count, flagged)
        assert labels[name]["error_rate"] == pytest.approx(rate)
    assert rows > 2
    assert f"flags {words} words of {of:,}, in {rows} of 240 rows" in found.words
    assert f"{rows} rows with a word whose label is probably wrong" in found.words
    example = _with(figures, "before")[0]
    assert example["quality"] == pytest.approx(issue["quality"])
    assert (example["given"], example["suggested"]) == ("O", WORDS[3])
    said = " ".join(each for each in (example["before"], example["word"], example["after"]) if each)
    with duckdb.connect(str(db), read_only=True) as con:
        ((x,),) = con.execute(
            "SELECT array_to_string(x, ' ') FROM train WHERE id = $1", [example["key"]]
        ).fetchall()
    assert said == x
    assert "a report does not train on labels of this kind yet" in found.words


def test_what_people_did_with_flagged_words_is_counted(db: Path) -> None:
    written = truthfully(db, f"id % 12 <> 3, {RANDOM}", 30)
    decide(db, "decisions", written)
    found = report(db, *SAID, "--truth", "truth")
    wrong = sum(each.is_wrong for each in written)
    assert wrong == 20
    assert f"found {wrong} wrong labels" in found.words
    changes = _with(_figures(db, found.sql), "done")
    assert changes[0]["suggested"] == WORDS[3]
    assert changes[0]["flagged"] == changes[0]["reviewed"] == changes[0]["done"] > 2
    steps = _with(_figures(db, found.sql), "as_reviewed")
    with duckdb.connect(str(db), read_only=True) as con:
        ((share,),) = con.execute("SELECT avg((label <> truth)::INTEGER) FROM train").fetchall()
    assert steps[-1]["at_random"] == pytest.approx(30 * share)


def test_words_are_text(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET x = [$1] || x[2:] WHERE id % 12 = 3", [EVIL])
    found = report(db, *SAID, "--text", "x")
    assert EVIL in found.words and WORDS[3] in found.words
    assert "<script" not in found.html and "<i>" not in found.html


def test_somebodys_probabilities_and_a_long_sentence(db: Path) -> None:
    """Probabilities do not say the words; of 10,000 words a few stand in the report."""
    with duckdb.connect(str(db)) as con:
        con.execute(
            "CREATE TABLE long AS "
            "SELECT id, text, if(id = 3, flatten([x FOR i IN range(1500)]), x) AS x, "
            "if(id = 3, flatten([label FOR i IN range(1500)]), label) AS label, "
            "if(id = 3, flatten([truth FOR i IN range(1500)]), truth) AS truth FROM train"
        )
        con.execute(
            "ALTER TABLE long ADD COLUMN probs MAP(VARCHAR, DOUBLE)[]; UPDATE long SET probs = "
            "[map_from_entries([{k: n, v: if(n = t, 0.97, 0.01)} FOR n IN $1]) FOR t IN truth]",
            [list(WORDS)],
        )
    found = report(db, "--table", "long", "--label", "label", "--x", "probs")
    assert "(not said)" in found.words and re.search(r"word \d: O", found.words)
    assert len(found.html) < 100_000
