"""Forms as a browser without scripts reads and sends them: line ends within values change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.review.server import Browser


def as_read(text: str) -> str:
    """A text as it comes out of HTML."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


@dataclass
class Form:
    """A form: its fields, the options of its lists (value and text), and what its button says."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    button: str = ""

    def choose(self, name: str, text: str) -> None:
        """Choose from a list what is shown as a text."""
        value = next(value for value, shown in self.options[name] if shown == as_read(text))
        self.fields = [(k, v) for k, v in self.fields if k != name] + [(name, value)]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select, self._text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("method", "get"), has.get("action", "")))
        elif not self.forms:
            return
        elif tag == "input" and "name" in has and has.get("type") != "checkbox":
            self.forms[-1].fields.append((has["name"], has.get("value", "")))
        elif tag == "select":
            self._select = has["name"]
            self.forms[-1].options[self._select] = []
        elif tag == "option":
            self._text = ""
            self.forms[-1].options[self._select].append((has["value"], ""))
            if "selected" in has:
                self.forms[-1].fields.append((self._select, has["value"]))
        elif tag == "button":
            self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if not self.forms:
            return
        if tag == "option":
            options = self.forms[-1].options[self._select]
            options[-1] = (options[-1][0], self._text)
        elif tag == "button" and not self.forms[-1].button:
            self.forms[-1].button = self._text


def forms(page: str) -> list[Form]:
    """All forms of a page."""
    found = _Forms()
    found.feed(as_read(page))
    return found.forms


def submit(browser: Browser, form: Form) -> str:
    """The page that follows."""
    sent: dict[str, list[str]] = {}
    for name, value in form.fields:
        sent.setdefault(name, []).append(re.sub("\r\n|\r|\n", "\r\n", value))
    path = form.action.removeprefix(".")
    if form.method == "post":
        return browser.post(path, **sent)
    return browser.get(f"{path}?{browser.encoded(sent)}")
