"""What the body of an error says: its messages and its codes, wherever they stand.

There are as many forms of it as servers, and one more for each gateway before them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from sqlfuncs.llm.openai_json import parsed
from sqlfuncs.llm.redaction import shown

SHOWN = 300  # characters of what a server said
_DEEPEST = 5  # objects in each other that are looked into for its messages
_PAGE = 5_000  # characters of a page that are read
_MOST_PARTS = 5  # of several errors that are shown
_MESSAGES = (
    "message",
    "msg",
    "error_message",
    "error_description",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "error",
    "errors",
    "raw",
)
_CODES = ("code", "type", "status", "error_type", "errorCode", "error_code")


def message_of(body: object) -> str:
    """The messages of a body, as it has them; empty if it has none."""
    return "; ".join(dict.fromkeys(_messages(body)))


def codes_of(body: object) -> list[str]:
    """Its codes, types and states, as texts."""
    return list(dict.fromkeys(_codes(body)))


def shown_message(body: object) -> str:
    """The messages of a body, fit to be shown; empty if it has none.

    >>> shown_message([{"msg": "too small"}, {"msg": "too late"}])
    'too small; too late'
    """
    return shown(message_of(body), SHOWN)


def is_error(body: object) -> bool:
    """Whether a body of JSON is that of an error, whatever status it came with."""
    if isinstance(body, list):
        return bool(body) and is_error(body[0])
    if not isinstance(body, dict):
        return False
    if body.get("error") or body.get("object") == "error" or body.get("errors"):
        return True
    return "choices" not in body and any(body.get(name) for name in ("detail", "message"))


def _messages(body: object, depth: int = 0) -> Iterator[str]:
    """The messages of an error, the first that there are on each level."""
    if depth > _DEEPEST or not body:
        return
    if isinstance(body, str):
        yield from _of_text(body, depth)
    elif isinstance(body, list):
        for each in body[:_MOST_PARTS]:
            yield from _messages(each, depth + 1)
    elif isinstance(body, dict):
        yield from _of_object(body, depth)


def _of_object(body: Mapping[str, object], depth: int) -> Iterator[str]:
    where = body.get("loc")
    if isinstance(where, list) and isinstance(body.get("msg"), str):  # of pydantic
        yield f"{'.'.join(map(str, where[:_DEEPEST]))}: {body['msg']}"
        return
    inner = body.get("error")
    if isinstance(inner, dict | list) and inner:
        found = list(_messages(inner, depth + 1))
        if found:
            yield from found
            return
    for name in _MESSAGES:
        found = list(_messages(body.get(name), depth + 1))
        if found:
            yield from found
            break
    param = body.get("param")
    if isinstance(param, str) and param:
        yield param
    more = body.get("metadata")
    if isinstance(more, dict):  # of a gateway: what the server behind it said
        yield from _messages(more.get("raw"), depth + 1)


def _of_text(text: str, depth: int) -> Iterator[str]:
    text = text.strip()
    if text[:1] in ("{", "[") and depth < _DEEPEST:
        inner = parsed(text)
        if isinstance(inner, dict | list):
            found = list(_messages(inner, depth + 1))
            if found:
                yield from found
                return
    if text[:1] == "<" and re.match(
        r"<(?:!doctype|html|head|body|\?xml|h\d|p|div|center)\b", text, re.I
    ):
        text = _of_page(text)
    if text:
        yield text


def _of_page(page: str) -> str:
    """The title of a page, else its text."""
    page = page[:_PAGE]
    title = re.search(r"<title[^>]*>([^<]*)</title>", page, re.IGNORECASE)
    if title is None or not title[1].strip():
        page = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", " ", page, flags=re.S | re.I)
    text = title[1] if title and title[1].strip() else re.sub(r"<[^>]*>", " ", page)
    return " ".join(html.unescape(text).split())


def _codes(body: object, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(body, list):
        for each in body[:_MOST_PARTS]:
            yield from _codes(each, depth + 1)
    if not isinstance(body, dict):
        return
    for name in _CODES:
        code = body.get(name)
        if (isinstance(code, str) and code) or type(code) is int:
            yield str(code)[:SHOWN]
    for name in ("error", "errors", "detail", "metadata", "raw"):
        inner = body.get(name)
        if isinstance(inner, str) and inner.lstrip()[:1] == "{":
            inner = parsed(inner)
        yield from _codes(inner, depth + 1)
