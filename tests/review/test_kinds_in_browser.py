"""The page in a real Chromium where labels are no classes: what keys and clicks do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.review.chromium import Tab, needs_chromium, opened
from tests.review.kinds import TAGS, WORDS, make_measured, make_tagged, make_worded
from tests.review.server import Here, reviewing

pytestmark = needs_chromium
PATHS = (
    "/",
    "/?flagged=1",
    "/list",
    "/clean",
    "/verify",
    "/progress",
    "/?row=4",
    "/?row=9&typed=0",
)


@pytest.fixture
def tagged(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make_tagged(tmp_path / "tags.duckdb"), "x") as found:
        yield found


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Here]:
    with reviewing(make_measured(tmp_path / "numbers.duckdb"), "x") as found:
        yield found


@pytest.fixture
def tags_tab(browser: Browser, tagged: Here) -> Iterator[Tab]:
    yield from opened(browser, tagged.links["ann"])


@pytest.fixture
def numbers_tab(browser: Browser, measured: Here) -> Iterator[Tab]:
    yield from opened(browser, measured.links["ann"])


def _on(tab: Tab) -> set[str]:
    """The tags that are switched on."""
    return set(tab.page.locator(".switch:has(:checked) > span").all_inner_texts())


def test_tags_by_keys_alone(tags_tab: Tab, tagged: Here) -> None:
    """W accepts, digits switch, Enter saves, Q keeps, U takes back, and the switches tell."""
    tab, page = tags_tab, tags_tab.page
    wanted: list[tuple[object, ...]] = []
    expect(page.locator("button.accept")).to_contain_text(re.compile("[+−] "))
    doubted = page.locator(".switch:has(.doubt)")
    text = doubted.first.inner_text()
    assert "+ add" in text or "− take away" in text
    # A switch of the doubted tag by its key does what W does.
    accepted = tab.decide("w")
    tab.press("u")
    tab.says("was taken back")
    assert tab.row == accepted
    suggested = _on(tab)
    for switch in doubted.locator("input").all():
        key = switch.get_attribute("data-key")
        assert key is not None
        name = switch.evaluate("box => box.parentElement.querySelector('span').innerText")
        suggested ^= {name}
        page.keyboard.press(key)
    assert _on(tab) == suggested
    assert tab.decide("Enter") == accepted
    wanted.append((accepted, "relabel"))
    kept = _on(tab)
    page.keyboard.press("1")
    page.keyboard.press("1")
    assert _on(tab) == kept
    wanted.append((tab.decide("Enter"), "keep"))
    wanted.append((tab.decide("q"), "keep"))
    wanted.append((tab.decide("e"), "exclude"))
    wanted.append((tab.decide("n"), "needs_review"))
    log = tagged.log("key, action, new_label::VARCHAR[]")
    assert [row[:2] for row in log] == [
        (accepted, "relabel"), (accepted, "needs_review"), *wanted,
    ]  # fmt: skip
    assert set(log[2][2]) == suggested and log[0][2] == log[2][2]  # type: ignore[call-overload]


def test_tags_with_a_mouse_and_keys_after_it(tags_tab: Tab, tagged: Here) -> None:
    """A switch that has the focus takes no key from the others, and is pressed by Space."""
    tab, page = tags_tab, tags_tab.page
    before = _on(tab)
    name = page.locator(".switch > span").nth(1).inner_text()
    page.get_by_role("switch", name=name).click()
    assert _on(tab) == before ^ {name}
    page.keyboard.press("Space")
    assert _on(tab) == before
    page.keyboard.press("2")
    assert _on(tab) == before ^ {name}
    page.get_by_text("1 more tag").click()
    last = page.locator("details .switch > span").last.inner_text()
    page.get_by_role("switch", name=last).check()
    row = tab.decide("Enter")
    ((key, label),) = tagged.log("key, new_label::VARCHAR[]")
    assert key == row and set(label) == before ^ {name, last}  # type: ignore[call-overload]


def test_help_tells_the_keys_of_the_kind(tags_tab: Tab, numbers_tab: Tab) -> None:
    for tab, said in ((tags_tab, "switch a tag"), (numbers_tab, "begin to type another number")):
        tab.page.keyboard.press("?")
        expect(tab.page.locator("#help")).to_contain_text(said)
        tab.page.keyboard.press("Escape")


def test_numbers_by_keys_alone(numbers_tab: Tab, measured: Here) -> None:
    """A digit begins a number, Enter saves it; what is none stays to be mended."""
    tab, page = numbers_tab, numbers_tab.page
    typed = page.get_by_label("The right number")
    first = tab.row
    page.keyboard.press("4")
    expect(typed).to_be_focused()
    page.keyboard.type("2,5")
    tab.press("Enter")
    tab.says("'42,5' is no number")
    assert tab.row == first
    expect(typed).to_have_value("42,5")
    expect(typed).to_be_focused()
    for wrong, said in (
        ("abc", "is no number"),
        ("NaN", "is no number"),
        ("1e999", "is too large"),
    ):
        typed.fill(wrong)
        tab.press("Enter")
        tab.says(said)
        expect(typed).to_have_value(wrong)
    typed.fill("42.5")
    tab.press("Enter")
    expect(page.locator(f'article[data-row="{first}"]')).to_have_count(0)
    tab.says(f"{first}: now 42.50.")
    accepted = tab.decide("w")
    page.keyboard.press("-")
    expect(typed).to_have_value("-")
    page.keyboard.press("q")  # a letter of what is typed
    expect(typed).to_have_value("-q")
    page.keyboard.press("Escape")
    kept = tab.decide("q")
    assert tab.row not in (first, accepted, kept)
    log = measured.log("key, action, new_label")
    suggested = measured.con.cursor().execute(
        "SELECT suggested_label::VARCHAR FROM sqlfuncs.label_issues(train, x, label) WHERE id = $1",
        [accepted],
    ).fetchall()[0][0]  # fmt: skip
    assert log == [
        (first, "relabel", "42.50"), (accepted, "relabel", suggested), (kept, "keep", None),
    ]  # fmt: skip
    tab.press("u")
    tab.says(f"{kept} was taken back")


def test_words_by_keys_alone(browser: Browser, tmp_path: Path) -> None:
    """↓ goes to the doubted word, digits give labels, → goes on, Enter saves, W accepts."""
    with reviewing(make_worded(tmp_path / "words.duckdb"), "x") as server:
        tab = Tab(browser, server.links["ann"])
        page, focused = tab.page, "document.activeElement.selectedOptions?.[0].textContent"
        expect(page.locator(".doubt").first).to_have_text(f"O → {WORDS[3]}")
        accepted = tab.decide("w")
        row = tab.row
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.closest('.doubted') !== null")
        assert page.evaluate(focused) == "O"
        names = page.locator(".legend li").all_inner_texts()
        digit = next(text.split()[0] for text in names if text.endswith(WORDS[3]))
        page.keyboard.press(digit)
        assert page.evaluate(focused) == WORDS[3]
        page.keyboard.press("ArrowLeft")
        before = page.evaluate(focused)
        page.keyboard.press("ArrowRight")
        assert page.evaluate(focused) == WORDS[3] and tab.row == row and before != WORDS[3]
        assert tab.decide("Enter") == row
        kept = tab.decide("q")
        rows = server.con.cursor().execute("SELECT id::VARCHAR, truth, label FROM train").fetchall()
        truths, given = ({key: lists[at] for key, *lists in rows} for at in (0, 1))
        assert server.log("key, action, new_label::VARCHAR[]") == [
            (accepted, "relabel", truths[accepted]), (row, "relabel", truths[row]),
            (kept, "keep", None),
        ]  # fmt: skip
        page.locator(".word select").first.select_option(label=WORDS[1])
        row = tab.row
        page.get_by_role("button", name="Save these labels").click()
        tab.says(f"{row}: now ")
        ((saved,),) = server.log("new_label::VARCHAR[]")[-1:]
        assert isinstance(saved, list) and saved[0] == WORDS[1] and saved[1:] == given[row][1:]
        assert tab.elsewhere == [] and tab.complaints == []
        tab.context.close()


def test_two_reviewers_of_tags(tags_tab: Tab, browser: Browser, tagged: Here) -> None:
    """What bob has switched is there still when ann was faster."""
    bob = Tab(browser, tagged.links["bob"])
    contested = tags_tab.row
    bob.page.goto(bob.at(f"/?at={contested}"))
    before = _on(bob)
    bob.page.keyboard.press("9")
    changed = _on(bob)
    assert changed != before
    tags_tab.decide("e")
    bob.press("Enter")
    bob.says("nothing was written: meanwhile ann has excluded")
    assert bob.row == contested and _on(bob) == changed
    assert tagged.log() == [(contested, "exclude", "ann")]
    bob.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["1280 px", "390 px"])
@pytest.mark.parametrize(
    "make", [make_tagged, make_measured, make_worded], ids=["tags", "numbers", "words"]
)
def test_pages_are_usable_by_anyone(
    browser: Browser, tmp_path: Path, make: Callable[[Path], Path], dark: bool, phone: bool
) -> None:
    with reviewing(make(tmp_path / "my.duckdb"), "x") as server:
        ann = Tab(browser, server.links["ann"], dark=dark, phone=phone)
        ann.decide("q")
        for path in PATHS:
            ann.page.goto(ann.at(path))
            found = Axe().run(ann.page)
            serious = [
                (each["id"], each["nodes"][0]["html"])
                for each in found.response["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == [], path
            too_wide = ann.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert too_wide <= 0, path
            assert "owned" not in ann.page.title()
        assert ann.elsewhere == []
        ann.context.close()


def test_without_scripts_tags_and_numbers_are_saved(
    browser: Browser, tagged: Here, measured: Here
) -> None:
    for server in (tagged, measured):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(server.links["ann"])
        row = page.locator("article[data-row]").get_attribute("data-row")
        if server is tagged:
            for box in page.locator("ol.switches").first.locator("input").all():
                box.set_checked(True)
            page.get_by_role("button", name="Save these tags").click()
        else:
            page.get_by_label("The right number").fill("77")
            page.get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_contain_text(f"{row}: now ")
        context.close()
    assert len(tagged.log("new_label::VARCHAR[]")[0][0]) >= 9  # type: ignore[arg-type]
    assert measured.log("new_label") == [("77.00",)]
    assert len(TAGS) == 10
