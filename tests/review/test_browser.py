"""The page in a real Chromium: what keys and clicks do, and what is seen."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.review.chromium import Tab, needs_chromium, opened
from tests.review.server import Here, reviewing, serving
from tests.review.tables import CLASSES, EVIL, make, make_pictures

pytestmark = needs_chromium
PATHS = (
    "/",
    "/list",
    "/clean",
    "/verify",
    "/?sort=verify",
    "/progress",
    "/?text=nowhere",
    "/?at=4",
)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "my.duckdb")


@pytest.fixture
def server(db: Path) -> Iterator[Here]:
    with reviewing(db) as found:
        yield found


@pytest.fixture
def tab(browser: Browser, server: Here) -> Iterator[Tab]:
    yield from opened(browser, server.links["ann"])


def test_a_review_by_keys_alone(tab: Tab, server: Here) -> None:
    page = tab.page
    wanted = []
    for key, action in (("w", "relabel"), ("q", "keep"), ("e", "exclude"), ("N", "needs_review")):
        wanted.append((tab.decide(key), action, "ann"))
    given = page.locator("dl.labels dd .label").first.inner_text()
    likely = page.locator(".chances button").all_inner_texts()
    by_number = next(i for i, text in enumerate(likely, 1) if not text.startswith(given))
    wanted.append((tab.decide(str(by_number)), "relabel", "ann"))
    expect(page.locator("#decided")).to_have_text("4 of 300 decided")
    undone = wanted[-1][0]
    tab.press("u")
    tab.says(f"{undone} was taken back")
    assert tab.row == undone
    tab.decide("w")
    expect(page.locator("#decided")).to_have_text("4 of 300 decided")
    assert server.log() == [*wanted, (undone, "needs_review", "ann"), wanted[-1]]


def test_arrows_move_and_decide_nothing(tab: Tab, server: Here) -> None:
    first = tab.row
    tab.press("ArrowRight")
    expect(tab.page.locator(f'article[data-row="{first}"]')).to_have_count(0)
    second = tab.row
    tab.press("ArrowLeft")
    expect(tab.page.locator(f'article[data-row="{first}"]')).to_have_count(1)
    tab.page.go_back()
    expect(tab.page.locator(f'article[data-row="{second}"]')).to_have_count(1)
    assert server.log() == []


def test_search_by_keys_and_keys_in_a_field_are_letters(tab: Tab, server: Here) -> None:
    page = tab.page
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("order 27")
    expect(page.get_by_role("searchbox")).to_have_value("order 27")
    page.keyboard.press("Enter")
    expect(page.locator(".place")).to_contain_text("11 rows")
    tab.decide("q")
    expect(page.get_by_role("searchbox")).to_have_value("order 27")
    expect(page.locator(".place")).to_contain_text("10 rows")
    assert [action for _, action, _ in server.log()] == ["keep"]


def test_help_lists_the_keys_and_can_turn_them_off(tab: Tab, server: Here) -> None:
    page, first = tab.page, tab.row
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("w")  # says nothing to the row behind
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).not_to_be_visible()
    page.keyboard.press("w")
    page.keyboard.press("q")
    tab.press("ArrowRight")
    expect(page.locator(f'article[data-row="{first}"]')).to_have_count(0)
    page.reload()
    page.keyboard.press("e")
    expect(page.locator("#decided")).to_have_text("0 of 300 decided")
    assert server.log() == []


def test_with_tab_and_enter_alone(tab: Tab, server: Here) -> None:
    """Nothing needs a mouse or a single key: what is focused is seen, and Enter presses it."""
    page, row = tab.page, tab.row
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "keep":
            break
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(width.removesuffix("px")) >= 2
    page.keyboard.press("Enter")
    expect(page.locator(f'article[data-row="{row}"]')).to_have_count(0)
    assert server.log() == [(row, "keep", "ann")]


def test_the_matrix_filters(tab: Tab, server: Here) -> None:
    page = tab.page
    cell = page.get_by_role(
        "link", name=re.compile(rf"rows given {CLASSES[2]}, suggested {CLASSES[1]}")
    )
    rows = cell.inner_text()
    cell.click()
    expect(page.locator(".place")).to_contain_text(f"{rows} rows to decide")
    expect(page.locator("dl.labels dd").nth(0)).to_have_text(CLASSES[2])
    expect(page.locator("dl.labels dd").nth(1)).to_have_text(CLASSES[1])
    tab.decide("w")
    expect(page.locator(".place")).to_contain_text(f"{int(rows) - 1} rows to decide")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".place")).to_contain_text("299 rows")
    assert len(server.log()) == 1


def test_filters_and_sorting_by_the_form(tab: Tab) -> None:
    page = tab.page
    page.get_by_label("flagged only").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".place")).to_contain_text("28 rows")  # the least sure are no issues
    page.get_by_label("flagged only").uncheck()
    page.get_by_label("Label quality from").fill("0.9")
    page.get_by_label("Order").select_option("as in the table")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("dl.labels dd").nth(2)).to_have_text(re.compile(r"0\.9\d\d|1\.000"))
    page.locator("select[name=state]").select_option("decided")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_have_text("No row matches")


def test_the_list_by_arrows(tab: Tab, server: Here) -> None:
    page = tab.page
    page.get_by_role("link", name="List").click()
    expect(page.locator("li[data-row]")).to_have_count(50)
    third = page.locator("li[data-row]").nth(2).get_attribute("data-row")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("li[data-active]")).to_have_attribute("data-row", third or "")
    tab.press("q")
    expect(page.locator(f'li[data-row="{third}"]')).to_have_count(0)
    expect(page.locator("li[data-active]")).to_be_focused()
    after = page.locator("li[data-active]").get_attribute("data-row")
    tab.press("e")
    expect(page.locator("#decided")).to_have_text("2 of 300 decided")
    tab.press("ArrowRight")
    expect(page.locator(".pages")).to_contain_text("page 2 of 6")
    assert server.log() == [(third, "keep", "ann"), (after, "exclude", "ann")]


def test_clean_top_with_a_preview_and_one_undo(tab: Tab, server: Here) -> None:
    page = tab.page
    page.get_by_role("link", name="Clean top").click()
    page.get_by_label("How many").fill("12")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("table.preview tbody tr")).to_have_count(12)
    page.get_by_role("button", name="Replace these 12 labels").click()
    tab.says("12 labels were replaced")
    expect(page.locator("#decided")).to_have_text("12 of 300 decided")
    tab.press("u")
    tab.says("12 decisions were taken back")
    expect(page.locator("#decided")).to_have_text("0 of 300 decided")
    assert len(server.log()) == 24


def test_two_browsers_see_each_other_and_overwrite_nothing(
    tab: Tab, browser: Browser, server: Here
) -> None:
    bob = Tab(browser, server.links["bob"])
    contested = tab.row
    assert bob.row != contested
    bob.page.goto(bob.at(f"/?at={contested}"))
    tab.decide("w")
    # Told without asking: an open page looks every few seconds.
    expect(bob.page.locator("#said")).to_contain_text("Meanwhile ann has given", timeout=60_000)
    expect(bob.page.locator("#decided")).to_have_text("1 of 300 decided")
    bob.press("e")
    bob.says("nothing was written: meanwhile ann has given")
    assert bob.row == contested
    mine = bob.page.goto(bob.at("/"))
    assert mine is not None
    own = bob.decide("q")
    assert server.log() == [(contested, "relabel", "ann"), (own, "keep", "bob")]
    bob.context.close()


def test_killed_in_mid_decision_nothing_is_lost(browser: Browser, db: Path) -> None:
    """What the page had shown as decided is in the file; the server starts again."""
    with serving(db, "--x", "probs") as server:
        ann = Tab(browser, server.links["ann"])
        decided = [ann.decide("q") for _ in range(5)]
        # Held while the server dies: the decision is sent, and never answered.
        os.kill(server.process.pid, signal.SIGSTOP)
        lost = ann.row
        ann.page.keyboard.press("e")
        expect(ann.page.locator("body[data-busy]")).to_have_count(1)
        os.kill(server.process.pid, signal.SIGKILL)
        ann.says("The server does not answer. What was decided is kept")
        ann.page.keyboard.press("q")
        ann.says("The server does not answer")
        ann.context.close()
        log = server.log()
        assert [key for key, _, _ in log][:5] == decided
        assert all(key == lost for key, _, _ in log[5:])
    with serving(db, "--x", "probs") as server:
        ann = Tab(browser, server.links["ann"])
        expect(ann.page.locator("#decided")).to_have_text(f"{len(log)} of 300 decided")
        ann.press("u")
        ann.says(f"{log[-1][0]} was taken back")
        ann.context.close()


def test_reloaded_it_shows_the_same_row(tab: Tab) -> None:
    tab.decide("q")
    row = tab.row
    tab.page.reload()
    assert tab.row == row
    expect(tab.page.locator("#decided")).to_have_text("1 of 300 decided")


def test_what_rows_say_is_never_run(tab: Tab, server: Here) -> None:
    for path in ("/?at=4", "/list", "/clean?count=50"):
        tab.page.goto(tab.at(path))
        expect(tab.page.locator("body")).to_contain_text("document.title = 'owned'")
        assert "owned" not in tab.page.title()
        assert tab.page.locator("main script, main img[onerror]").count() == 0
    tab.page.goto(tab.at("/?at=4"))
    expect(tab.page.locator(".content .text")).to_have_text(EVIL)


def test_it_learns_and_says_when_to_stop(tab: Tab) -> None:
    page = tab.page
    page.goto(tab.at("/?sort=random"))
    for _ in range(22):
        tab.decide("w" if page.locator("button.accept").count() else "q")
    # A page that was shown while the queue learned by itself hears of the end.
    page.evaluate("document.querySelector('#learn').disabled = true")
    page.evaluate("document.querySelector('#learn').textContent = 'Learning'")
    page.get_by_role("button", name="Learn from decisions").click()
    tab.says("Learning from what is decided")
    expect(page.locator("#said")).to_contain_text(
        "has learned from 22 decided rows", timeout=60_000
    )
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_role("img", name=re.compile("Wrong labels left"))).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("wrong labels are left")
    expect(page.get_by_role("rowheader", name="ann")).to_be_visible()
    expect(page.get_by_role("region", name="Wrong labels found by decisions")).to_contain_text(
        "1 to 22"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["1280 px", "390 px"])
def test_pages_are_usable_by_anyone(
    browser: Browser, server: Here, dark: bool, phone: bool
) -> None:
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
    assert ann.elsewhere == []
    ann.context.close()


def test_a_thumb_decides(browser: Browser, server: Here) -> None:
    ann = Tab(browser, server.links["ann"], phone=True)
    row = ann.row
    keep = ann.page.locator("article button.keep")
    box = keep.bounding_box()
    assert box is not None and box["height"] >= 44 and box["y"] + box["height"] <= 844
    keep.tap()
    expect(ann.page.locator(f'article[data-row="{row}"]')).to_have_count(0)
    ann.context.close()
    assert server.log() == [(row, "keep", "ann")]


def test_without_scripts_it_works_a_page_at_a_time(browser: Browser, server: Here) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.links["ann"])
    row = page.locator("article[data-row]").get_attribute("data-row")
    page.locator("article button.keep").click()
    expect(page.locator("#said")).to_contain_text(f"{row}: kept.")
    context.close()
    assert server.log() == [(row, "keep", "ann")]


def test_a_page_of_another_origin_posts_nothing(tab: Tab, server: Here) -> None:
    """Of the same host, so that the browser sends the cookie with it: the origin is what tells."""
    form = (
        f'<form method="post" action="{tab.at("/decide")}"><input name="row" value="7">'
        '<input name="action" value="exclude"><input name="seen" value=""></form>'
        "<script>document.forms[0].submit()</script>"
    ).encode()

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    foreign = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    page = tab.context.new_page()
    page.goto(f"http://127.0.0.1:{foreign.server_address[1]}/")
    expect(page.locator("body")).to_contain_text("came from another page. Nothing was done")
    assert page.context.cookies(tab.at("/"))
    foreign.shutdown()
    foreign.server_close()
    assert server.log() == []


def test_no_other_server_on_this_machine_hears_of_it(browser: Browser, server: Here) -> None:
    """Cookies know no ports: what is sent to another one on 127.0.0.1 lets nobody in here."""
    heard: list[tuple[str, dict[str, str]]] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append((self.path, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Set-Cookie", f"sqlfuncs_review_{port}=theirs; Path=/")
            self.end_headers()
            self.wfile.write(b"<p>another page</p>")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    ann = Tab(browser, server.links["ann"])
    port = ann.host.partition(":")[2]
    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    elsewhere = f"http://127.0.0.1:{other.server_address[1]}"
    for path in ("/", "/r/", "/r/guessed/", "/?token=x"):
        ann.page.evaluate(f"location = '{elsewhere}{path}'")  # from the page, as a link would
        expect(ann.page.locator("body")).to_contain_text("another page")
        assert ann.page.evaluate("document.cookie") == f"sqlfuncs_review_{port}=theirs"
        assert ann.page.evaluate("document.referrer") == ""
        ann.page.go_back()
        expect(ann.page.locator("article[data-row]")).to_have_count(1)
    ann.page.goto(ann.at("/"))
    row = ann.decide("q")
    other.shutdown()
    other.server_close()
    asked = [each for each in heard if each[0] != "/favicon.ico"]
    assert [path for path, _ in asked] == ["/", "/r/", "/r/guessed/", "/?token=x"]
    secret = next(c["value"] for c in ann.context.cookies(ann.at("/")) if c["path"] != "/")
    for _, headers in heard:
        assert secret not in str(headers)
        assert ann.root.partition("/r/")[2] not in str(headers)
    ann.context.close()
    assert server.log() == [(row, "keep", "ann")]


def test_images_and_fields(browser: Browser, tmp_path: Path) -> None:
    db = make_pictures(tmp_path / "shapes.duckdb")
    with reviewing(db, "picture", "picture") as server:
        ann = Tab(browser, server.links["ann"])
        picture = ann.page.locator(".content img")
        expect(picture).to_have_attribute("alt", f"image of row {ann.row}")
        assert picture.evaluate("image => image.naturalWidth") == 48
        expect(ann.page.get_by_text("Other columns")).to_be_visible()
        assert ann.complaints == []
        ann.context.close()
    with reviewing(db, "fields", "fields") as server:
        ann = Tab(browser, server.links["ann"])
        expect(ann.page.locator(".content dt")).to_have_text(["side", "corners"])
        ann.decide("q")
        ann.context.close()
        assert len(server.log()) == 1
