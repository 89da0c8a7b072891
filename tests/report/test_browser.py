"""The report in a real Chromium: on a desk, on a phone, in the dark, and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.report import other_labels
from tests.report.written import Report, decide, report, truthfully
from tests.review.chromium import PHONE, WIDE, chromium, needs_chromium
from tests.review.kinds import make_worded
from tests.review.tables import CLASSES, EVIL, add_test_rows, make

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Report:
    """A report with every part."""
    db = add_test_rows(make(tmp_path_factory.mktemp("written") / "my.duckdb"))
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE test SET label = $1 WHERE id % 5 = 0", [CLASSES[0]])
    random = "md5('review ' || id::VARCHAR)"
    decide(db, "decisions", truthfully(db, random, 60))
    decide(db, "test_decisions", truthfully(db, random, 30, table="test"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SQLFUNCS_HOME", str(trained))
        return report(db, "--x", "probs")


@pytest.fixture(scope="module", params=["tags", "number", "label"])
def of_others(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, trained: Path
) -> Report:
    """Reports on labels that are no classes: tags, numbers, and those of words."""
    if request.param == "label":
        db = make_worded(tmp_path_factory.mktemp("words") / "my.duckdb")
        decide(db, "decisions", truthfully(db, "md5('review ' || id::VARCHAR)", 60))
        return report(db, "--text", "x")
    made = other_labels.make(tmp_path_factory.mktemp("others") / "my.duckdb")
    db = other_labels.add_test_rows(made)
    sample = other_labels.truthfully(db, request.param, "md5('review ' || id::VARCHAR)", 60)
    decide(db, "decisions", sample)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SQLFUNCS_HOME", str(trained))
        return report(db, "--label", request.param, "--x", "v")


def _opened(
    browser: Browser, written: Report, *, dark: bool, phone: bool
) -> tuple[Page, list[str]]:
    context = browser.new_context(
        viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        offline=True,
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(written.path.as_uri())
    return page, asked


def _faults(page: Page) -> list[tuple[str, str]]:
    """What stands in the way of some readers, with all parts of a report open."""
    for closed in page.locator("details").all():
        closed.locator("summary").click()
    found = Axe().run(page)
    return [
        (each["id"], each["nodes"][0]["html"])
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["1280 px", "390 px"])
def test_everybody_can_read_it(browser: Browser, written: Report, dark: bool, phone: bool) -> None:
    page, asked = _opened(browser, written, dark=dark, phone=phone)
    assert _faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.get_by_role("img", name="Wrong labels found, by decisions").is_visible()
    assert page.get_by_role("img", name="Test accuracy, corrected").is_visible()
    assert asked == [written.path.as_uri()]
    page.context.close()


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)], ids=["desk", "phone"])
def test_everybody_can_read_of_other_labels(
    browser: Browser, of_others: Report, dark: bool, phone: bool
) -> None:
    page, asked = _opened(browser, of_others, dark=dark, phone=phone)
    assert _faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("script, img[onerror]").count() == 0
    assert page.get_by_text(EVIL).first.is_visible()
    assert all(each.is_visible() for each in page.get_by_role("img").all())
    assert asked == [of_others.path.as_uri()]
    page.context.close()


def test_a_row_that_holds_a_script_shows_it(browser: Browser, written: Report) -> None:
    page, _ = _opened(browser, written, dark=False, phone=False)
    assert page.title() == "Labels of train"
    assert page.locator("script, img[onerror]").count() == 0
    assert page.get_by_text(EVIL).first.is_visible()
    page.context.close()


def test_on_paper(browser: Browser, written: Report) -> None:
    """Nothing is cut off, and no SQL is printed."""
    page, _ = _opened(browser, written, dark=True, phone=False)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 1000})
    assert page.locator("details.sql").first.is_hidden()
    too_wide = page.locator(".wide").evaluate_all(
        "parts => parts.filter(each => each.scrollWidth > each.clientWidth + 1).length"
    )
    assert too_wide == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    page.context.close()
