"""The prompt at a terminal: history, several lines, completion. Uses prompt_toolkit."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import completion_is_selected
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from sqlfuncs import __version__
from sqlfuncs.cli.prompt.completion import Names
from sqlfuncs.cli.prompt.session import Session, say
from sqlfuncs.llm.redaction import redacted
from sqlfuncs.store.home import home, made

if TYPE_CHECKING:
    import duckdb

    from sqlfuncs.engines.duckdb.catalog import Name

_FIRST = "sqlfuncs> "
_NEXT = "      ..> "
_SECRET = re.compile(r"\b(secret|token|password|api_?key)\b", re.IGNORECASE)


class History(FileHistory):
    """What was typed, for its owner only, and nothing that names a secret."""

    def __init__(self, file: Path) -> None:
        made(file.parent)
        file.touch(mode=0o600)
        super().__init__(file)

    def store_string(self, string: str) -> None:
        """Keep an entry."""
        if not _SECRET.search(string):
            super().store_string(redacted(string))


def converse(con: duckdb.DuckDBPyConnection, db: str) -> None:
    """Read and run until `.quit` or Ctrl-D."""
    from sqlfuncs.engines.duckdb import catalog

    session = Session(con)
    version = con.execute("SELECT system.main.version()").fetchall()[0][0]
    where = "a database in memory" if db == ":memory:" else db
    say(f"sqlfuncs {__version__} on DuckDB {version}, {where}. A statement ends with ; (.help)")
    names: list[Name] = []
    reader = _reader(lambda: names)
    while not session.over:
        names = catalog.names(con)  # the entry before may have made a table
        try:
            text = reader.prompt()
        except KeyboardInterrupt:
            continue  # what was typed is put away, as in other shells
        except EOFError:
            return
        session.try_to_run(text)


def _reader(known: Callable[[], list[Name]]) -> PromptSession[str]:
    return PromptSession(
        _FIRST,
        history=_history(),
        completer=Names(known),
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        prompt_continuation=_NEXT,
        key_bindings=_keys(),
        enable_open_in_editor="EDITOR" in os.environ,
    )


def _history() -> FileHistory | InMemoryHistory:
    try:
        return History(home() / "history")
    except OSError:  # a home that is read only
        return InMemoryHistory()


def _keys() -> KeyBindings:
    """Enter ends an entry that is whole, and begins another line in one that is not."""
    from sqlfuncs.engines.duckdb.statements import is_complete

    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        text = event.current_buffer.text
        if not text.strip() or text.lstrip().startswith(".") or is_complete(text):
            event.current_buffer.validate_and_handle()
        else:
            event.current_buffer.insert_text("\n")

    @keys.add("enter", filter=completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        # The library's own loses a Tab that comes while it looks names up for the letter before.
        buffer = event.current_buffer
        if buffer.complete_state:
            buffer.complete_next()
            return
        asked = CompleteEvent(completion_requested=True)
        found = list(buffer.completer.get_completions(buffer.document, asked))
        if len(found) == 1:
            buffer.apply_completion(found[0])
        else:
            buffer.start_completion(insert_common_part=True)

    return keys
