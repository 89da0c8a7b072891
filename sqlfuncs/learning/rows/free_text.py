"""Fields of a STRUCT that are free text: which those are, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.rows.base import Chosen
from sqlfuncs.learning.rows.normalized_text import letters

# Two words with white space between them, each with a letter; or two characters of a script that
# is written without spaces. Keys, hashes, addresses of pages and of mails, dates and numbers have
# neither: an encoder would read words into them, though they mean nothing by how they are spelt.
_SEVERAL_WORDS = (
    r"(?s)\pL.*[\s\p{Z}].*\pL"
    r"|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{2}"
)


@dataclass(frozen=True)
class FreeText:
    """A field of free text: of each row what it says, "" where it is missing or blank."""

    name: str
    texts: list[str]

    @classmethod
    def read(cls, name: str, column: pa.Array) -> FreeText:
        """The texts of a column of strings."""
        return cls(name, [text if text and text.strip() else "" for text in column.to_pylist()])

    def chosen(self, places: Chosen) -> FreeText:
        """The texts of some rows."""
        return replace(self, texts=[self.texts[place] for place in places])

    def digests(self) -> list[bytes]:
        """A digest of each text."""
        return [_digest(text) for text in self.texts]

    def digests_of_letters(self) -> list[bytes]:
        """A digest of each text's letters, which near duplicates share."""
        return [_digest(letters(text)) for text in self.texts]


def is_free_text(column: pa.Array) -> bool:
    """Whether half of a column's texts have several words.

    >>> is_free_text(pa.array(["where is it?", "refund please", "thanks", None, None]))
    True
    >>> is_free_text(pa.array(["an@example.org", "row 17", "3f2a-77b1", "https://a.org/b?c=d e"]))
    False
    """
    several = pc.match_substring_regex(column, _SEVERAL_WORDS)
    return bool(2 * (pc.sum(several).as_py() or 0) >= len(column) - column.null_count > 0)


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
