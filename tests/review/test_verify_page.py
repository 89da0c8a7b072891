"""The tab Verify: candidates at random, until the answer is in; corrections as one step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import duckdb
import pytest

from tests.cli.program import called
from tests.review.server import Browser, Here, field, reviewing, shown_key
from tests.review.tables import CLASSES, make

ROWS, CANDIDATES = 1500, 147


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make(tmp_path / "it's mine.duckdb", ROWS)) as found:
        yield found


def _truth(key: str) -> str:
    return CLASSES[int(key) % 3]


def _review(browser: Browser, right: bool = True, most: int = 150) -> tuple[str, list[str]]:
    """Decide about candidates until the answer is in; the page then, and the keys."""
    page = browser.get("/?sort=verify")
    keys: list[str] = []
    while "<h1>May corrections be applied?" not in page and len(keys) < most:
        keys.append(shown_key(page))
        form = {"filter": "sort=verify"}
        page = (
            browser.relabel(page, _truth(keys[-1]), **form)
            if right
            else browser.decide(page, "keep", **form)
        )
    return page, keys


def _text(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page[page.index("<main") :])))


def test_right_suggestions_are_released_as_in_sql(server: Here) -> None:
    browser = server.browser()
    start = _text(browser.get("/verify"))
    assert re.search(rf"0 of about \d+ corrections reviewed, drawn .* from {CANDIDATES}\.", start)
    page, keys = _review(browser)
    assert 5 < len(keys) < 40
    left = CANDIDATES - len(keys)
    said = _text(page)
    assert (
        f"{len(keys)} corrections reviewed, drawn at random from {CANDIDATES}: {len(keys)} right"
        in said
    )
    assert (
        f"Yes: {left} corrections may be applied. At most 5 in 100 such releases do harm." in said
    )
    released = (
        server.con.cursor()
        .execute("""
        WITH issues AS (FROM sqlfuncs.main.label_issues(train, probs, label)),
            log AS (FROM decisions)
        SELECT key::VARCHAR, new_label, reason
        FROM sqlfuncs.main.auto_corrections(issues, id, label, log := log) ORDER BY key
    """)
        .fetchall()
    )
    assert len(released) == left
    assert field(page, "count") == str(left)
    page = browser.post("/verify", count=left)
    assert f"{left} corrections are applied. U takes all of them back." in unescape(page)
    assert "They are applied" in _text(page)
    applied = server.log("key, new_label, reason, decided_by, action")[len(keys) :]
    assert [row[0] for row in sorted(applied)] == sorted(key for key, _, _ in released)
    assert {row[3:] for row in applied} == {("auto_corrections", "relabel")}
    assert all(str(row[2]).endswith("at a risk of 0.05; applied by ann") for row in applied)
    assert len(set(server.log("decided_at")[len(keys) :])) == 1
    assert all(new == _truth(str(key)) for key, new, *_ in applied)


def test_one_undo_takes_all_back_and_nothing_else(server: Here) -> None:
    browser = server.browser()
    page, keys = _review(browser)
    count = field(page, "count")
    browser.post("/verify", count=count)
    other = server.browser("bob").ask("POST", "/undo", {})
    assert other.status == 303  # bob has done nothing that he could take back
    browser.post("/undo")
    undone = server.log("key, action, decided_by, reason")[len(keys) + int(count) :]
    assert len(undone) == int(count)
    assert {row[1:3] for row in undone} == {("needs_review", "auto_corrections")}
    assert f"Yes: {count} corrections may be applied" in _text(browser.get("/verify"))
    browser.post("/undo")
    assert server.log("action, decided_by")[-1] == ("needs_review", "ann")


def test_the_query_file_takes_it_back_too(tmp_path: Path) -> None:
    db = make(tmp_path / "a.duckdb", ROWS)
    with reviewing(db) as server:
        page, _ = _review(server.browser())
        count = int(field(page, "count"))
        server.browser("bob").post("/verify", count=count)
    assert called("run", "undo", "--db", str(db), "reviewer=bob").returncode == 0
    with duckdb.connect(str(db)) as con:
        undone = con.execute(
            "SELECT action, decided_by, count(*) FROM decisions WHERE reason LIKE 'undo of %' "
            "GROUP BY ALL"
        ).fetchall()
    assert undone == [("needs_review", "auto_corrections", count)]
    assert called("run", "undo", "--db", str(db), "reviewer=bob").returncode != 0
    with reviewing(db) as server:
        assert f"Yes: {count} corrections may be applied" in _text(server.browser().get("/verify"))


def test_what_is_applied_is_no_review(server: Here) -> None:
    browser = server.browser()
    page, keys = _review(browser)
    before = _text(browser.get("/verify")).partition("Yes")[0]
    browser.post("/verify", count=field(page, "count"))
    assert _text(browser.get("/verify")).partition("Yes")[0] == before
    assert f"{len(keys):,} of {ROWS:,} decided" in unescape(browser.get("/progress"))


def test_after_the_program_has_ended_the_step_is_theirs_still(tmp_path: Path) -> None:
    db = make(tmp_path / "a.duckdb", ROWS)
    with reviewing(db) as server:
        page, keys = _review(server.browser())
        count = int(field(page, "count"))
        server.browser("bob").post("/verify", count=count)
    with reviewing(db) as server:
        server.browser("bob").post("/undo")
        assert len(server.log()) == len(keys) + 2 * count
    with duckdb.connect(str(db)) as con:
        (changed,) = con.execute(
            "SELECT count(*) FROM decisions WHERE reason LIKE 'undo of %'"
        ).fetchone()  # type: ignore[misc]
        assert changed == count


def test_wrong_suggestions_are_refuted(server: Here) -> None:
    browser = server.browser()
    page, keys = _review(browser, right=False)
    assert len(keys) < 60
    assert "No: too many of the suggestions are wrong." in _text(page)
    assert 'name="count"' not in page
    page = browser.post("/verify", count=10)
    assert "nothing was written: the reviewed rows do not release corrections." in unescape(page)
    assert len(server.log()) == len(keys)


@pytest.mark.parametrize("count", ["", "0", "-1", "1", "9999999999", "x"])
def test_a_count_that_was_not_shown_applies_nothing(server: Here, count: str) -> None:
    browser = server.browser()
    page, keys = _review(browser)
    page = browser.post("/verify", count=count)
    assert "Look at them again." in unescape(page)
    assert "<h1>May corrections be applied?" in page
    assert len(server.log()) == len(keys)


def test_what_nobody_could_decide_counts_against_it(server: Here) -> None:
    browser = server.browser()
    page = browser.get("/?sort=verify")
    for _ in range(4):
        page = browser.decide(page, "needs_review", filter="sort=verify")
    assert "4 of about" in _text(page)
    assert ": 0 right, 4 not worth it" in _text(page)


def test_another_label_than_the_suggested_one_is_not_right(server: Here) -> None:
    browser = server.browser()
    page = browser.get("/?sort=verify")
    for _ in range(3):
        given_or_right = {_truth(shown_key(page)), CLASSES[int(shown_key(page)) % 3 - 2]}
        (third,) = {*CLASSES} - given_or_right
        page = browser.relabel(page, third, filter="sort=verify")
    assert ": 0 right, 0 not worth it" in _text(page)


def test_without_candidates_it_says_so(tmp_path: Path) -> None:
    db = make(tmp_path / "a.duckdb", 60)
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = truth")
    with reviewing(db) as server:
        assert "There is nothing to correct." in _text(server.browser().get("/verify"))
        assert "No row matches" in server.browser("bob").get("/?sort=verify")


def test_other_orders_do_not_end_by_it(server: Here) -> None:
    """Who reviews the worst rows is not sent away from them."""
    browser = server.browser()
    _review(browser)
    page = browser.get("/")
    page = browser.decide(page, "keep")
    assert "<h1>Row " in page
