"""Which rows a base reads, and what those may have that it does not."""

from __future__ import annotations

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.wording import Given, Option, Words

OF_WORDS = Words("Labels of words may have ", Option("base", "fast"), " or an encoder: 'minilm'.")


def refuse_all_but_texts(base: str, rows: Rows) -> None:
    """Raise BadOption for rows that are no texts."""
    if rows.texts is not None:
        return
    others = OF_WORDS
    if rows.words is None:
        others = Words("Embeddings may have ", Option("base", "fast"), ".")
    raise BadOption(f"{Option('base', Given(base))} reads text. {others}")
