"""Which label a phrase names, however it is spelled. Imports only the task.

Two spellings are the same if they differ in what no reader would look at: Unicode's forms of one
character, case, the punctuation around a word, then dashes, underscores and blanks between words.
Where labels differ in nothing else (`a-b` and `a_b`), that is what tells them apart: the closest
spelling decides, and one that is close to two names neither.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial

from sqlfuncs.llm.task import Task

EDGES = " \t\r\n\"'`*_.,:;!()[]{}<>“”„‟‘’‚‛«»‹›「」『』【】《》。、，：；！·•"
# Nothing that is seen: soft hyphens, joiners, marks of direction, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_BETWEEN = re.compile(r"[\s_\-\u00ad\u058a\u05be\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d~]+")
_APOSTROPHES = str.maketrans("‘’ʼ‛´`", "''''''")


def label_of(task: Task, phrase: str) -> str | None:
    """The label whose name a phrase is, and nothing more.

    >>> task = Task.read(["order_status", "café"])
    >>> label_of(task, "**Order status**"), label_of(task, "cafe\\u0301"), label_of(task, "order")
    ('order_status', 'café', None)
    """
    if phrase in task.labels:
        return phrase
    for form in _FORMS:
        named = _named(task, form)
        spelled = form(phrase)
        if spelled and spelled in named:  # of a label like "-" nothing may be left
            return named[spelled]
    return None


def unseen(text: str) -> str:
    """A text without what is not seen, such as a byte order mark."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def folded(text: str) -> str:
    """A text in the form in which all spellings of it are the same.

    >>> folded("Pre\\u2013Sale"), folded("pre_sale")
    ('pre sale', 'pre sale')
    """
    return _BETWEEN.sub(" ", _plain(text).translate(_APOSTROPHES)).strip()


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", unseen(text)).strip()


def _plain(text: str) -> str:
    """Compatible characters as one (full width, ligatures), without case."""
    compatible = unicodedata.normalize("NFKC", unseen(text)).casefold()
    return " ".join(unseen(unicodedata.normalize("NFKC", compatible)).split())


def _bare(text: str, form: Callable[[str], str]) -> str:
    return form(form(text).strip(EDGES)) or form(text)


# From the closest spelling to the farthest.
_FORMS: tuple[Callable[[str], str], ...] = (
    _composed,
    partial(_bare, form=_composed),
    _plain,
    partial(_bare, form=_plain),
    partial(_bare, form=folded),
)


@lru_cache(maxsize=512)
def _named(task: Task, form: Callable[[str], str]) -> dict[str, str | None]:
    """Labels by a form of their names; None where two have it: neither is meant for sure."""
    named: dict[str, str | None] = {}
    for label in task.labels:
        spelled = form(label)
        named[spelled] = None if spelled in named else label
    return named
