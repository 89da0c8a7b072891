"""The names that can be typed at the prompt. Uses prompt_toolkit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from sqlfuncs.cli import show
from sqlfuncs.cli.prompt.dots import COMMANDS
from sqlfuncs.queries import files

if TYPE_CHECKING:
    from sqlfuncs.engines.duckdb.catalog import Name

_WORD = re.compile(r"\w+$")
_PLAIN = re.compile(r"[A-Za-z_]\w*\Z")
_MOST = 200  # entries of a list: nobody reads more
# What was typed for this database comes before what is in every one.
_ORDER = ("column", "table", "function", "keyword")


class Names(Completer):
    """Completes SQL by the names that `known` gives, dot commands, and the files of `.read`."""

    def __init__(self, known: Callable[[], Iterable[Name]]) -> None:
        self._known = known
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        """What may stand at the cursor."""
        before = document.text_before_cursor
        if before.lstrip().startswith("."):
            yield from self._of_dots(before.lstrip(), event)
            return
        word = _WORD.search(before)
        if word is None and not event.completion_requested:
            return
        typed = word[0] if word else ""
        yield from self._of_sql(typed)

    def _of_sql(self, typed: str) -> Iterator[Completion]:
        fitting = [n for n in self._known() if n.text.lower().startswith(typed.lower())]
        fitting.sort(key=lambda n: (_ORDER.index(n.kind), n.about == "DuckDB", n.text))
        seen: set[str] = set()
        for name in fitting:
            if name.text.lower() in seen:
                continue  # a column `text` is not offered again as the keyword TEXT
            seen.add(name.text.lower())
            if len(seen) > _MOST:
                return
            text = name.text
            if name.kind == "keyword":
                text = text if typed.isupper() or not typed else text.lower()
            elif name.kind == "function":
                text += "("
            elif not _PLAIN.match(text) and "." not in text:
                text = '"' + text.replace('"', '""') + '"'
            yield Completion(
                text, -len(typed), display=name.shown, display_meta=name.about or name.kind
            )

    def _of_dots(self, before: str, event: CompleteEvent) -> Iterator[Completion]:
        command, space, rest = before.partition(" ")
        if not space:
            for known in COMMANDS:
                if known.startswith(command):
                    yield Completion(known, -len(command))
            return
        choices = {
            ".mode": show.FORMATS,
            ".timer": ("on", "off"),
            ".read": [file.name for file in files.shipped()],
            ".schema": [n.text for n in self._known() if n.kind == "table"],
            ".help": [n.text for n in self._known() if n.about == "sqlfuncs"],
        }
        for choice in choices.get(command, ()):
            if choice.startswith(rest):
                yield Completion(choice, -len(rest))
        if command == ".read":
            yield from self._paths.get_completions(Document(rest), event)
