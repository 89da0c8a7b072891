"""JSON in what a model wrote: fenced or in the midst of words, as Python writes it, or cut short.

Imports nothing of ours. What a bracket begins is read as JSON, else as the dialects that people
and models take for it: single quotes, names without quotes, True and None, commas at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DEEPEST = 20  # brackets in each other; no answer has more
_MOST_BEGINNINGS = 200  # brackets that are looked at
_MOST_CHARACTERS = 200_000
_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`", "«": "»", "„": "“”"}
_WORD = re.compile(r"[^\s,:{}\[\]\"'“”]+(?:[ \t]+[^\s,:{}\[\]\"'“”]+)*")
_BLANK = re.compile(r"(?:\s|//[^\n]*\n)*")
_ENDS = re.compile(r"\s*(?:[,:\]}]|$|//)")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
_CONSTANTS_NONE = ("null", "None", "undefined")


class Several(list[object]):
    """The values of a name that stands in one object more than once."""


@dataclass(frozen=True)
class Found:
    """A value, and where in the text it stands. Of a list that `is_cut` the end is missing."""

    value: object
    start: int
    end: int
    is_cut: bool = False


def values(text: str) -> Iterator[Found]:
    """The objects and lists in a text, each outermost one, in their order.

    >>> [found.value for found in values("Sure: {'label': 'a'}, or [1, 2] ...")]
    [{'label': 'a'}, [1, 2]]
    >>> [found.value for found in values('{"label": "a", "label": "b"} {nothing}')]
    [{'label': ['a', 'b']}]
    """
    if len(text) > _MOST_CHARACTERS:
        return
    at = 0
    for _ in range(_MOST_BEGINNINGS):
        begun = _BEGINS.search(text, at)
        if begun is None:
            return
        found = _strict(text, begun.start()) or _loose(text, begun.start())
        if found is not None:
            yield found
        at = found.end if found is not None else begun.end()


_BEGINS = re.compile(r"[{\[]")


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; where it has a name twice, both values count."""
    made = dict(pairs)
    if len(made) < len(pairs):
        for name in made:
            of_name = [value for other, value in pairs if other == name]
            if len(of_name) > 1:
                made[name] = Several(of_name)
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)


def _strict(text: str, start: int) -> Found | None:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return Found(value, start, end)


class _NotJson(Exception):
    """What stands here is no dialect of JSON."""


def _loose(text: str, start: int) -> Found | None:
    reader = _Reader(text, start)
    try:
        value = reader.value(0)
    except _NotJson:
        return None
    if not value:  # {} of a program, {word} of a text
        return None
    return Found(value, start, reader.at, reader.is_cut)


class _Reader:
    """Reads one value from a place on. A closing bracket may be missing at the very end."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self.at, self.is_cut = text, at, False

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _NotJson
        self._blank()
        first = self._text[self.at : self.at + 1]
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._list(depth)
        return self._string(first) if first in _CLOSING and first else self._word()

    def _object(self, depth: int) -> dict[str, object]:
        pairs: list[tuple[str, object]] = []
        self.at += 1
        while not self._ends("}"):
            name = self.value(depth + 1)
            self._blank()
            if self._text[self.at : self.at + 1] != ":" or not isinstance(name, str | int):
                raise _NotJson
            self.at += 1
            pairs.append((str(name), self.value(depth + 1)))
            self._comma("}")
        return _pairs(pairs)

    def _list(self, depth: int) -> list[object]:
        found = []
        self.at += 1
        while not self._ends("]"):
            found.append(self.value(depth + 1))
            self._comma("]")
        return found

    def _ends(self, closing: str) -> bool:
        self._blank()
        if self.at >= len(self._text):
            self.is_cut |= closing == "]"
            return True
        if self._text[self.at] == closing:
            self.at += 1
            return True
        return False

    def _comma(self, closing: str) -> None:
        self._blank()
        after = self._text[self.at : self.at + 1]
        if after == ",":
            self.at += 1
        elif after not in ("", closing):
            raise _NotJson

    def _string(self, quote: str) -> str:
        pieces = []
        at = self.at + 1
        while at < len(self._text):
            character = self._text[at]
            if character == "\\" and at + 1 < len(self._text):
                pieces.append(self._text[at : at + 2])
                at += 2
                continue
            if character in _CLOSING[quote] and self._is_over(at + 1):
                self.at = at + 1
                return _unescaped("".join(pieces))
            pieces.append(character)
            at += 1
        raise _NotJson  # cut short: what it would have been is not known

    def _is_over(self, at: int) -> bool:
        """Whether what follows a quotation mark is the end of a value: not so in 'it's'."""
        return bool(_ENDS.match(self._text, at))

    def _word(self) -> Any:
        found = _WORD.match(self._text, self.at)
        if found is None:
            raise _NotJson
        self.at = found.end()
        word = found[0]
        if self.at >= len(self._text):
            raise _NotJson  # cut short
        if word in _CONSTANTS_NONE:
            return None
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        return int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else word

    def _blank(self) -> None:
        blank = _BLANK.match(self._text, self.at)
        self.at = blank.end() if blank else self.at


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        plain = text.replace("\\'", "'").replace("\\`", "`").replace("\n", "\\n")
        return str(json.loads(f'"{_QUOTES.sub(chr(92) * 2 + chr(34), plain)}"'))
    except ValueError:
        return text


_QUOTES = re.compile(r'(?<!\\)"')
