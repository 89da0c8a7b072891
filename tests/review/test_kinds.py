"""The page over HTTP where labels are tags, and numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from pathlib import Path

import duckdb
import pytest

from tests.review.kinds import TAGS, make_measured, make_tagged
from tests.review.server import Browser, Here, field, reviewing, serving, shown_key
from tests.waiting import patient


@pytest.fixture
def tagged(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make_tagged(tmp_path / "tags.duckdb"), "x") as found:
        yield found


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make_measured(tmp_path / "numbers.duckdb"), "x") as found:
        yield found


# Where nothing is written, many tests may ask one server.


@pytest.fixture(scope="module")
def tags_refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with reviewing(make_tagged(tmp_path_factory.mktemp("t") / "t.duckdb"), "x") as found:
        yield found.browser()
        assert found.log() == []


@pytest.fixture(scope="module")
def numbers_refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with reviewing(make_measured(tmp_path_factory.mktemp("n") / "n.duckdb"), "x") as found:
        yield found.browser()
        assert found.log() == []


def _switches(page: str) -> dict[str, tuple[str, bool, str]]:
    """The switches of a page by tag: number, whether it is on, and how the tag is doubted."""
    found = re.findall(
        r'<label class="switch ?(\w*)"><input type="checkbox" role="switch" name="tag" '
        r'value="(\d+)" (checked)?[^>]*> <span>([^<]*)</span>',
        page,
    )
    return {unescape(name): (code, bool(on), doubt) for doubt, code, on, name in found}


def _save_tags(browser: Browser, page: str, tags: set[str], **more: str) -> str:
    codes = [code for tag, (code, _, _) in _switches(page).items() if tag in tags]
    form = {"row": field(page, "row"), "seen": field(page, "seen"), "action": "relabel"}
    return browser.post("/decide", tags="as switched", tag=codes, **{**form, **more})


def _row(here: Here, key: object, columns: str = "label") -> tuple[object, ...]:
    rows = here.con.cursor().execute(f"SELECT {columns} FROM train WHERE id = $1", [int(str(key))])
    return tuple(rows.fetchall()[0])


def test_a_row_shows_its_tags_as_switches_and_what_is_doubted(tagged: Here) -> None:
    browser = tagged.browser()
    seen = set()
    for key, label, missing, wrong in tagged.con.cursor().execute(
        "SELECT id, label, missing_tags, wrong_tags FROM sqlfuncs.label_issues(train, x, label) "
        "WHERE is_label_issue"
    ).fetchall():  # fmt: skip
        found = _switches(browser.get(f"/?at={key}"))
        assert set(found) == set(TAGS)
        assert {tag for tag, (_, on, _) in found.items() if on} == set(label)
        assert [tag for tag, (_, _, doubt) in found.items() if doubt == "add"] == missing
        assert [tag for tag, (_, _, doubt) in found.items() if doubt == "remove"] == wrong
        seen |= {bool(missing), not wrong}
    assert seen == {True, False}


def test_tags_are_saved_as_they_are_switched_and_applied_exactly(tagged: Here) -> None:
    """What lists, their text and CSV write in quotes comes out as the tags that were chosen."""
    browser = tagged.browser()
    chosen: dict[int, set[str]] = {
        10: set(TAGS), 11: set(), 12: {"NULL"}, 13: {"back\\slash", "[odd]"},
        15: {"it's \"so\"", "a, b"}, 16: {"{x: 1}", "null"},
    }  # fmt: skip
    for key, tags in chosen.items():
        page = browser.get(f"/?at={key}")
        assert f"{key}: " in unescape(_save_tags(browser, page, tags))
        again = _switches(browser.get(f"/?at={key}"))
        assert len(again) == len(TAGS)
    applied = dict(
        tagged.con.cursor()
        .execute("SELECT id, label FROM sqlfuncs.apply_corrections(train, decisions, id, label)")
        .fetchall()
    )
    assert {key: set(applied[key]) for key in chosen} == chosen
    assert all(len(applied[key]) == len(tags) for key, tags in chosen.items())
    others = [key for key in applied if key not in chosen]
    assert all(applied[key] == _row(tagged, key)[0] for key in others)
    saved = browser.get("/decisions.csv")
    log = tagged.log("key, old_label, new_label, decided_at::VARCHAR")
    with duckdb.connect() as con:
        Path(tagged.db.with_name("log.csv")).write_text(saved, encoding="utf-8")
        read = con.execute(
            "SELECT key, old_label, new_label, decided_at FROM read_csv($1, all_varchar := true, "
            "allow_quoted_nulls := false) ORDER BY decided_at, key",
            [str(tagged.db.with_name("log.csv"))],
        ).fetchall()
    assert read[-len(log) :] == log


def test_the_same_tags_are_kept_whatever_their_order(tagged: Here) -> None:
    browser = tagged.browser()
    page = browser.get("/?at=20")
    assert "20: kept" in _save_tags(browser, page, set(_row(tagged, 20)[0]))  # type: ignore[call-overload]
    assert tagged.log("action, new_label") == [("keep", None)]


def test_a_suggestion_of_tags_is_accepted_and_undone(tagged: Here) -> None:
    browser = tagged.browser()
    page = browser.get("/?flagged=1")
    key = shown_key(page)
    button = unescape(re.findall(r"Accept ([^<]*) <kbd", page)[0])
    suggested = tagged.con.cursor().execute(
        "SELECT suggested_label, missing_tags, wrong_tags "
        "FROM sqlfuncs.label_issues(train, x, label) WHERE id = $1", [key]
    ).fetchall()[0]  # fmt: skip
    assert button == ", ".join([f"+ {t}" for t in suggested[1]] + [f"− {t}" for t in suggested[2]])
    browser.decide(page, "relabel", label=field(page, "label"))
    ((action, written),) = tagged.log("action, new_label::VARCHAR[]")
    assert (action, written) == ("relabel", suggested[0])
    assert f"{key} was taken back" in browser.post("/undo")
    assert tagged.log("action")[-1] == ("needs_review",)


def test_conflicts_keep_the_switches(tagged: Here) -> None:
    ann, bob = tagged.browser("ann"), tagged.browser("bob")
    page = bob.get("/?at=30")
    ann.decide(ann.get("/?at=30"), "exclude")
    refused = _save_tags(bob, page, {"é", "null"})
    assert "nothing was written: meanwhile ann has excluded 30" in unescape(refused)
    assert shown_key(refused) == "30"
    assert {tag for tag, (_, on, _) in _switches(refused).items() if on} == {"é", "null"}
    assert "30: now [null, é]" in unescape(_save_tags(bob, refused, {"é", "null"})).replace("'", "")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"tags": "x", "tag": ["0", "10"]}, "there is no tag number '10'. There are 10 tags"),
        ({"tags": "x", "tag": "a, b"}, "there is no tag number 'a, b'"),
        ({"tags": "x", "tag": "-1"}, "there is no tag number '-1'"),
        ({"label": "99999"}, "there is no label number '99999'"),
        ({"label": "[a, b]"}, "there is no label number '[a, b]'"),
        ({}, "there is no label None"),
    ],
)
def test_tags_that_there_are_none_of_are_refused(
    tags_refused: Browser, form: dict[str, object], message: str
) -> None:
    said = tags_refused.post("/decide", row="40", seen="", action="relabel", **form)
    assert message in unescape(said) and shown_key(said) == "40"


def test_tags_are_filtered_by_what_is_given_and_what_is_suggested(tagged: Here) -> None:
    browser = tagged.browser()
    page = browser.get()
    options = {unescape(n): c for c, n in re.findall(r'<option value="(\d+)" >([^<]*)<', page)}
    pairs = re.findall(r'<a href="\./\?suggested=(\d+)">([^<]*)</a> (\d+)', page)
    assert pairs and any(text.startswith("+") for _, text, _ in pairs)
    for code, text, rows in pairs:
        assert options[unescape(text)] == code
        assert f"{rows} rows to decide match" in browser.get(f"/?suggested={code}")
    count = sum(
        "two words" in label
        for (label,) in tagged.con.cursor().execute("SELECT label FROM train").fetchall()
    )
    assert f"{count} rows to decide" in browser.get(f"/?given={options['two words']}")
    for strange in ("/?given=999", "/?suggested=999", "/?row=3&typed=99", "/?row=3&typed=x,,1"):
        assert "<main" in browser.get(strange)


@pytest.mark.parametrize(("make", "x"), [(make_tagged, "x"), (make_measured, "vector")])
def test_every_page_and_its_evidence(tmp_path: Path, make: Callable[[Path], Path], x: str) -> None:
    """Trusted rows that are alike, with what their labels are."""
    with reviewing(make(tmp_path / "t.duckdb"), x) as here:
        browser, until = here.browser(), time.monotonic() + patient(30)
        for path in ("/list", "/clean?count=9", "/verify", "/progress", "/?sort=verify"):
            assert "<main" in browser.get(path)
        while "Most alike among trusted" not in (page := browser.get("/?flagged=1")):
            assert time.monotonic() < until
            time.sleep(0.2)
        evidence = page[page.index("Most alike among trusted") :].partition("</ul>")[0]
        assert evidence.count("<li>") == 3 and evidence.count('<span class="label">') >= 3


def test_clean_top_of_tags(tagged: Here) -> None:
    browser = tagged.browser()
    page = browser.get("/clean?count=3")
    rows = re.findall(r'name="row" value="(\d+)"', page)
    labels = re.findall(r'name="label" value="(\d+)"', page)
    assert "3 labels were replaced" in browser.post("/clean", row=rows, label=labels)
    suggested = dict(tagged.con.cursor().execute(
        "SELECT id, suggested_label FROM sqlfuncs.label_issues(train, x, label) "
        "WHERE is_label_issue"
    ).fetchall())  # fmt: skip
    written = tagged.log("key::INTEGER, new_label::VARCHAR[]")
    assert len(written) == 3 and all(suggested[key] == new for key, new in written)


def _save(browser: Browser, key: int, number: str) -> str:
    page = browser.get(f"/?at={key}")
    return unescape(browser.decide(page, "relabel", number=number))


def test_a_number_is_typed_and_written_as_the_table_has_it(measured: Here) -> None:
    browser = measured.browser()
    for key, typed, written in (
        (10, " 12.5 ", "12.50"), (11, "-3e2", "-300.00"), (12, "+.5", "0.50"), (13, "7.", "7.00"),
        (14, "1234567.80", "1234567.80"),
    ):  # fmt: skip
        assert f"{key}: now {written}." in _save(browser, key, typed)
    same = str(_row(measured, 15)[0])
    assert "15: kept." in _save(browser, 15, f"{same}000")
    applied = dict(measured.con.cursor().execute(
        "SELECT id, label::VARCHAR FROM sqlfuncs.apply_corrections(train, decisions, id, label)"
    ).fetchall())  # fmt: skip
    assert [applied[key] for key in (10, 11, 12, 13, 14, 15)] == [
        "12.50", "-300.00", "0.50", "7.00", "1234567.80", same,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "no number was typed"),
        ("  ", "no number was typed"),
        ("abc", "'abc' is no number"),
        ("12,5", "'12,5' is no number. Type digits with a point"),
        ("1_000", "'1_000' is no number"),
        ("１２", "'１２' is no number"),
        ("NaN", "'NaN' is no number"),
        ("inf", "'inf' is no number"),
        ("-Infinity", "'-Infinity' is no number"),
        ("0x10", "'0x10' is no number"),
        ("1e999", "1e999 is too large"),
        ("1e301", "1e301 is too large"),
        ("1e9", "1e9 is no value of label, which is DECIMAL(9,2)"),
        ("3.456", "3.456 would be rounded to 3.46: label is DECIMAL(9,2)"),
        ("<b>&\"'", "'<b>&\"\\'' is no number"),
    ],
)
def test_what_is_no_number_is_said_and_stands_in_the_field(
    numbers_refused: Browser, typed: str, message: str
) -> None:
    browser = numbers_refused
    page = browser.decide(browser.get("/?at=40"), "relabel", number=typed)
    assert message in unescape(page) and shown_key(page) == "40"
    shown = re.search(r'<input name="number" value="([^"]*)"[^>]*aria-invalid="true"', page)
    assert shown is not None and unescape(shown[1]) == typed
    assert "aria-invalid" not in browser.get("/?at=40")


def test_a_long_number_that_is_none_is_cut(numbers_refused: Browser) -> None:
    page = _save(numbers_refused, 41, "x" * 100_000)
    assert "is no number" in page and "x" * 61 not in page.partition("<main")[0]


def test_a_row_shows_its_number_and_what_it_may_be(measured: Here) -> None:
    browser = measured.browser()
    key, low, high = measured.con.cursor().execute(
        "SELECT id, label_low, label_high FROM sqlfuncs.label_issues(train, x, label) "
        "WHERE is_label_issue ORDER BY id LIMIT 1"
    ).fetchall()[0]  # fmt: skip
    page = browser.get(f"/?at={key}")
    assert f"expects {low:.2f} to {high:.2f}; the number given, the tall mark, is outside" in page
    assert f'name="number" value="{_row(measured, key)[0]}"' in page
    inside = browser.get("/?at=1")
    assert "the number given, the tall mark, is inside" in inside
    flagged = browser.get("/?suggested=1")
    assert "rows to decide match" in flagged and ">lower</a> 19" in flagged
    assert "No row matches" in browser.get("/?given=0")


@pytest.mark.parametrize(
    ("of_type", "typed", "written"),
    [("DOUBLE", "0.1", "0.1"), ("DOUBLE", "3", "3.0"), ("FLOAT", "0.1", "0.1")],
)
def test_floating_numbers_and_rows_without_one(
    tmp_path: Path, of_type: str, typed: str, written: str
) -> None:
    db = make_measured(tmp_path / "n.duckdb", of_type)
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = NULL WHERE id = 5")
        con.execute("UPDATE train SET label = 'nan' WHERE id = 6")
        con.execute("UPDATE train SET label = 'inf' WHERE id = 7")
    with reviewing(db, "x") as here:
        browser = here.browser()
        assert "Not judged: the label is NaN" in browser.get("/?at=6")
        for key in (5, 6, 7):
            assert 'name="number" value=""' in browser.get(f"/?at={key}")
            assert f"{key}: now {written}." in _save(browser, key, typed)
        if of_type == "FLOAT":
            assert "0.123456789 would be rounded to 0.12345679" in _save(browser, 8, "0.123456789")
        found = here.con.cursor().execute(
            "SELECT label::VARCHAR FROM sqlfuncs.apply_corrections(train, decisions, id, label) "
            "WHERE id BETWEEN 5 AND 7"
        ).fetchall()  # fmt: skip
        assert found == [(written,)] * 3


def test_tags_that_are_none_are_not_made_up(tmp_path: Path) -> None:
    db = make_tagged(tmp_path / "t.duckdb")
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = NULL WHERE id = 5")
        con.execute("UPDATE train SET label = ['é', NULL] WHERE id = 6")
    with reviewing(db, "x") as here:
        browser = here.browser()
        page = browser.get("/?at=6")
        assert "Not judged: the list of tags holds NULL" in page
        assert not any(on for _, on, _ in _switches(page).values())
        assert "6: now [é]." in _save_tags(browser, page, {"é"})
        assert "5: now []." in _save_tags(browser, browser.get("/?at=5"), set())
        assert here.log("key, old_label, new_label") == [
            ("6", "[é, NULL]", "[é]"), ("5", None, "[]"),
        ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "errors"),
    [
        (make_tagged, "count(*) FILTER (list_sort(label) <> list_sort(truth))"),
        (partial(make_measured, of_type="DOUBLE"), "sum(abs(label - truth))"),
    ],
    ids=["tags", "numbers"],
)
def test_some_reviewed_rows_release_the_other_corrections(
    tmp_path: Path, make: Callable[..., Path], errors: str
) -> None:
    """Candidates at random, until the answer is in; then one step corrects the others."""
    with reviewing(make(tmp_path / "my.duckdb", rows=900), "x") as here:
        browser = here.browser()
        page, seen = browser.get("/?sort=verify"), 0
        while "May corrections be applied?" not in page:
            truth = _row(here, shown_key(page), "truth")[0]
            if isinstance(truth, list):
                page = _save_tags(browser, page, set(truth), sort="verify")
            else:
                page = browser.decide(page, "relabel", number=str(truth), sort="verify")
            seen += 1
            assert seen < 80, page
        count = field(page, "count")
        assert f"{count} corrections are applied" in browser.post("/verify", count=count)
        machines = [who for _, _, who in here.log() if who == "auto_corrections"]
        assert len(machines) == int(count) > 9
        before, after = (
            here.con.cursor().execute(f"SELECT {errors} FROM {table}").fetchall()
            for table in ("train", "sqlfuncs.apply_corrections(train, decisions, id, label)")
        )
        assert after[0][0] < 0.8 * before[0][0]
        assert f"{count} decisions were taken back" in browser.post("/undo")


@pytest.mark.slow
def test_the_program_serves_numbers_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """Whole numbers, because --task says so; after kill -9 what was decided is there."""
    db = make_measured(tmp_path / "n.duckdb", "INTEGER")
    with serving(db, "--x", "x", "--task", "regression") as server:
        browser = server.browser()
        assert "3.5 would be rounded to" in _save(browser, 9, "3.5")
        assert "9: now 7." in _save(browser, 9, "7.0")
        assert server.log("key, new_label") == [("9", "7")]
    with serving(db, "--x", "x", "--task", "regression") as server:
        browser = server.browser()
        assert "1 of 200 decided" in browser.get()
        assert "has given 9 the label 7" in browser.get("/?at=9")
        assert "9 was taken back" in browser.post("/undo")
