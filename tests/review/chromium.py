"""A real Chromium that opens the review page, watched for what it asks other hosts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"
)
expect.set_options(timeout=60_000)
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        # Chromium's sandbox wants a user that is not root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A page of one reviewer, who opened a link."""

    def __init__(self, browser: Browser, link: str, *, dark: bool = False, phone: bool = False):
        self.context = browser.new_context(
            viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            has_touch=phone,
        )
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()
        self.host = urlsplit(link).netloc
        self.elsewhere: list[str] = []  # what was asked of other hosts
        self.complaints: list[str] = []  # of the console, and of scripts
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(link)
        self.root = self.page.url.removesuffix("/")

    def _note(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if urlsplit(url).netloc != self.host:
            self.elsewhere.append(url)

    def _hear(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.complaints.append(message.text)  # type: ignore[attr-defined]

    def at(self, path: str) -> str:
        """The address of a page of the review."""
        return self.root + path

    @property
    def row(self) -> str:
        """The key of the row that is shown."""
        return self.page.locator("article[data-row]").get_attribute("data-row") or ""

    def press(self, key: str) -> None:
        """Press a key, and wait until what it does is done."""
        self.page.keyboard.press(key)
        expect(self.page.locator("body[data-busy]")).to_have_count(0)

    def decide(self, key: str) -> str:
        """Press a key that decides about the row shown; the row's key."""
        row = self.row
        self.press(key)
        expect(self.page.locator(f'article[data-row="{row}"]')).to_have_count(0)
        return row

    def says(self, text: str) -> None:
        """Expect to be told something."""
        expect(self.page.locator("#said")).to_contain_text(text)


def opened(browser: Browser, link: str) -> Iterator[Tab]:
    """A tab that has asked no other host and met no error by the time a test is done with it."""
    found = Tab(browser, link)
    yield found
    assert found.elsewhere == []
    assert found.complaints == []
    found.context.close()
