"""Rows that are several fields: those of a STRUCT, as numbers, categories and free text.

What can be none of these (`field_values`), or tells nothing, is left out and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.beside import Beside
from sqlfuncs.learning.features.field_texts import FieldTexts
from sqlfuncs.learning.features.heads import AnyHead, Learned
from sqlfuncs.learning.features.tabular import TabularFeatures
from sqlfuncs.learning.rows.base import Chosen, Floats, Reasons, Rows, refuse_encoder
from sqlfuncs.learning.rows.field_values import Field, Unreadable, read_field
from sqlfuncs.learning.rows.free_text import FreeText
from sqlfuncs.learning.rows.types import FIELDS
from sqlfuncs.wording import Snippet, Words


@dataclass(frozen=True)
class Fields(Rows):
    """Tuples of numbers and categories: `values` has shape (rows, fields).

    A number stands as it is and a category as its position among `categories` of its field,
    which are None for a number; NaN is missing.
    """

    kind = "fields"
    called = Words("the fields of a ", FIELDS)
    example = Words("several fields (a ", FIELDS, ": ", Snippet("the fields a and b"), ")")
    # What is equal in a few fields may well be different things, of which most are one class.
    is_all_there_is = False

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    values: Floats
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Structs."""
        return bool(pa.types.is_struct(of))

    @classmethod
    def read(cls, x: pa.StructArray) -> Fields:
        """The fields of a column that tell something. Raises BadInput if there is none."""
        return _read(x)

    def chosen(self, places: Chosen) -> Fields:
        """Some of the rows."""
        return replace(self, values=self.values[places], reasons=self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of each row's fields."""
        fields = sha256(repr((self.names, self.categories)).encode("utf-8", "surrogatepass"))
        digests = []
        for row in self.values:
            digest = fields.copy()
            digest.update(row.tobytes())
            digests.append(digest.digest())
        return digests

    def features(self, model: str) -> tuple[Learned[AnyHead], list[Any]]:
        """What linear heads and trees see of them."""
        refuse_encoder(Words(self.called, ", of which none is free text,"), model)
        return TabularFeatures.learn(self.values, self.categories, self.names)


@dataclass(frozen=True)
class FieldsWithTexts(Fields):
    """The same with fields of free text beside them, or of these alone."""

    free_texts: tuple[FreeText, ...]

    def chosen(self, places: Chosen) -> FieldsWithTexts:
        """Some of the rows."""
        return replace(
            self,
            values=self.values[places],
            reasons=self.reasons[places],
            free_texts=tuple(text.chosen(places) for text in self.free_texts),
        )

    def digests(self) -> list[bytes]:
        """A digest of each row's fields and texts."""
        texts = (text.digests() for text in self.free_texts)
        return [_joined(row) for row in zip(super().digests(), *texts, strict=True)]

    def groups(self, digests: Sequence[bytes]) -> list[bytes]:
        """A digest of the letters of each row's texts; where it has none, the row's own.

        A text that comes twice, with other numbers, would else be learned from before it is judged.
        """
        alike = zip(*(text.digests_of_letters() for text in self.free_texts), strict=True)
        return [
            _joined(row) if has_text else own
            for own, row, has_text in zip(digests, alike, _have_text(self.free_texts), strict=True)
        ]

    def features(self, model: str) -> tuple[Learned[AnyHead], list[Any]]:
        """What linear heads see of the texts and, beside these, heads of the other fields.

        That a text is missing is evidence of its own.
        """
        learned, views = FieldTexts.learn([(t.name, t.texts) for t in self.free_texts], model)
        missing = [field for field in map(_missing, self.free_texts) if field.tells_something]
        names = (*self.names, *(field.name for field in missing))
        if not names:
            return learned, views
        values = np.column_stack([self.values, *(field.values for field in missing)])
        categories = (*self.categories, *(field.categories for field in missing))
        others, own = TabularFeatures.learn(values, categories, names)
        return Beside(learned, others, len(views)), [*views, *own]


def _have_text(texts: Sequence[FreeText]) -> list[bool]:
    """Which rows have any text."""
    return [any(row) for row in zip(*(text.texts for text in texts), strict=True)]


def _joined(digests: Sequence[bytes]) -> bytes:
    """One digest for several. One stands as it is: a text has the folds that it has alone."""
    return sha256(b"".join(digests)).digest() if len(digests) > 1 else digests[0]


def _missing(text: FreeText) -> Field:
    return Field(f"{text.name} (missing)", np.array([not each for each in text.texts], float))


def _read(x: pa.StructArray) -> Fields:
    """The rows of a STRUCT column; NULL ones, and those that hold nothing, cannot be used.

    Infinity and NaN are missing, and so are blank texts. Raises BadInput if no field is left.
    """
    kept: list[Field] = []
    texts: list[FreeText] = []
    left_out: dict[str, str] = {}
    for place, (name, column) in enumerate(
        zip((field.name for field in x.type), x.flatten(), strict=True), 1
    ):
        name = name or f"field {place}"
        try:
            found = read_field(name, column)
        except Unreadable as why:
            left_out[name] = str(why)
            continue
        if isinstance(found, FreeText):
            texts.append(found)
        else:
            kept += found
    null = ~np.asarray(pc.is_valid(x), dtype=bool)
    _tell(left_out, bool(kept or texts) or len(x) == 0 or bool(null.all()))
    values = np.column_stack([f.values for f in kept]) if kept else np.empty((len(x), 0))
    # Zero has two signs, and NaN many patterns of bits; a digest has to see one of each.
    values = np.where(np.isnan(values), np.nan, values + 0.0)
    names, categories = tuple(f.name for f in kept), tuple(f.categories for f in kept)
    nothing = np.isnan(values).all(axis=1)
    reasons = np.full(len(x), None, dtype=object)
    if not texts:
        reasons[nothing] = "all fields are NULL"
        reasons[null] = "the row is NULL"
        return Fields(names, categories, values, reasons)
    reasons[nothing & ~np.array(_have_text(texts), dtype=bool)] = "all fields are NULL or blank"
    reasons[null] = "the row is NULL"
    return FieldsWithTexts(names, categories, values, reasons, tuple(texts))


def _tell(left_out: Mapping[str, str], something_is_left: bool) -> None:
    listed = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    if not something_is_left:
        raise BadInput(
            f"x is a {FIELDS} of which no field can be used ({listed}). It takes a field of "
            "numbers, booleans, dates, or text, of few distinct values or of several words, which "
            "differs between rows."
        )
    if left_out:
        work.say_once(f"fields that are left out of x: {listed}")
