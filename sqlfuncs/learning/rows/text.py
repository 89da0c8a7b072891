"""Rows that are texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import MissingExtra
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.features.features import TextFeatures
from sqlfuncs.learning.features.tfidf import TfIdf
from sqlfuncs.learning.rows.base import Chosen, Reasons, Rows, Vectors
from sqlfuncs.learning.rows.normalized_text import letters
from sqlfuncs.learning.rows.types import is_text, without_dictionary
from sqlfuncs.learning.rows.vectors import of_length_one
from sqlfuncs.wording import TypeName, Words

_PROJECTED = 512  # dimensions that TF-IDF is brought down to


@dataclass(frozen=True)
class Texts(Rows):
    """Texts; NULL and blank ones cannot be used. Near duplicates have the same letters."""

    kind = "text"
    called = "text"
    example = Words("text (", TypeName(pa.string()), ")")
    can_be_trained_on = True
    is_compared = True
    is_read_slowly = True

    values: list[str]
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Text, and a column of nothing but NULL."""
        return is_text(of) or pa.types.is_null(of)

    @classmethod
    def read(cls, x: pa.Array) -> Texts:
        """The texts of a column."""
        if pa.types.is_null(x.type):
            return cls([""] * len(x), np.full(len(x), "x is NULL", dtype=object))
        values: list[str | None] = without_dictionary(x).to_pylist()
        reasons = np.full(len(values), None, dtype=object)
        for row, value in enumerate(values):
            if value is None:
                reasons[row] = "the text is NULL"
            elif not value.strip():
                reasons[row] = "the text is empty"
        return cls([value or "" for value in values], reasons)

    @classmethod
    def refuse_alone(cls) -> None:
        """Their words are compared among all texts; what an encoder says is of each alone."""
        if not encoders.is_available():
            raise MissingExtra.needed_for("Comparing texts that no process holds", "local")

    def chosen(self, places: Chosen) -> Texts:
        """Some of the rows."""
        return Texts([self.values[place] for place in places], self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of each text."""
        return [_digest(value) for value in self.values]

    def groups(self, digests: Sequence[bytes]) -> list[bytes]:
        """A digest of each text's letters."""
        return [_digest(letters(value)) for value in self.values]

    def features(self, model: str) -> tuple[TextFeatures, list[Any]]:
        """TF-IDF, and what encoders say."""
        return TextFeatures.learn(self.values, model)

    def reading(self, model: str) -> str:
        """With which encoders."""
        return " ".join(["text", *(encoder.key for encoder in encoders.for_model(model))])

    def to_arrow(self) -> pa.Array:
        """As strings."""
        return pa.array(self.values, pa.string())

    @property
    def texts(self) -> list[str]:
        """Themselves."""
        return self.values

    def vectors(self, places: Sequence[int]) -> Vectors:
        """What the encoder of 'fast' says they mean or, without one, their words."""
        texts = [self.values[place] for place in places]
        by = encoders.for_model("fast")
        values = by[0].meaning(encoders.encode(by[0], texts)) if by else _projected(texts)
        return of_length_one(values, range(len(texts)))

    def vectors_alone(self, places: Sequence[int]) -> Vectors:
        """What the encoder of 'fast' says they mean."""
        self.refuse_alone()
        (by,) = encoders.for_model("fast")
        texts = [self.values[place] for place in places]
        values = by.meaning(encoders.encode_once(by, texts))
        return of_length_one(values, range(len(texts)))

    def variants(self, places: Sequence[int]) -> list[str]:
        """Texts that differ in capitals, spaces and punctuation only are the same."""
        return [letters(self.values[place]) for place in places]


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _projected(texts: Sequence[str]) -> Vectors:
    """TF-IDF, brought down to few dimensions in which cosines stay nearly what they were.

    A sparse random projection (Li, Hastie and Church, "Very Sparse Random Projections", KDD
    2006): the nearer a cosine is to 1, the less it changes.
    """
    from sklearn.random_projection import SparseRandomProjection

    _, sparse = TfIdf.learn(texts)
    if sparse.shape[1] <= _PROJECTED:
        dense: Vectors = sparse.toarray()
        return dense
    projection = SparseRandomProjection(_PROJECTED, dense_output=True, random_state=0)
    projected: Vectors = projection.fit_transform(sparse)
    return projected
