"""Reports on labels that are tags or numbers: their figures are those of the functions."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.report.words import cell
from tests.report.other_labels import QUOTED, RARE, add_test_rows, make, truthfully
from tests.report.written import decide, ran, report
from tests.review.tables import EVIL

RANDOM = "md5('review ' || id::VARCHAR)"
Rows = list[dict[str, Any]]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "my.duckdb")


def _figures(db: Path, sql: list[str]) -> list[Rows]:
    """What each piece of SQL of a report shows, run after those above it."""
    with sqlfuncs.connect(db, read_only=True) as con:
        shown = [[r for r in run(con, each) if r.columns][-1] for each in sql[:-1]]
        return [[dict(zip(r.columns, row, strict=True)) for row in r.rows] for r in shown]


def _with(figures: list[Rows], column: str) -> Rows:
    return next(rows for rows in figures if rows and column in rows[0])


def test_tags_are_counted_as_label_health_does(db: Path) -> None:
    sample = truthfully(db, "tags", RANDOM, 60)
    decide(db, "decisions", sample)
    found = report(db, "--label", "tags", "--x", "v")
    figures = _figures(db, found.sql)
    tags = {row["tag"]: row for row in _with(figures, "wrongly_elsewhere")}
    with sqlfuncs.connect(db, read_only=True) as con:
        health = con.execute(
            'SELECT label[1], "rows", flagged, error_rate, wrongly_elsewhere '
            "FROM label_health(train, v, tags)"
        ).fetchall()
        ((flagged, missing),) = con.execute(
            "SELECT count(*) FILTER (is_label_issue), sum(len(missing_tags)) "
            "FROM label_issues(train, v, tags)"
        ).fetchall()
    assert {tag for tag, *_ in health} == {*tags} == {EVIL, QUOTED, RARE}
    for tag, rows, wrong, rate, elsewhere in health:
        row = tags[tag]
        assert (row["rows"], row["flagged"]) == (rows, wrong)
        assert row["error_rate"] == (None if rate is None else pytest.approx(rate))
        assert row["wrongly_elsewhere"] == (None if elsewhere is None else pytest.approx(elsewhere))
    assert missing > 20
    wrong = sum(row["flagged"] for row in tags.values())
    assert f"flags {flagged} of 300 rows: {wrong} tags to take away, and {missing} to add" in (
        found.words
    )


def test_what_people_did_with_doubtful_tags_is_counted(db: Path) -> None:
    sample = truthfully(db, "tags", RANDOM, 120)
    decide(db, "decisions", sample)
    found = report(db, "--label", "tags", "--x", "v")
    in_sample = sum(each.is_wrong for each in sample)
    assert f"Of 120 rows drawn at random, {in_sample} had a wrong label" in found.words
    changes = _with(_figures(db, found.sql), "done")
    added = next(row for row in changes if (row["change"], row["tag"]) == ("add", EVIL))
    mended = [each for each in sample if each.action == "relabel"]
    forgotten = sum(int(each.key) % 5 == 0 for each in mended)
    assert 0 < added["done"] <= forgotten
    assert added["done"] == added["reviewed"]
    assert f"add {EVIL}" in found.words


def test_tags_are_text(db: Path) -> None:
    found = report(db, "--label", "tags", "--x", "v")
    assert EVIL in found.words and QUOTED in found.words
    assert "<script" not in found.html and "<b>" not in found.html
    assert "onerror=" not in re.sub(r"onerror=(\\?&#39;|\\?&#34;|&quot;)", "", found.html)


def test_numbers_are_counted_as_label_health_does(db: Path) -> None:
    found = report(db, "--label", "number", "--x", "v")
    figures = _figures(db, found.sql)
    (row,) = _with(figures, "flagged_share")
    with sqlfuncs.connect(db, read_only=True) as con:
        con.execute("CREATE TEMP TABLE issues AS FROM label_issues(train, v, number)")
        health = con.execute(
            'SELECT "rows", flagged, error_rate FROM label_health(train, v, number)'
        ).fetchall()
        mae = con.execute("SELECT mae FROM evaluate(issues, number, predicted_label)").fetchall()
        ((low, high, given),) = con.execute(
            "SELECT label_low, label_high, number FROM issues ORDER BY label_quality, id::VARCHAR "
            "LIMIT 1"
        ).fetchall()
    assert health == [(row["rows"], row["flagged"], pytest.approx(row["error_rate"]))]
    assert mae == [(pytest.approx(row["mae"]),)]
    worst = _with(figures, "suggested")[0]
    assert (worst["label_low"], worst["label_high"]) == (low, high)
    assert not low <= given <= high
    assert f"Of 300 labels {row['flagged']} (5.0 %) lie outside" in found.words


def test_every_number_and_every_residual_is_in_a_bar(db: Path) -> None:
    found = report(db, "--label", "number", "--x", "v")
    bars = _with(_figures(db, found.sql), "what")
    assert found.html.count('<svg class="chart"') == 2
    for what in ("labels", "residuals"):
        own = [row for row in bars if row["what"] == what]
        assert len(own) > 5
        assert sum(row["rows"] for row in own) == 300
        assert sum(row["flagged"] for row in own) == 15
        assert all(a["to"] <= b["from"] + 1e-9 for a, b in pairwise(own))


def test_a_sample_says_how_many_numbers_are_wrong(db: Path) -> None:
    sample = truthfully(db, "number", RANDOM, 60)
    decide(db, "decisions", sample)
    found = report(db, "--label", "number", "--x", "v")
    (row,) = _with(_figures(db, found.sql), "flagged_share")
    wrong = sum(each.is_wrong for each in sample)
    assert row["error_rate"] == pytest.approx(wrong / 60)
    assert 0 < row["error_rate_low"] < wrong / 60 < row["error_rate_high"]
    assert f"found {wrong} wrong labels" in found.words
    assert "wrong labels are left in the rows nobody has decided" in found.words
    assert "by its word alone" not in found.words


@pytest.mark.parametrize("label", ["tags", "number"])
def test_with_the_truth_every_order_is_drawn(db: Path, label: str) -> None:
    decide(db, "decisions", truthfully(db, label, RANDOM, 60))
    truth = f"true_{label}"
    found = report(db, "--label", label, "--x", "v", "--truth", truth)
    steps = _with(_figures(db, found.sql), "as_reviewed")
    with duckdb.connect(str(db), read_only=True) as con:
        ((share,),) = con.execute(
            f"SELECT avg(({label} <> {truth})::INTEGER) FROM train"
        ).fetchall()
    assert steps[-1]["at_random"] == pytest.approx(60 * share)
    assert steps[-1]["by_quality"] > steps[-1]["as_reviewed"]


def test_what_better_tags_gain(db: Path) -> None:
    add_test_rows(db)
    decide(db, "decisions", truthfully(db, "tags", RANDOM, 120))
    found = report(db, "--label", "tags", "--text", "v")
    gain = {row["labels"]: row for row in _with(_figures(db, found.sql), "labels_changed")}
    changed = sum(each.is_wrong for each in truthfully(db, "tags", RANDOM, 120))
    assert gain["reviewed"]["labels_changed"] == changed
    # What people have looked at releases the other corrections.
    assert gain["auto_corrected"]["labels_changed"] > 20
    assert gain["auto_corrected"]["accuracy"] > gain["given"]["accuracy"]
    assert f"{gain['reviewed']['correct']} of 90" in found.words
    assert "Had as many rows been reviewed at random, it would have been right on" in found.words
    assert "The labels of the test rows were taken as right" in found.words


def test_what_better_numbers_gain(db: Path) -> None:
    add_test_rows(db)
    decide(db, "decisions", truthfully(db, "number", "number DESC", 15))
    found = report(db, "--label", "number", "--text", "v")
    gain = {row["labels"]: row for row in _with(_figures(db, found.sql), "labels_changed")}
    given, reviewed = gain["given"], gain["reviewed"]
    assert reviewed["labels_changed"] == 15
    assert reviewed["mae"] < given["mae"] / 2
    assert reviewed["difference"] == pytest.approx(reviewed["mae"] - given["mae"])
    before, after = (cell(row["mae"]) for row in (given, reviewed))
    assert f"{before} → {after} off in the mean, on 90 test rows" in found.words
    assert f"the same model is off by {after} in the mean on 90 test rows" in found.words
    assert "paired z test" in found.words and "McNemar" not in found.words


def test_whole_numbers_that_are_amounts(db: Path) -> None:
    said = ["--label", "whole", "--x", "v"]
    assert "How many labels are wrong, by class" in report(db, *said).words
    assert "lie outside of what the model" in report(db, *said, "--task", "regression").words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label", "whole_list"], "whole_list is a list (BIGINT[]): several labels for a row"),
        (["--label", "tags", "--task", "words"], "task := 'words' is not known. It may be 'auto'"),
        (["--label", "number", "--task", "multilabel"], "label holds no lists of text"),
    ],
)
def test_labels_that_are_none(db: Path, options: list[str], message: str) -> None:
    done = ran(db, "--x", "v", *options)
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
