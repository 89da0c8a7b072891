"""The page over HTTP where labels are of words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import duckdb
import pytest

from tests.review.kinds import WORDS, make_worded
from tests.review.server import Browser, Here, code, field, reviewing, shown_key
from tests.review.tables import EVIL

_WORD = re.compile(
    r'<li class="word( doubted)?"><label><span class="text">(.*?)</span><select.*?>(.*?)</select>'
    r'</label>(?:<em class="doubt">(.*?)</em>)?</li>',
    re.DOTALL,
)


@pytest.fixture
def worded(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make_worded(tmp_path / "words.duckdb"), "x") as found:
        yield found


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with reviewing(make_worded(tmp_path_factory.mktemp("w") / "w.duckdb"), "x") as found:
        yield found.browser()
        assert found.log() == []


def _shown(page: str) -> list[tuple[str, str, str]]:
    """The words of a page, their labels, and how they are doubted."""
    found = []
    for _, word, options, doubt in _WORD.findall(page):
        chosen = re.search(r" selected>([^<]*)<", options)
        found.append((unescape(word), unescape(chosen[1]) if chosen else "", unescape(doubt)))
    return found


def _codes(page: str) -> dict[str, str]:
    """What is sent for each label."""
    options = re.findall(r'<option value="\d+-(\d+)" [^>]*>([^<]*)</option>', page)
    return {unescape(name): code for code, name in options}


def _save(browser: Browser, page: str, labels: dict[int, str], **more: str) -> str:
    codes = _codes(page)
    form = {name: field(page, name) for name in ("row", "seen", "words", "length")}
    chosen = [f"{at}-{codes[label]}" for at, label in labels.items()]
    return unescape(browser.post("/decide", action="relabel", word=chosen, **{**form, **more}))


def _one(here: Here, query: str, *given: object) -> tuple[object, ...]:
    return tuple(here.con.cursor().execute(query, list(given)).fetchall()[0])


def test_each_word_has_its_label_and_flagged_ones_what_they_should_be(worded: Here) -> None:
    browser, flagged = worded.browser(), 0
    for key, x, label, issues in worded.con.cursor().execute(
        "SELECT id, x, label, word_issues FROM sqlfuncs.label_issues(train, x, label) "
        "WHERE is_label_issue OR id < 9"
    ).fetchall():  # fmt: skip
        page = browser.get(f"/?at={key}")
        doubts = {each["position"]: f"{each['given']} → {each['suggested']}" for each in issues}
        expected = [
            (w, own, doubts.get(at + 1, ""))
            for at, (w, own) in enumerate(zip(x, label, strict=True))
        ]
        assert _shown(page) == expected
        flagged += len(doubts)
    assert flagged > 2


def test_labels_are_saved_and_applied_exactly(worded: Here) -> None:
    browser = worded.browser()
    for key, labels in ((20, {0: WORDS[3], 1: WORDS[1]}), (21, {4: WORDS[2]}), (22, {})):
        page = browser.get(f"/?at={key}")
        was = [label for _, label, _ in _shown(page)]
        said = _save(browser, page, labels)
        new = [labels.get(at, own) for at, own in enumerate(was)]
        assert (f"{key}: now" if new != was else f"{key}: kept") in said
        ((applied,),) = worded.con.cursor().execute(
            "SELECT label FROM sqlfuncs.apply_corrections(train, decisions, id, label) "
            "WHERE id = $1", [key]
        ).fetchall()  # fmt: skip
        assert applied == new
    ((others,),) = worded.con.cursor().execute(
        "SELECT count(*) FROM sqlfuncs.apply_corrections(train, decisions, id, label) AS new "
        "JOIN train USING (id) WHERE new.label <> train.label AND id NOT IN (20, 21)"
    ).fetchall()  # fmt: skip
    assert others == 0


def test_a_suggestion_is_accepted_and_undone(worded: Here) -> None:
    browser = worded.browser()
    page = browser.get("/?flagged=1")
    key = shown_key(page)
    ((position, given, new),) = (
        (each["position"], each["given"], each["suggested"])
        for each in _one(
            worded,
            "SELECT word_issues FROM sqlfuncs.label_issues(train, x, label) WHERE id = $1",
            key,
        )[0]  # type: ignore[attr-defined]
    )
    assert f"Accept word {position}: {given} → {new} <kbd" in unescape(page)
    browser.decide(page, "relabel", label=field(page, "label"))
    truth = _one(worded, "SELECT truth FROM train WHERE id = $1", key)[0]
    assert worded.log("action, new_label::VARCHAR[]") == [("relabel", truth)]
    assert f"{key} was taken back" in browser.post("/undo")


def test_conflicts_keep_what_was_chosen(worded: Here) -> None:
    ann, bob = worded.browser("ann"), worded.browser("bob")
    page = bob.get("/?at=30")
    ann.decide(ann.get("/?at=30"), "exclude")
    old = "Carla" if _shown(page)[0][1] == WORDS[3] else WORDS[3]
    form = {name: field(page, name) for name in ("row", "seen", "words", "length")}
    said = bob.post("/decide", action="relabel", word=f"1-{_codes(page)[old]}", **form)
    assert "nothing was written: meanwhile ann has excluded 30" in unescape(said)
    assert _shown(said)[1][1] == old


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"word": "0-99"}, "'0-99' is no label of a word. There are"),
        ({"word": "99-0"}, "'99-0' is no label of a word"),
        ({"word": "x"}, "'x' is no label of a word"),
        ({"length": "999999999"}, "does not say how many words"),
        ({"length": "9"}, "has no label yet: choose one for it"),
        ({"words": "-1"}, "word 1 has no label yet"),
        ({"words": "987654"}, "word 1 has no label yet"),
    ],
)
def test_what_is_no_label_of_a_word_is_refused(
    refused: Browser, form: dict[str, str], message: str
) -> None:
    page = refused.get("/?at=40")
    usual = {name: field(page, name) for name in ("row", "seen", "words", "length")}
    said = refused.post("/decide", action="relabel", **{**usual, **form})
    assert message in unescape(said) and shown_key(said) == "40"


def test_filters_pages_and_search(refused: Browser) -> None:
    page = refused.get()
    pairs = re.findall(r'<a href="\./\?suggested=(\d+)">([^<]*)</a> (\d+)', page)
    assert [unescape(text) for _, text, _ in pairs] == [f"→ {WORDS[3]}"]
    assert f"{pairs[0][2]} rows to decide match" in refused.get(f"/?suggested={pairs[0][0]}")
    assert "240 rows to decide" in refused.get(f"/?given={code(page, 'O')}")
    assert "rows to decide" in refused.get("/?text=train+from") and "No row" in refused.get(
        "/?text=zzz"
    )
    for path in (
        "/list",
        "/clean?count=9",
        "/verify",
        "/progress",
        "/?sort=verify",
        "/?given=99",
        "/?suggested=99",
        "/?row=1&typed=9,x-1",
    ):
        found = refused.get(path)
        assert "<main" in found and "<i>PER" not in found and EVIL not in found


def test_rows_that_cannot_be_judged(tmp_path: Path) -> None:
    """Labels that are too few, or none: each word is to be given one, and nothing is made up."""
    db = make_worded(tmp_path / "w.duckdb")
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = label[:2] WHERE id = 5")
        con.execute("UPDATE train SET label = NULL WHERE id = 6")
        con.execute("UPDATE train SET x = NULL WHERE id = 7")
        con.execute("UPDATE train SET x = [] WHERE id = 8")
    with reviewing(db, "x") as here:
        browser = here.browser()
        page = browser.get("/?at=5")
        assert "Not judged: the row has" in page
        words = _shown(page)
        assert [label for _, label, _ in words][2:] == [""] * (len(words) - 2)
        assert "word 3 has no label yet" in _save(browser, page, {})
        new = dict.fromkeys(range(2, len(words)), "O")
        assert "5: now" in _save(browser, page, new)
        page = browser.get("/?at=6")
        truth = _one(here, "SELECT truth FROM train WHERE id = 6")[0]
        assert [label for _, label, _ in _shown(page)] == truth  # what is suggested
        assert "6: now" in _save(browser, page, {})
        for key in (7, 8):
            assert "Not judged" in browser.get(f"/?at={key}")
        written = here.log("key, new_label::VARCHAR[]")
    assert written == [
        ("5", [label or "O" for _, label, _ in words]), ("6", truth),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_long_sentence_is_shown_in_part_and_saved_as_a_whole(tmp_path: Path) -> None:
    db = make_worded(tmp_path / "w.duckdb")
    with duckdb.connect(str(db)) as con:
        for column in ("x", "truth"):
            many = f"flatten([{column} FOR i IN range(1500)])"
            con.execute(f"UPDATE train SET {column} = {many} WHERE id = 100")
        con.execute(
            "UPDATE train SET label = list_transform(truth, lambda l, i: "
            "if(i BETWEEN 6001 AND 6007 AND l = $1, 'O', l)) WHERE id = 100", [WORDS[3]],
        )  # fmt: skip
    with reviewing(db, "x") as here:
        browser = here.browser()
        page = browser.get("/?at=100")
        words = _shown(page)
        length = _one(here, "SELECT len(x) FROM train WHERE id = 100")[0]
        assert int(str(length)) >= 7500 and 20 < len(words) <= 200 and len(page) < 300_000
        assert 'class="skipped">' in page
        assert len(browser.get("/list?state=all")) < 500_000
        at = re.findall(r'value="(\d+)-\d+"[^>]*selected', page)[-1]
        assert len(_save(browser, page, {int(at): WORDS[2]})) < 300_000
        label = _one(here, "SELECT label FROM train WHERE id = 100")[0]
        assert isinstance(label, list)
        label[int(at)] = WORDS[2]
        assert here.log("key, new_label::VARCHAR[]") == [("100", label)]
